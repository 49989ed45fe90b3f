// The list of a view as pure steps: fresh pages come in, the order is held while somebody points at it, and
// rows that leave stay for a moment as ghosts that say why.
import type { ItemRow } from './types';

export const GHOST_MS = 3000;

export interface Ghost {
  /** After this moment the row may go. */
  until_ms: number;
  /** The row as it is now, where the reader may still see it. */
  now: ItemRow | null;
}

export interface Rows {
  rows: ItemRow[];
  ghosts: ReadonlyMap<number, Ghost>;
  /** The first page as the server orders it now, kept back while the list is held. */
  held: ItemRow[] | null;
  /** How many rows `held` would add or move up. */
  changes: number;
  total: number;
  next: string | null;
  /** How many rows came with the first page; the rest was asked for by scrolling. */
  head: number;
}

export const EMPTY: Rows = { rows: [], ghosts: new Map(), held: null, changes: 0, total: 0, next: null, head: 0 };

export interface FirstPage {
  rows: ItemRow[];
  total: number;
  next: string | null;
}

/** The list as it is first shown. */
export function first(page: FirstPage): Rows {
  return { ...EMPTY, rows: page.rows, total: page.total, next: page.next, head: page.rows.length };
}

/** A further page at the end; rows that are already there are left where they are. */
export function append(state: Rows, page: FirstPage): Rows {
  const known = new Set(state.rows.map((row) => row.id));
  return { ...state, rows: [...state.rows, ...page.rows.filter((row) => !known.has(row.id))], total: page.total, next: page.next };
}

/** The first page was asked for again. Held lists keep their order and collect what is new. */
export function refresh(state: Rows, page: FirstPage, held: boolean, now_ms: number): Rows {
  const fresh = new Map(page.rows.map((row) => [row.id, row]));
  const tail = state.rows.slice(state.head).filter((row) => !fresh.has(row.id));
  // Without a further page the first page is everything; otherwise a row may only have slid below its edge.
  const whole = page.next === null;
  const ghosts = new Map(state.ghosts);
  for (const id of fresh.keys()) ghosts.delete(id);
  const gone = state.rows.filter((row, index) => !fresh.has(row.id) && (index < state.head || whole) && !ghosts.has(row.id));
  for (const row of gone) ghosts.set(row.id, { until_ms: now_ms + GHOST_MS, now: null });
  if (held) {
    const rows = state.rows.map((row) => fresh.get(row.id) ?? row);
    const shown = new Set(rows.map((row) => row.id));
    const changes = page.rows.filter((row) => !shown.has(row.id)).length + moved(rows, page.rows);
    return { ...state, rows, ghosts, held: page.rows, changes, total: page.total, next: state.rows.length > state.head ? state.next : page.next };
  }
  const kept = whole ? [] : tail;
  const rows = weave([...page.rows, ...kept], state.rows, ghosts);
  const next = kept.length > 0 ? state.next : page.next;
  return { rows, ghosts, held: null, changes: 0, total: page.total, next, head: page.rows.length + ghosts.size };
}

/** Shows what was held back. */
export function release(state: Rows, now_ms: number): Rows {
  if (state.held === null) return expire(state, now_ms);
  const page: FirstPage = { rows: state.held, total: state.total, next: state.next };
  return expire(refresh({ ...state, held: null, changes: 0 }, page, false, now_ms), now_ms);
}

/** Rows whose time is over go; while the list is held nothing moves. */
export function expire(state: Rows, now_ms: number): Rows {
  const over = [...state.ghosts].filter(([, ghost]) => ghost.until_ms <= now_ms).map(([id]) => id);
  if (over.length === 0 || state.held !== null) return state;
  const ghosts = new Map(state.ghosts);
  for (const id of over) ghosts.delete(id);
  const rows = state.rows.filter((row) => !over.includes(row.id));
  const before = state.rows.slice(0, state.head).filter((row) => over.includes(row.id)).length;
  return { ...state, rows, ghosts, head: state.head - before };
}

/** What became of a row that left, as far as it may be known. */
export function explainGhost(state: Rows, id: number, now: ItemRow | null): Rows {
  const ghost = state.ghosts.get(id);
  if (!ghost) return state;
  return { ...state, ghosts: new Map(state.ghosts).set(id, { ...ghost, now }) };
}

/** One row changed, by the reader's own doing or in the part below the first page. */
export function patch(state: Rows, row: ItemRow): Rows {
  const index = state.rows.findIndex((known) => known.id === row.id);
  const known = state.rows[index];
  if (!known || known.version > row.version) return state;
  const rows = state.rows.slice();
  rows[index] = { ...row, snippet: row.snippet ?? known.snippet ?? null };
  return { ...state, rows };
}

/** Fresh rows in their order, with every ghost still behind the row it used to follow. */
function weave(order: ItemRow[], before: ItemRow[], ghosts: ReadonlyMap<number, Ghost>): ItemRow[] {
  if (ghosts.size === 0) return order;
  const rows = order.slice();
  before.forEach((row, index) => {
    if (!ghosts.has(row.id)) return;
    const neighbour = before[index - 1];
    const position = neighbour ? rows.findIndex((known) => known.id === neighbour.id) : -1;
    rows.splice(position + 1, 0, row);
  });
  return rows;
}

/** How many rows shown now have overtaken others in the fresh order. */
function moved(shown: ItemRow[], fresh: ItemRow[]): number {
  const position = new Map(shown.map((row, index) => [row.id, index]));
  const order = fresh.flatMap((row) => position.get(row.id) ?? []);
  let count = 0;
  let lowest = Infinity;
  for (let index = order.length - 1; index >= 0; index -= 1) {
    const at = order[index]!;
    if (at > lowest) count += 1;
    lowest = Math.min(lowest, at);
  }
  return count;
}
