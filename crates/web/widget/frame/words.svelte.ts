// The widget's words: one language, chosen from those that the page and the browser ask for.
import type en from '../../locales/en.json';
import type { Labels } from './protocol';

type Widget<K> = K extends `widget.${infer Rest}` ? Rest : never;
type Stem<K> = K extends `${infer S}.one` | `${infer S}.other` ? S : K;
export type Key = Stem<Widget<keyof typeof en>>;

const loaders = import.meta.glob<Record<string, string>>('../../locales/*.json', { import: 'default', query: '?part=widget' });
const LANGUAGES = ['en', 'nl', 'nb', 'da'];

let words = $state.raw<Record<string, string>>({});
let tag = $state('en');
let wanted: string[] = [];

const languageOf = (one: string): string => one.toLowerCase().split(/[-_]/)[0]!.replace(/^n[no]$/, 'nb');

/** The first tag in a language that there is. */
export const chosen = (tags: readonly string[]): string => tags.find((one) => LANGUAGES.includes(languageOf(one))) ?? 'en';

export async function setLocales(tags: string[]): Promise<void> {
  const next = chosen(tags);
  wanted = tags;
  words = (await loaders[`../../locales/${languageOf(next)}.json`]?.()) ?? {};
  // A tag that Intl does not know must not stop anything.
  tag = Intl.DateTimeFormat.supportedLocalesOf([next.replace('_', '-')])[0] ?? languageOf(next);
  document.documentElement.lang = languageOf(next);
}

export const locale = (): string => tag;

export function t(key: Key, values: Record<string, string | number> = {}): string {
  const plural = typeof values.n === 'number' ? words[`widget.${key}.${new Intl.PluralRules(tag).select(values.n)}`] : undefined;
  const found = plural ?? words[`widget.${key}`] ?? key;
  return found.replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
}

/** Whether there are words for a key that was put together. */
export const has = (key: string): key is Key => `widget.${key}` in words;

/** A text of the site in the visitor's language, or in the one that it has. */
export function said(labels: Labels | undefined, otherwise: string): string {
  if (!labels) return otherwise;
  const languages = [languageOf(tag), ...wanted.map(languageOf)];
  const found = languages.find((language) => labels[language]);
  return labels[tag] ?? (found ? labels[found] : undefined) ?? labels['*'] ?? labels.en ?? Object.values(labels)[0] ?? otherwise;
}

export const time = (at: number): string => new Intl.DateTimeFormat(tag, { hour: 'numeric', minute: '2-digit' }).format(at);

/** A day as a heading: today, yesterday, or its date. */
export function day(at: number, now: number): string {
  const start = (moment: number): number => new Date(moment).setHours(0, 0, 0, 0);
  const days = Math.round((start(now) - start(at)) / 86_400_000);
  if (days === 0) return t('today');
  if (days === 1) return t('yesterday');
  return new Intl.DateTimeFormat(tag, { day: 'numeric', month: 'long', year: days > 300 ? 'numeric' : undefined }).format(at);
}

/** When we are back: a weekday within a week, else a date, with the time. */
export function moment(at: number, now: number): string {
  const near = at - now < 6 * 86_400_000;
  return new Intl.DateTimeFormat(tag, { ...(near ? { weekday: 'long' } : { day: 'numeric', month: 'long' }), hour: 'numeric', minute: '2-digit' }).format(at);
}

export function size(bytes: number): string {
  const [unit, value] = bytes < 1_000_000 ? (['kilobyte', bytes / 1000] as const) : (['megabyte', bytes / 1_000_000] as const);
  return new Intl.NumberFormat(tag, { style: 'unit', unit, unitDisplay: 'short', maximumFractionDigits: value < 10 ? 1 : 0 }).format(Math.max(value, 0.1));
}
