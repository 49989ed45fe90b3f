import { describe, expect, it } from 'vitest';
import type { Rule } from '../core/types';
import { changeFallback, changeTarget, fromDraft, toDraft } from './draft';

const rule: Rule = {
  on: true,
  version: 3,
  cases: [
    { when: { any: [{ is: { field: 'channel.kind', values: ['email', 'form'] } }, { not: { contains: { field: 'message.subject', values: ['spam'] } } }] }, target: { kind: 'users_and_teams', members: [{ team: 1 }, { user: 2 }] }, distribution: 'round_robin', only_available: true, when_nobody: 'unassigned', outside_hours: 'route' },
    { when: { all: [{ any: [{ is: { field: 'form.topic', values: ['x'] } }] }, { not: { all: [] } }] }, target: { kind: 'nobody' }, only_available: true, when_nobody: 'unassigned', outside_hours: 'route' },
    { target: { kind: 'contact_owner', require_cookie: false, fallback: { kind: 'user', user: 4 } }, only_available: false, when_nobody: 'keep', outside_hours: 'unassigned' },
  ],
};

describe('a rule in the editor', () => {
  it('comes out as it went in, nested conditions included', () => {
    expect(fromDraft(true, 3, toDraft(rule))).toEqual(rule);
  });

  it('shows flat conditions as lines and keeps nested ones whole', () => {
    const kinds = toDraft(rule).map((draft) => draft.when.kind);
    expect(kinds).toEqual(['lines', 'nested', 'always']);
  });

  it('keeps values whole that a line between commas cannot say', () => {
    for (const values of [['Oslo, Norge'], [''], [' urgent ']]) {
      const odd: Rule = { ...rule, cases: [{ ...rule.cases[0]!, when: { all: [{ is: { field: 'form.city', values } }] } }] };
      expect(fromDraft(true, 3, toDraft(odd))).toEqual(odd);
    }
  });

  it('turns typed values into a list without empty ones', () => {
    const cases = toDraft({ ...rule, cases: [rule.cases[0]!] });
    const when = cases[0]!.when;
    if (when.kind !== 'lines') throw new Error('flat conditions are lines');
    when.lines = [{ field: 'message.subject', comparison: 'contains_not', values: ' faktura , , invoice ' }];
    when.match = 'all';
    expect(fromDraft(true, 0, cases).cases[0]!.when).toEqual({ all: [{ not: { contains: { field: 'message.subject', values: ['faktura', 'invoice'] } } }] });
  });
});

describe('another target', () => {
  it('keeps the people that both have', () => {
    const people = { kind: 'users_and_teams', members: [{ user: 1 }] } as const;
    const owner = changeTarget({ ...people, members: [...people.members] }, 'contact_owner', 9);
    expect(owner).toEqual({ kind: 'contact_owner', require_cookie: false, fallback: { kind: 'users_and_teams', members: [{ user: 1 }] } });
    expect(changeTarget(owner, 'users_and_teams', 9)).toEqual(people);
    expect(changeTarget(owner, 'team_only', 9)).toEqual({ kind: 'team_only', team: 9 });
  });

  it('of a fallback begins with somebody who exists', () => {
    expect(changeFallback({ kind: 'nobody' }, 'user', 5)).toEqual({ kind: 'user', user: 5 });
    expect(changeFallback({ kind: 'user', user: 5 }, 'users_and_teams', 1)).toEqual({ kind: 'users_and_teams', members: [{ user: 5 }] });
  });
});
