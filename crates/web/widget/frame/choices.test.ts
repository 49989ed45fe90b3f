import { afterEach, describe, expect, it, vi } from 'vitest';
import { choose, chose } from './choices';

afterEach(() => {
  vi.restoreAllMocks();
  localStorage.clear();
  sessionStorage.clear();
});

describe('what a visitor chose', () => {
  it('is silence in this browser, and no preview in this tab, for each widget', () => {
    choose('shop', 'muted', true);
    choose('shop', 'still', true);
    expect([localStorage.length, sessionStorage.length]).toEqual([1, 1]);
    expect([chose('shop', 'muted'), chose('shop', 'still'), chose('other', 'muted')]).toEqual([true, true, false]);
    sessionStorage.clear();
    expect([chose('shop', 'muted'), chose('shop', 'still')]).toEqual([true, false]);
    choose('shop', 'muted', false);
    expect([localStorage.length, chose('shop', 'muted')]).toEqual([0, false]);
  });

  it('is nothing where the browser forbids it', () => {
    vi.spyOn(window, 'localStorage', 'get').mockImplementation(() => {
      throw new DOMException('denied', 'SecurityError');
    });
    choose('shop', 'muted', true);
    expect(chose('shop', 'muted')).toBe(false);
  });
});
