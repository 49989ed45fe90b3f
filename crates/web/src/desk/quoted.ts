// Finds where a mail begins to repeat earlier ones, so that the repetition can be folded.

const INTRODUCTIONS = [
  /^(on|den|op|am|le) .{6,160}\b(wrote|skrev|schreef|schrieb|écrit)\b.{0,120}:?\s*$/i,
  /^.{0,80}<[^>]+@[^>]+>\s*(wrote|skrev|schreef)\s*:?\s*$/i,
  /^-{2,}\s*(original message|opprinnelig melding|oprindelig meddelelse|oorspronkelijk bericht|forwarded message)\s*-{2,}$/i,
  /^_{10,}$/,
];

export interface Parts {
  own: string;
  quoted: string | null;
}

/** Splits a text into what was written and the quoted end, which is null when there is none. */
export function split(text: string): Parts {
  const lines = text.split('\n');
  const start = lines.findIndex((line, index) => introduces(line) && quotesFrom(lines, index));
  const from = start >= 0 ? start : trailingQuote(lines);
  if (from <= 0) return { own: text, quoted: null };
  const own = lines.slice(0, from).join('\n').trimEnd();
  if (own.trim() === '') return { own: text, quoted: null };
  return { own, quoted: lines.slice(from).join('\n').trim() };
}

function introduces(line: string): boolean {
  return INTRODUCTIONS.some((pattern) => pattern.test(line.trim()));
}

/** An introduction counts when quoted lines follow, or when it is a ruler above an old header. */
function quotesFrom(lines: string[], index: number): boolean {
  const next = lines.slice(index + 1).find((line) => line.trim() !== '');
  return next !== undefined && (/^\s*>/.test(next) || /^[-_]{2,}/.test(lines[index]!.trim()));
}

/** The first line of an unbroken run of `>` lines at the end. */
function trailingQuote(lines: string[]): number {
  let index = lines.length;
  while (index > 0 && (/^\s*>/.test(lines[index - 1]!) || lines[index - 1]!.trim() === '')) index -= 1;
  return lines.slice(index).some((line) => /^\s*>/.test(line)) ? index : -1;
}
