// The words of the desk: one catalogue per language, shared with Rust, loaded when it is needed.
import type en from '../../locales/en.json';

type Flat = keyof typeof en;
type Stem<K> = K extends `${infer S}.one` ? S : never;
type Form<K> = K extends `${string}.one` | `${string}.other` ? never : K;
/** Every key there is; plural keys are named without `.one` and `.other`. */
export type Key = Form<Flat> | Stem<Flat>;
export type Values = Record<string, string | number>;

export const LANGUAGES = ['en', 'nl', 'nb', 'da'] as const;
export type Language = (typeof LANGUAGES)[number];

/** What each language calls itself. */
export const LANGUAGE_NAMES: Record<Language, string> = { en: 'English', nl: 'Nederlands', nb: 'Norsk bokmål', da: 'Dansk' };

const loaders = import.meta.glob<Record<string, string>>('../../locales/*.json', { import: 'default' });

let words = $state.raw<Record<string, string>>({});
let current = $state<Language>('en');
let plural = new Intl.PluralRules('en');
let places = new Intl.PluralRules('en', { type: 'ordinal' });

export const i18n = {
  get language(): Language {
    return current;
  },
};

/** The language to use for a tag such as `nn-NO`: nn falls to nb, what is unknown to nothing. */
export function known(tag: string | null | undefined): Language | null {
  const first = (tag ?? '').toLowerCase().split(/[-_]/)[0] ?? '';
  if (first === 'nn' || first === 'no') return 'nb';
  return (LANGUAGES as readonly string[]).includes(first) ? (first as Language) : null;
}

/** The user's own language, else the first of the browser's that exists, else English. */
export function choose(own: string | null | undefined, browser: readonly string[]): Language {
  return known(own) ?? browser.map(known).find((language) => language !== null) ?? 'en';
}

export async function setLanguage(language: Language): Promise<void> {
  const load = loaders[`../../locales/${language}.json`];
  if (!load) return;
  use(language, await load());
}

export function use(language: Language, catalogue: Record<string, string>): void {
  words = catalogue;
  current = language;
  plural = new Intl.PluralRules(language);
  places = new Intl.PluralRules(language, { type: 'ordinal' });
  if (typeof document !== 'undefined') document.documentElement.lang = language;
}

/** The text of a key. A plural key takes its number from `n`. A key that does not exist shows as itself. */
export function t(key: Key, values: Values = {}): string {
  return text(key, values);
}

/** The same for keys that are put together from codes of the API, which may be newer than the desk. */
export function text(key: string, values: Values = {}): string {
  const found = words[key] ?? (typeof values.n === 'number' ? words[`${key}.${plural.select(values.n)}`] : undefined);
  if (found === undefined) return key;
  return found.replace(/\{(\w+)\}/g, (whole, name: string) => {
    const value = values[name];
    if (value === undefined) return whole;
    return typeof value === 'number' && name !== 'id' ? value.toLocaleString(current) : String(value);
  });
}

/** A place in an order: `3rd`. */
export function ordinal(n: number): string {
  return text(`ordinal.${places.select(n)}`, { n });
}

/** The words of a code, or the code itself in plain letters when the desk does not know it yet. */
export function code(prefix: string, value: string): string {
  const key = `${prefix}.${value}`;
  return words[key] ?? value.replaceAll('_', ' ');
}
