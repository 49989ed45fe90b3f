import { describe, expect, it } from 'vitest';
import { changedByOther, ownChoice, wayBack, type Choice } from './presence';
import type { Actor, PersonView, StatusValue } from './types';

const ME = 1;
const status = (value: StatusValue, reason: string | null = null) => ({ value, reason, set_at: 0, origin: 'by_hand' as const });
const by = (id: number): Actor => ({ kind: 'user', id });
function person(value: StatusValue, changed_by: Actor | null, previous: StatusValue | null = null, reason: string | null = null): PersonView {
  return {
    user: ME, status: status(value, reason), availability_version: 1, open: 0, open_per_type: {}, available: value === 'available', cause: null, until: null,
    limit: null, limits: {}, changed_by, previous: previous && status(previous),
  };
}

/** What a browser that saw these one after the other would bring back at the end. */
function undo(...seen: PersonView[]): Choice | null {
  let own: Choice | null = null;
  for (const view of seen) own = ownChoice(own, view);
  return wayBack(own, seen.at(-1)!);
}

describe('r4_3 undoing what a colleague set', () => {
  it('brings back the own status with its reason', () => {
    expect(undo(person('away', by(ME), 'available', 'lunch'), person('available', by(2), 'away'))).toEqual({ value: 'away', reason: 'lunch' });
  });

  it('goes behind all changes of a colleague, not only the last one', () => {
    expect(undo(person('available', by(ME)), person('finishing', by(2), 'available'), person('away', by(3), 'finishing'))).toEqual({ value: 'available', reason: null });
  });

  it('uses the status before the last change where the own one was never seen', () => {
    expect(undo(person('away', by(2), 'finishing'))).toEqual({ value: 'finishing', reason: null });
    expect(undo(person('away', by(2)))).toEqual({ value: 'available', reason: null });
  });

  it('is not offered when nothing would change, or when nobody else changed anything', () => {
    expect(undo(person('away', by(ME)), person('available', by(2)), person('away', by(2), 'available'))).toBeNull();
    expect(undo(person('available', by(2)), person('away', by(ME), 'available'))).toBeNull();
    expect(undo(person('away', null), person('away', { kind: 'system' }))).toBeNull();
  });

  it('counts a program as somebody else', () => {
    const program: Actor = { kind: 'api', token: 4 };
    expect(changedByOther(person('away', program))).toEqual(program);
    expect(undo(person('available', by(ME)), person('away', program, 'available'))).toEqual({ value: 'available', reason: null });
  });
});
