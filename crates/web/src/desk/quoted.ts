// The part of a mail that says something new, and the signature and repetition below it, which can be folded. Where it
// begins was found out when the mail came in.

export interface Parts {
  own: string;
  quoted: string | null;
}

/** Splits a text at a line counted from 0; without one all of it is the writer's own. */
export function split(text: string, from: number | null | undefined): Parts {
  const lines = text.split('\n');
  if (from === null || from === undefined || from <= 0 || from >= lines.length) return { own: text, quoted: null };
  const own = lines.slice(0, from).join('\n').trimEnd();
  const quoted = lines.slice(from).join('\n').trim();
  return own.trim() === '' || quoted === '' ? { own: text, quoted: null } : { own, quoted };
}
