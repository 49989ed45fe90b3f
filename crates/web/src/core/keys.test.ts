import { describe, expect, it, vi } from 'vitest';
import { isText, Keyboard, name } from './keys';

const press = (key: string, more: Partial<KeyboardEvent> = {}) => ({ key, ctrlKey: false, metaKey: false, altKey: false, shiftKey: false, isComposing: false, ...more });

describe('the name of a key', () => {
  it('is what it writes, whatever the layout', () => {
    expect(name(press('?', { shiftKey: true }))).toBe('?');
    expect(name(press('K', { ctrlKey: true }))).toBe('mod+k');
    expect(name(press('k', { metaKey: true }))).toBe('mod+k');
    expect(name(press('F6', { shiftKey: true }))).toBe('shift+F6');
  });

  it('is nothing while composing, with Alt, or with AltGr', () => {
    expect(name(press('a', { isComposing: true }))).toBeNull();
    expect(name(press('a', { altKey: true }))).toBeNull();
    expect(name({ ...press('@', { ctrlKey: true }), getModifierState: (key) => key === 'AltGraph' })).toBeNull();
  });
});

describe('the keyboard', () => {
  const run = { g_u: vi.fn(), j: vi.fn(), u: vi.fn(), palette: vi.fn() };
  const bindings = [{ keys: 'g u', run: run.g_u }, { keys: 'j', run: run.j }, { keys: 'u', run: run.u }, { keys: 'mod+k', run: run.palette }];

  it('finds single keys and pairs', () => {
    const keyboard = new Keyboard(() => bindings, () => true);
    expect(keyboard.press(press('j'), false, 0)).toBe(run.j);
    expect(keyboard.press(press('g'), false, 100)).toBeNull();
    expect(keyboard.press(press('u'), false, 600)).toBe(run.g_u);
  });

  it('forgets the first of a pair after a while, and after another key', () => {
    const keyboard = new Keyboard(() => bindings, () => true);
    keyboard.press(press('g'), false, 0);
    expect(keyboard.press(press('u'), false, 2000)).toBe(run.u);
    keyboard.press(press('g'), false, 3000);
    expect(keyboard.press(press('j'), false, 3100)).toBe(run.j);
    expect(keyboard.press(press('u'), false, 3200)).toBe(run.u);
  });

  it('leaves letters to text fields and to whoever switched them off', () => {
    const keyboard = new Keyboard(() => bindings, () => true);
    expect(keyboard.press(press('j'), true, 0)).toBeNull();
    expect(keyboard.press(press('k', { ctrlKey: true }), true, 0)).toBe(run.palette);
    const silent = new Keyboard(() => bindings, () => false);
    expect(silent.press(press('j'), false, 0)).toBeNull();
    expect(silent.press(press('k', { ctrlKey: true }), false, 0)).toBe(run.palette);
  });
});

describe('text fields', () => {
  it('are told from other controls', () => {
    const make = (html: string): Element => {
      document.body.innerHTML = html;
      return document.body.firstElementChild!;
    };
    expect(isText(make('<textarea></textarea>'))).toBe(true);
    expect(isText(make('<input type="search">'))).toBe(true);
    expect(isText(make('<input type="checkbox">'))).toBe(false);
    expect(isText(make('<button>b</button>'))).toBe(false);
    expect(isText(null)).toBe(false);
  });
});
