import { afterEach, describe, expect, it, vi } from 'vitest';
import { kept } from './choices';

afterEach(() => {
  vi.restoreAllMocks();
  localStorage.clear();
  sessionStorage.clear();
});

describe('what a visitor chose', () => {
  it('is silence in this browser, and no preview in this tab, for each widget', () => {
    kept('shop', 'muted', true);
    kept('shop', 'still', true);
    expect([localStorage.length, sessionStorage.length]).toEqual([1, 1]);
    expect([kept('shop', 'muted'), kept('shop', 'still'), kept('other', 'muted')]).toEqual([true, true, false]);
    sessionStorage.clear();
    expect([kept('shop', 'muted'), kept('shop', 'still')]).toEqual([true, false]);
    kept('shop', 'muted', false);
    expect([localStorage.length, kept('shop', 'muted')]).toEqual([0, false]);
  });

  it('is nothing where the browser forbids it', () => {
    vi.spyOn(window, 'localStorage', 'get').mockImplementation(() => {
      throw new DOMException('denied', 'SecurityError');
    });
    kept('shop', 'muted', true);
    expect(kept('shop', 'muted')).toBe(false);
  });
});
