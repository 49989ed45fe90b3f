import { beforeEach, describe, expect, it } from 'vitest';
import da from '../../locales/da.json';
import en from '../../locales/en.json';
import nb from '../../locales/nb.json';
import nl from '../../locales/nl.json';
import { choose, code, LANGUAGES, t, text, use, type Language } from './i18n.svelte';

const catalogues: Record<Language, Record<string, string>> = { en, nl, nb, da };
const catalogue = (language: Language): Record<string, string> => catalogues[language];
const placeholders = (words: string): string[] => [...words.matchAll(/\{(\w+)\}/g)].map((match) => match[1]!).sort();

describe('the catalogues', () => {
  const english = catalogue('en');
  for (const language of LANGUAGES.filter((other) => other !== 'en')) {
    it(`${language} has the keys and placeholders of English`, () => {
      const words = catalogue(language);
      expect(Object.keys(words).sort()).toEqual(Object.keys(english).sort());
      for (const [key, value] of Object.entries(english)) expect(placeholders(words[key]!), key).toEqual(placeholders(value));
    });
  }

  it('hold every key that the sources name', () => {
    const sources = import.meta.glob<string>(['/src/**/*.svelte', '/src/**/*.ts', '!/src/**/*.test.ts'], { query: '?raw', import: 'default', eager: true });
    const missing: string[] = [];
    for (const [path, source] of Object.entries(sources)) {
      for (const [, key] of source.matchAll(/\bt(?:ext)?\(\s*'([a-z_]+\.[a-z_.]+)'/g)) {
        if (!(key! in english) && !(`${key}.one` in english)) missing.push(`${path}: ${key}`);
      }
    }
    expect(Object.keys(sources).length).toBeGreaterThan(20);
    expect(missing).toEqual([]);
  });

  it('have what the desk names in the part that it loads first', () => {
    const first = Object.values(import.meta.glob<Record<string, string>>('../../locales/en.json', { query: '?part=desk', import: 'default', eager: true }))[0]!;
    const sources = import.meta.glob<string>(['/src/desk/*.svelte', '/src/desk/*.ts', '/src/core/*.ts', '/src/ui/*.svelte', '!/src/**/*.test.ts'], { query: '?raw', import: 'default', eager: true });
    const missing = Object.values(sources).flatMap((source) => [...source.matchAll(/'([a-z_]+\.[a-z_.]+)'/g)].map((match) => match[1]!).filter((key) => key in english && !(key in first)));
    // Words that are looked up by what the server says, such as code('event', …) and text(`presence.${…}`). Of the settings the desk
    // names single ones.
    const looked_up = Object.values(sources).flatMap((source) => [...source.matchAll(/\bcode\('([a-z_]+)'|`([a-z_]+(?:\.[a-z_]+)*)\.\$\{/g)].map((match) => `${match[1] ?? match[2]}.`)).filter((beginning) => beginning !== 'settings.');
    expect(looked_up).toContain('event.');
    missing.push(...Object.keys(english).filter((key) => !(key in first) && looked_up.some((beginning) => key.startsWith(beginning))));
    expect(missing).toEqual([]);
    expect(Object.keys(first).length).toBeLessThan(Object.keys(english).length);
  });
});

describe('words', () => {
  beforeEach(() => use('en', catalogue('en')));

  it('fill their placeholders and keep those that nothing fills', () => {
    expect(t('outcome.assigned', { user: 'Kari' })).toBe('Assigned to Kari');
    expect(t('outcome.assigned')).toBe('Assigned to {user}');
  });

  it('do not fill what a value happens to contain', () => {
    expect(t('outcome.assigned_team', { user: '{team}', team: 'Support' })).toBe('Assigned to {team} in Support');
  });

  it('take the plural form of the number in the language', () => {
    expect(t('list.total', { n: 1 })).toBe('1 item');
    expect(t('list.total', { n: 1204 })).toBe('1,204 items');
    use('nb', catalogue('nb'));
    expect(t('list.total', { n: 2 })).toBe('2 saker');
  });

  it('show a key that does not exist, and plain letters for a code that is not known yet', () => {
    expect(text('no.such')).toBe('no.such');
    expect(code('unassigned', 'brand_new_reason')).toBe('brand new reason');
  });

  it('put the language on the page', () => {
    use('da', catalogue('da'));
    expect(document.documentElement.lang).toBe('da');
  });
});

describe('the choice of a language', () => {
  it('follows the user, then the browser, then English', () => {
    expect(choose('nl', ['da'])).toBe('nl');
    expect(choose(null, ['fr-FR', 'nn-NO', 'da'])).toBe('nb');
    expect(choose(null, ['no'])).toBe('nb');
    expect(choose('xx', ['fr'])).toBe('en');
  });
});
