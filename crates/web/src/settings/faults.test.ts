import { beforeAll, describe, expect, it } from 'vitest';
import en from '../../locales/en.json';
import { use } from '../core/i18n.svelte';
import type { Rule } from '../core/types';
import { toDraft, type CaseDraft } from './draft';
import { check, place, standing } from './faults';

beforeAll(() => use('en', en));

const rest = { only_available: true, when_nobody: 'unassigned', outside_hours: 'route' } as const;
const rule: Rule = {
  on: true,
  version: 1,
  cases: [
    { when: { all: [{ contains: { field: 'message.subject', values: ['a'] } }, { not: { is: { field: 'form.topic', values: ['b'] } } }] }, target: { kind: 'users_and_teams', members: [{ user: 1 }, { team: 2 }] }, ...rest },
    { target: { kind: 'contact_owner', require_cookie: false, fallback: { kind: 'user', user: 4 } }, ...rest },
  ],
};
const drafts = (): CaseDraft[] => toDraft(rule);
const AT = 'channels.support.rule.cases';

describe('faults that can be seen before sending', () => {
  it('are conditions without values, form fields without a name, and targets without people', () => {
    const cases = drafts();
    expect(check(cases)).toEqual([]);
    cases[0]!.when = { kind: 'lines', match: 'all', lines: [
      { field: 'message.subject', comparison: 'contains', values: ' , ' }, { field: 'form.', comparison: 'is', values: 'x' }, { field: 'form.', comparison: 'is', values: '' },
    ] };
    cases[1]!.target = { kind: 'users_and_teams', members: [] };
    expect(check(cases).map(({ key, part, line, text }) => [cases.findIndex((known) => known.key === key), part, line, text])).toEqual([
      [0, 'when', 1, en['rule.fault_form_field']], [0, 'when', 2, en['rule.fault_form_field']],
      [0, 'when', 0, en['rule.fault_values']], [0, 'when', 2, en['rule.fault_values']],
      [1, 'target', null, en['rule.fault_nobody']],
    ]);
  });
});

describe('faults from the server', () => {
  /** The server's words on the left, case, part, line and words of the desk on the right. */
  const known: [string, string, number, string, number | null, string][] = [
    [`${AT}[0].when.all[0].contains.values`, 'has 0 values, 1 to 1000 are allowed', 0, 'when', 0, 'Enter at least one value.'],
    [`${AT}[0].when.all[1].not.is.field`, 'unknown fact `form`; known are x', 0, 'when', 1, 'This fact does not exist.'],
    [`${AT}[0].target.members`, 'names nobody; name users or teams, or use `nobody`', 0, 'target', null, 'Name at least one person or team.'],
    [`${AT}[0].target.members[0]`, 'jan@x.test has no seat that the workspace accepts', 0, 'target', null, 'User 1 cannot be given this work: has no seat for this work.'],
    [`${AT}[0].target.members[1]`, 'billing has no main member', 0, 'target', null, 'Team 2 cannot be given this work: has no members.'],
    [`${AT}[0].target.members[1]`, 'billing has no main member who is active, with an accepted seat and with access', 0, 'target', null, 'Team 2 cannot be given this work: has no member who could take it.'],
    [`${AT}[1].target.fallback.user`, 'user 4 does not exist', 1, 'target', null, 'User 4 cannot be given this work: does not exist any more.'],
    [`${AT}[1].when_nobody`, '`wait` cannot be used yet; use `unassigned` or `keep`', 1, 'when_nobody', null, 'This choice is not available yet.'],
    [`${AT}[0].target.members`, '10001 users and teams, 10000 at most; name teams instead', 0, 'target', null, '10001 users and teams, 10000 at most; name teams instead'],
  ];
  for (const [key, message, at, part, line, text] of known) {
    it(`say “${text}” for ${key}: ${message}`, () => {
      const cases = drafts();
      const { marks, rest: others } = place([{ key, message }], cases);
      expect(others).toEqual([]);
      expect(marks).toEqual([expect.objectContaining({ key: cases[at]!.key, part, line, text })]);
    });
  }

  it('come once each, and without a place as plain lines without their keys', () => {
    const twice = { key: `${AT}[0].when.all[0].contains.values[0]`, message: 'an empty value is contained in everything; name a text' };
    const odd = { key: 'channels.support.rule.cases', message: '101 cases, 100 at most' };
    const { marks, rest: others } = place([twice, { ...twice, key: `${AT}[0].when.all[0].contains.values[1]` }, odd, odd, { key: `${AT}[9].target`, message: 'gone' }], drafts());
    expect(marks).toHaveLength(1);
    expect(others).toEqual(['101 cases, 100 at most', 'gone']);
  });

  it('stay until the part that they are about is edited, wherever the case is moved', () => {
    const cases = drafts();
    const { marks } = place([{ key: `${AT}[0].target.members[0]`, message: 'x has no seat that' }, { key: `${AT}[1].distribution`, message: 'cannot be used yet' }], cases);
    cases.reverse();
    expect(standing(marks, cases)).toHaveLength(2);
    cases[1]!.target = { kind: 'nobody' };
    expect(standing(marks, cases).map((mark) => mark.part)).toEqual(['distribution']);
    expect(standing(marks, [cases[1]!])).toEqual([]);
  });
});
