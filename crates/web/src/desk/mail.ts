// Pictures of a mail: those that came with it, and those that would be fetched from strangers. The mail arrives
// cleaned; the address of a remote picture then stands in `data-remote-src`, where no browser looks for it.
import type { AttachmentView } from '../core/types';

/** What only acts or loads. A cleaned mail has none of it; a second look costs nothing. */
const ACTING = 'script, iframe, object, embed, form, meta, link, base';

/**
 * Points the pictures that came with a mail at their files and returns how many others it has. Those get their
 * address back only when the reader asked for them.
 */
export function prepare(mail: DocumentFragment, attachments: readonly AttachmentView[], shown: boolean): number {
  let strangers = 0;
  for (const node of mail.querySelectorAll(ACTING)) node.remove();
  for (const image of mail.querySelectorAll('img')) {
    const source = image.getAttribute('src') ?? '';
    const remote = secure(image.getAttribute('data-remote-src') ?? source);
    const file = source.startsWith('cid:') ? attachments.find((known) => known.content_id === source.slice(4)) : undefined;
    for (const name of ['src', 'srcset', 'data-remote-src']) image.removeAttribute(name);
    if (file) image.setAttribute('src', `/api/v1/attachments/${file.id}`);
    else if (source.startsWith('data:image/')) image.setAttribute('src', source);
    else if (remote !== null) {
      strangers += 1;
      if (shown) image.setAttribute('src', remote);
    }
  }
  for (const link of mail.querySelectorAll('a')) link.setAttribute('rel', 'noopener noreferrer');
  return strangers;
}

/**
 * Puts the end of a mail, from where its words are those of `quoted`, behind a summary that opens it. Only letters and
 * digits are compared, because text and layout differ in everything else. Returns whether there was such an end.
 */
export function fold(mail: DocumentFragment, own: string, quoted: string, label: string): boolean {
  const key = bare(quoted).slice(0, 40);
  if (key.length < 8) return false;
  const texts: Text[] = [];
  const walker = document.createTreeWalker(mail, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) texts.push(node as Text);
  const whole = texts.map((node) => bare(node.data)).join('');
  // Nearly where the writer's own words end, so that the same words further up are not taken for it.
  const at = whole.indexOf(key, Math.floor(bare(own).length * 0.8));
  if (at <= 0) return false;
  let before = 0;
  const first = texts.find((node) => (before += bare(node.data).length) > at);
  if (!first) return false;
  const start = cut(first, at - (before - bare(first.data).length), mail);
  if (!start) return false;
  const details = document.createElement('details');
  const summary = document.createElement('summary');
  summary.textContent = '···';
  summary.setAttribute('aria-label', label);
  details.append(summary);
  for (let node: Node | null = start; node; ) {
    const parent: Node | null = node.parentNode;
    while (node) {
      const next: ChildNode | null = node.nextSibling;
      details.append(node);
      node = next;
    }
    // What follows on the way out belongs to the end as well.
    for (let outer: Node | null = parent; outer && outer !== mail && !node; outer = outer.parentNode) node = outer.nextSibling;
  }
  mail.append(details);
  return true;
}

/** The outermost node that begins with the letter at `letters` of a text; null within a table, which cannot be cut. */
function cut(text: Text, letters: number, mail: DocumentFragment): Node | null {
  let start: Node = text;
  if (letters > 0) {
    let seen = 0;
    const place = [...text.data].findIndex((letter) => (bare(letter) === '' ? false : seen++ === letters));
    start = text.splitText([...text.data].slice(0, place).join('').length);
  }
  while (start.parentNode && start.parentNode !== mail && isFirst(start)) start = start.parentNode;
  for (let outer = start.parentNode; outer && outer !== mail; outer = outer.parentNode) {
    if (/^(TABLE|TBODY|THEAD|TR|TD|TH|UL|OL|LI)$/.test(outer.nodeName)) return null;
  }
  return start;
}

function isFirst(node: Node): boolean {
  for (let earlier = node.previousSibling; earlier; earlier = earlier.previousSibling) {
    if (bare(earlier.textContent ?? '') !== '') return false;
  }
  return true;
}

function bare(text: string): string {
  return text.replace(/[^\p{L}\p{N}]/gu, '').toLowerCase();
}

/** The address to fetch a picture from, null for whatever is no web address. Plain http is asked for as https: the
    frame's policy allows nothing else, so that nobody on the way sees what is read. */
function secure(source: string): string | null {
  if (!URL.canParse(source)) return null;
  const url = new URL(source);
  if (url.protocol === 'http:') url.protocol = 'https:';
  return url.protocol === 'https:' ? url.href : null;
}
