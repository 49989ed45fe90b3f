import { describe, expect, it } from 'vitest';
import { attention } from './company.svelte';

describe('what we say about ourselves', () => {
  it('is writing for five seconds after a keystroke, wherever the focus is', () => {
    expect(attention(true, 0)).toBe('writing');
    expect(attention(false, 4_999)).toBe('writing');
    expect(attention(true, 5_000)).toBe('viewing');
  });

  it('is viewing while the tab is looked at, and parked otherwise', () => {
    expect(attention(true, Infinity)).toBe('viewing');
    expect(attention(false, Infinity)).toBe('parked');
  });
});
