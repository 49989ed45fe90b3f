import { describe, expect, it } from 'vitest';
import { append, expire, explainGhost, first, GHOST_MS, patch, refresh, release } from './rows';
import type { ItemRow } from './types';

const row = (id: number, version = 1): ItemRow => ({
  id, version, kind: 'ticket', workspace: 1, channel: 1, conversation: id, ticket: id, contact: null, subject: `s${id}`, preview: '', status: 'open',
  priority: 'normal', ticket_type: 'email_other', owner: null, team: null, owned_since: null, unassigned_reason: null, waiting_since: null, last_message_at: id, created_at: 0,
  queued_since: null, due_at: null, merged_into: null,
});
const page = (...ids: number[]) => ({ rows: ids.map((id) => row(id)), total: ids.length, next: null as string | null });
const ids = (state: { rows: ItemRow[] }): number[] => state.rows.map((known) => known.id);

describe('a list that nobody points at', () => {
  it('takes the order of the server at once', () => {
    const state = refresh(first(page(3, 2, 1)), page(4, 1, 3, 2), false, 0);
    expect(ids(state)).toEqual([4, 1, 3, 2]);
    expect(state.changes).toBe(0);
    expect(state.total).toBe(4);
  });

  it('keeps a row that left as a ghost where it stood, for three seconds', () => {
    const state = refresh(first(page(3, 2, 1)), page(3, 1), false, 1000);
    expect(ids(state)).toEqual([3, 2, 1]);
    expect(state.ghosts.has(2)).toBe(true);
    expect(ids(expire(state, 1000 + GHOST_MS - 1))).toEqual([3, 2, 1]);
    const over = expire(state, 1000 + GHOST_MS);
    expect(ids(over)).toEqual([3, 1]);
    expect(over.ghosts.size).toBe(0);
  });

  it('keeps several ghosts in their places', () => {
    expect(ids(refresh(first(page(5, 4, 3, 2, 1)), page(6, 5, 2), false, 0))).toEqual([6, 5, 4, 3, 2, 1]);
  });

  it('tells what became of a ghost, and lets it live again when it returns', () => {
    const gone = refresh(first(page(2, 1)), page(2), false, 0);
    const told = explainGhost(gone, 1, { ...row(1, 2), owner: { kind: 'user', id: 7 } });
    expect(told.ghosts.get(1)?.now?.owner).toEqual({ kind: 'user', id: 7 });
    const back = refresh(told, page(1, 2), false, 100);
    expect(ids(back)).toEqual([1, 2]);
    expect(back.ghosts.size).toBe(0);
  });

  it('keeps the pages below the first one', () => {
    const long = append({ ...first({ ...page(9, 8), next: 'a' }), total: 4 }, page(7, 6));
    expect(ids(long)).toEqual([9, 8, 7, 6]);
    const state = refresh(long, { rows: [row(10), row(9)], total: 5, next: 'b' }, false, 0);
    expect(ids(expire(state, GHOST_MS))).toEqual([10, 9, 7, 6]);
  });

  it('does not repeat a row that a later page brings again', () => {
    expect(ids(append(first({ ...page(3, 2), next: 'a' }), page(2, 1)))).toEqual([3, 2, 1]);
  });
});

describe('a list that is held', () => {
  it('moves nothing, shows fresh content, and counts what waits', () => {
    const fresh = { rows: [row(5), { ...row(1, 2), preview: 'new words' }, row(3), row(2)], total: 4, next: null };
    const state = refresh(first(page(3, 2, 1)), fresh, true, 0);
    expect(ids(state)).toEqual([3, 2, 1]);
    expect(state.rows[2]?.preview).toBe('new words');
    expect(state.changes).toBe(2);
  });

  it('counts nothing when only content changed', () => {
    expect(refresh(first(page(3, 2, 1)), page(3, 2, 1), true, 0).changes).toBe(0);
  });

  it('keeps ghosts until it is released, then shows the order of the server', () => {
    const state = refresh(first(page(3, 2, 1)), page(4, 3, 1), true, 0);
    expect(ids(expire(state, 60_000))).toEqual([3, 2, 1]);
    const free = release(state, 60_000);
    expect(ids(free)).toEqual([4, 3, 1]);
    expect(free.held).toBeNull();
    expect(free.changes).toBe(0);
  });
});

describe('a patch', () => {
  it('replaces a row in its place, never by an older version', () => {
    const state = first({ rows: [row(2, 5), row(1)], total: 2, next: null });
    expect(patch(state, { ...row(2, 6), subject: 'newer' }).rows[0]?.subject).toBe('newer');
    expect(patch(state, { ...row(2, 4), subject: 'older' })).toBe(state);
    expect(patch(state, row(99))).toBe(state);
  });
});
