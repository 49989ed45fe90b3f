import { describe, expect, it } from 'vitest';
import { split } from './quoted';

describe('the end of a mail that can be folded', () => {
  it('begins at the line that the message names', () => {
    expect(split('Thanks!\n\nOn Tuesday Kim wrote:\n> Hello', 2)).toEqual({ own: 'Thanks!', quoted: 'On Tuesday Kim wrote:\n> Hello' });
  });

  it('is nothing where the message names no line, or one that leaves nothing over', () => {
    const text = 'Thanks!\n> Hello';
    for (const from of [null, undefined, 0, 2, 99]) expect(split(text, from)).toEqual({ own: text, quoted: null });
    expect(split('\n\n> only a quote', 2).quoted).toBeNull();
  });
});
