import { describe, expect, it } from 'vitest';
import { split } from './quoted';

describe('the quoted end of a mail', () => {
  it('is found below an introduction, in the languages of the desk', () => {
    for (const line of ['On Tue, 3 Mar 2026 at 09:12, Jan wrote:', 'Den tir. 3. mars 2026 kl. 09:12 skrev Jan <jan@example.test>:', 'Op di 3 mrt 2026 om 09:12 schreef Jan <jan@example.test>:']) {
      expect(split(`Thanks!\n\n${line}\n> Hello,\n> there`)).toEqual({ own: 'Thanks!', quoted: `${line}\n> Hello,\n> there` });
    }
  });

  it('is found without an introduction when it runs to the end', () => {
    expect(split('Yes.\n> really?\n>\n> sure?')).toEqual({ own: 'Yes.', quoted: '> really?\n>\n> sure?' });
  });

  it('is not found where answers stand between quotes', () => {
    const text = '> first?\nyes\n> second?\nno';
    expect(split(text)).toEqual({ own: text, quoted: null });
  });

  it('is not everything, and not a sentence that ends like an introduction', () => {
    expect(split('> only a quote').quoted).toBeNull();
    expect(split('On Tuesday my colleague wrote:\nplease call').quoted).toBeNull();
    expect(split('Plain words.').quoted).toBeNull();
  });
});
