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

/** The address to fetch a picture from, null for whatever is no web address. Plain http is asked for as https: the
    frame's policy allows nothing else, so that nobody on the way sees what is read. */
function secure(source: string): string | null {
  if (!URL.canParse(source)) return null;
  const url = new URL(source);
  if (url.protocol === 'http:') url.protocol = 'https:';
  return url.protocol === 'https:' ? url.href : null;
}
