import { describe, expect, it } from 'vitest';
import { parentOrigin, read } from './host';

describe('what the page says', () => {
  it('is taken in the form that is understood, and otherwise not at all', () => {
    for (const bad of [null, 'open', 7, {}, { type: 'open' }, { sb: 2, type: 'open' }, { sb: 1, type: 'steal' }, { sb: 1 }]) expect(read(bad)).toBeNull();
    expect(read({ sb: 1, type: 'open', value: 'ignored' })).toEqual({ type: 'open' });
  });

  it('has only texts, numbers as texts, and nothing overlong', () => {
    const init = read({
      sb: 1, type: 'init',
      value: { session: 'abc.def~1', open: true, locales: ['nb', 7], url: 'https://shop.test/a', title: 'A', identity: { id: 4711, hash: 'ff', extra: 1 }, customer: { email: 'a@b.test', fn: {} }, topic: 'x'.repeat(999), color: '#12345g', theme: 'pink', consent: 'yes', preview: false, sound: 1, start: { text: 'Hi' } },
    });
    expect(init).toEqual({
      type: 'init',
      value: { session: 'abc.def~1', open: true, locales: ['nb'], page: { url: 'https://shop.test/a', title: 'A' }, identity: { id: '4711', hash: 'ff' }, customer: { email: 'a@b.test' }, topic: 'x'.repeat(100), color: null, theme: null, consent: null, preview: false, sound: null, start: { text: 'Hi', topic: null } },
    });
  });

  it('never makes a session of what is no token', () => {
    expect(read({ sb: 1, type: 'session', value: 'a b;c' })).toEqual({ type: 'session', value: '' });
    expect(read({ sb: 1, type: 'session', value: {} })).toEqual({ type: 'session', value: '' });
    expect(read({ sb: 1, type: 'init', value: { url: 'javascript:alert(1)' } })).toMatchObject({ value: { page: null, session: '' } });
  });
});

describe('the origin around the frame', () => {
  it('is spoken to only if it is listed', () => {
    expect(parentOrigin(['https://shop.test'], ['https://shop.test'], '')).toBe('https://shop.test');
    expect(parentOrigin(['https://shop.test'], ['https://evil.test'], 'https://shop.test/')).toBeNull();
    expect(parentOrigin(['https://shop.test'], undefined, 'https://shop.test/')).toBe('https://shop.test');
    expect(parentOrigin(['https://shop.test'], undefined, '')).toBeNull();
    expect(parentOrigin([], ['null'], 'about:blank')).toBeNull();
  });

  it('may be none in web views, where that is wished, and is exact where there is one', () => {
    for (const ancestors of [['file://'], ['null'], undefined]) {
      expect(parentOrigin(['https://shop.test'], ancestors, '')).toBeNull();
      expect(parentOrigin(['https://shop.test'], ancestors, '', true)).toBe('null');
    }
    expect(parentOrigin(['capacitor://localhost'], ['capacitor://localhost'], '', true)).toBe('capacitor://localhost');
    for (const other of ['https://evil.test', 'capacitor://evil', 'null.evil://x']) expect(parentOrigin(['https://shop.test'], [other], '', true)).toBeNull();
    expect(parentOrigin(['https://shop.test'], undefined, 'https://evil.test/', true)).toBeNull();
  });
});
