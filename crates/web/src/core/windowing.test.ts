import { describe, expect, it } from 'vitest';
import { mounted, OVERSCAN, reveal, span } from './windowing';

describe('the mounted part of a list', () => {
  it('is the viewport and a little more, however long the list', () => {
    expect(span(10_000, 76, 0, 760)).toEqual({ from: 0, to: 11 + OVERSCAN });
    const middle = span(10_000, 76, 76 * 5000, 760);
    expect(middle).toEqual({ from: 5000 - OVERSCAN, to: 5011 + OVERSCAN });
    expect(middle.to - middle.from).toBeLessThanOrEqual(40);
  });

  it('ends with the list, also when it is scrolled too far', () => {
    expect(span(20, 76, 76 * 500, 760).to).toBe(20);
    expect(span(20, 76, 76 * 500, 760).from).toBeLessThanOrEqual(9);
    expect(span(0, 76, 0, 760)).toEqual({ from: 0, to: 0 });
    expect(span(5, 76, -200, 760)).toEqual({ from: 0, to: 5 });
  });

  it('keeps the focused row on either side, once', () => {
    expect(mounted({ from: 10, to: 12 }, 2, 100)).toEqual([2, 10, 11]);
    expect(mounted({ from: 10, to: 12 }, 90, 100)).toEqual([10, 11, 90]);
    expect(mounted({ from: 10, to: 12 }, 11, 100)).toEqual([10, 11]);
    expect(mounted({ from: 0, to: 2 }, 5, 2)).toEqual([0, 1]);
  });
});

describe('revealing a row', () => {
  it('scrolls as little as possible', () => {
    expect(reveal(0, 76, 500, 760)).toBe(0);
    expect(reveal(20, 76, 0, 760)).toBe(21 * 76 - 760);
    expect(reveal(3, 76, 76, 760)).toBe(76);
  });
});
