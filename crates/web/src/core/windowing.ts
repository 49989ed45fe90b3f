// Which rows of a long list are worth having in the document. Rows have one height, so this is arithmetic.

export interface Span {
  /** First row to mount. */
  from: number;
  /** One past the last row to mount. */
  to: number;
}

/** Rows mounted beyond each edge, so that fast scrolling and the keyboard find something. */
export const OVERSCAN = 6;

/** The rows to mount for a viewport of `height_px` scrolled to `top_px`. */
export function span(count: number, row_px: number, top_px: number, height_px: number): Span {
  if (count === 0 || row_px <= 0) return { from: 0, to: 0 };
  const first = Math.floor(Math.max(0, top_px) / row_px);
  const visible = Math.ceil(Math.max(0, height_px) / row_px) + 1;
  const from = Math.max(0, Math.min(first, count - visible) - OVERSCAN);
  return { from, to: Math.min(count, Math.max(first, 0) + visible + OVERSCAN) };
}

/** The rows to mount, with the focused row kept even when it lies outside. Ascending, without repeats. */
export function mounted(range: Span, focused: number | null, count: number): number[] {
  const rows: number[] = [];
  for (let index = range.from; index < range.to; index += 1) rows.push(index);
  if (focused !== null && focused >= 0 && focused < count) {
    if (focused < range.from) rows.unshift(focused);
    else if (focused >= range.to) rows.push(focused);
  }
  return rows;
}

/** Where to scroll so that a row is in sight; the present position when it already is. */
export function reveal(index: number, row_px: number, top_px: number, height_px: number): number {
  const start = index * row_px;
  if (start < top_px) return start;
  if (start + row_px > top_px + height_px) return start + row_px - height_px;
  return top_px;
}
