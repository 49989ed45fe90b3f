import { beforeAll, describe, expect, it } from 'vitest';
import { chosen, locale, moment, said, setLocales, size, t } from './words.svelte';

describe('the language', () => {
  it('is the first asked for that there is', () => {
    expect(chosen(['fr-FR', 'nn-NO', 'en'])).toBe('nn-NO');
    expect(chosen(['fr', 'de'])).toBe('en');
  });
});

describe('words', () => {
  beforeAll(() => setLocales(['fr', 'nn-NO', 'en-GB']));

  it('are there, with their numbers', () => {
    expect(document.documentElement.lang).toBe('nb');
    expect(t('position', { n: 1 })).toBe('Du er den neste i køen.');
    expect(t('position', { n: 3 })).toBe('Du er nummer 3 i køen.');
    expect(t('typing', { name: 'Pia' })).toBe('Pia skriver');
    expect(locale()).toMatch(/^nn|^nb/);
  });

  it('of the site come in the visitor’s language, else in another asked for, else in any', () => {
    expect(said({ nb: 'Hei', en: 'Hello' }, '')).toBe('Hei');
    expect(said({ en: 'Hello', da: 'Hej' }, '')).toBe('Hello');
    expect(said({ '*': 'Hi', da: 'Hej' }, '')).toBe('Hi');
    expect(said(undefined, 'none')).toBe('none');
  });

  it('for times and sizes follow the language', () => {
    const now = new Date(2026, 10, 22, 12).getTime();
    expect(moment(now + 2 * 86_400_000, now)).toMatch(/tirsdag|tysdag/);
    expect(size(1_500_000)).toMatch(/^1,5\sMB$/);
  });
});
