import { describe, expect, it } from 'vitest';
import type { AttachmentView } from '../core/types';
import { fold, prepare } from './mail';

const logo: AttachmentView = { id: 71, name: 'logo.png', content_type: 'image/png', bytes: 10, content_id: 'logo@shop.test' };

function check(html: string, shown: boolean): { count: number; sources: (string | null)[]; html: string } {
  const template = document.createElement('template');
  template.innerHTML = html;
  const count = prepare(template.content, [logo], shown);
  return { count, sources: [...template.content.querySelectorAll('img')].map((image) => image.getAttribute('src')), html: template.innerHTML };
}

describe('pictures of a cleaned mail', () => {
  // As the cleaner of mails writes them.
  const remote = '<p>Hi<img width="1" data-remote-src="https://spy.test/p.gif"></p><img data-remote-src="http://old.test/a.png?x=1&amp;y=2">';

  it('from strangers are counted and have no address before the reader asks', () => {
    const { count, sources, html } = check(remote, false);
    expect(count).toBe(2);
    expect(sources).toEqual([null, null]);
    expect(html).not.toContain('.test');
  });

  it('from strangers get their address when the reader asks, always by https', () => {
    const { count, sources } = check(remote, true);
    expect(count).toBe(2);
    expect(sources).toEqual(['https://spy.test/p.gif', 'https://old.test/a.png?x=1&y=2']);
  });

  it('that came with the mail are shown from their files and ask nobody', () => {
    expect(check('<img src="cid:logo@shop.test" alt="logo">', false)).toMatchObject({ count: 0, sources: ['/api/v1/attachments/71'] });
    expect(check('<img src="cid:nowhere@shop.test">', true)).toMatchObject({ count: 0, sources: [null] });
  });

  it('with other addresses are never fetched', () => {
    const odd = '<img data-remote-src="httpx://spy.test/a"><img data-remote-src="http"><img src="/api/v1/me"><img src="javascript:alert(1)"><img>';
    expect(check(odd, true)).toMatchObject({ count: 0, sources: [null, null, null, null, null] });
  });

  it('lose every other way of loading something', () => {
    const { sources, html } = check('<img src="https://spy.test/a" srcset="https://spy.test/b 2x"><iframe src="https://spy.test"></iframe>', false);
    expect(sources).toEqual([null]);
    expect(html).not.toContain('spy.test');
  });
});

describe('the repetition at the end of a laid out mail', () => {
  function folded(html: string, own: string, quoted: string): string {
    const template = document.createElement('template');
    template.innerHTML = html;
    fold(template.content, own, quoted, 'Show quoted text');
    return template.innerHTML;
  }
  const summary = '<summary aria-label="Show quoted text">···</summary>';

  it('goes behind a summary, whatever it is made of', () => {
    const quote = '<div>On 3 March Kim wrote:<br></div><blockquote>Where is it?</blockquote>';
    const text = 'On 3 March Kim wrote:\n> Where is it?';
    expect(folded(`<p>Thanks!</p>${quote}`, 'Thanks!', text)).toBe(`<p>Thanks!</p><details>${summary}${quote}</details>`);
    expect(folded(`<div>Thanks!<br>${quote}</div><p>end</p>`, 'Thanks!', text)).toBe(`<div>Thanks!<br></div><details>${summary}${quote}<p>end</p></details>`);
  });

  it('is cut within a line of text', () => {
    expect(folded('<p>Thanks! On 3 March Kim wrote: Where?</p>', 'Thanks!', 'On 3 March Kim wrote:\nWhere?')).toBe(
      `<p>Thanks! </p><details>${summary}On 3 March Kim wrote: Where?</details>`,
    );
  });

  it('stays in sight where it is not found, or stands in a table', () => {
    for (const html of ['<p>Thanks!</p>', '<table><tbody><tr><td>Thanks!</td></tr><tr><td>On 3 March Kim wrote: x</td></tr></tbody></table>']) {
      expect(folded(html, 'Thanks!', 'On 3 March Kim wrote: x')).toBe(html);
    }
  });
});
