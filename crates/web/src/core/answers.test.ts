import { beforeEach, describe, expect, it } from 'vitest';
import en from '../../locales/en.json';
import { changeText, isQueued, laneText, placeLines, remedyText, stateText, whyNotLines } from './answers';
import { due } from './due';
import { ordinal, use } from './i18n.svelte';
import type { Candidate, Change, ItemRow, SkipReason, UnavailableCause, Verdict, WhyNot, WhyWaiting } from './types';

const now = new Date('2026-11-21T14:00:00').getTime();
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const names = { users: { '7': 'Liv', '8': 'Bo' }, teams: {}, channel: null, chatflow: null, case: null };
const why: WhyWaiting = { item: 1, outcome: { kind: 'queued' }, since: now - 14 * MINUTE, position: 3, ahead: 2, changes_at: null, lanes: [] };
const candidate = (user: number, load: number, verdict: Verdict): Candidate => ({ user, team: null, load, open: load, limit: null, last_assigned: null, rank: null, verdict });
const row = (more: Partial<ItemRow>): ItemRow => ({ status: 'open', owner: null, queued_since: null, due_at: null, ...more }) as ItemRow;

beforeEach(() => use('en', en));

describe('what waits', () => {
  it('says since when, its place, and what waiting alone may change', () => {
    expect(stateText(why, names, now)).toBe('Has waited for a person for 14 m');
    expect(placeLines(why, now)).toEqual(['2 items wait in front of it for the same people']);
    expect(placeLines({ ...why, position: 1, ahead: 0, changes_at: now + HOUR }, now)).toEqual([
      'It is next in line for these people',
      'May reach others by waiting alone: 15:00',
    ]);
    expect(placeLines({ ...why, position: null }, now)).toEqual([]);
  });

  it('says why nobody has it, or who would', () => {
    expect(stateText({ ...why, since: null, outcome: { kind: 'unassigned', reason: 'no_rule' } }, names, now)).toBe('Unassigned: the channel has no rule');
    expect(stateText({ ...why, since: null, outcome: { kind: 'assigned', user: 7, team: null } }, names, now)).toBe('A new decision would give it to Liv');
  });

  it('counts who lacks what', () => {
    expect(laneText({ target: 'users_and_teams', people: 3, eligible: 0, lacks: [] })).toBe('People and teams of the rule: 3 people, 0 could take it');
  });

  it('is in the queue only while it is open and nobody has it', () => {
    expect(isQueued(row({ queued_since: now }))).toBe(true);
    expect(isQueued(row({}))).toBe(false);
    expect(isQueued(row({ queued_since: now, owner: { kind: 'user', id: 7 } }))).toBe(false);
    expect(isQueued(row({ queued_since: now, status: 'closed' }))).toBe(false);
  });
});

describe('what would change it', () => {
  const admin = (code: 'inactive' | 'no_seat' | 'no_access' | 'not_main_member' | 'excluded'): Change => ({ kind: 'admin', reason: { code } });
  it.each<[Change, string]>([
    [{ kind: 'becomes_available', cause: 'outside_hours' }, 'the shift starts'],
    [{ kind: 'sets_available', cause: 'away' }, 'sets the status to available'],
    [{ kind: 'closes', items: 1, work: null }, 'closes or hands over 1 item'],
    [{ kind: 'closes', items: 2, work: 'mail' }, 'closes or hands over 2 items (mail)'],
    [{ kind: 'ages' }, 'older items stop using capacity'],
    [{ kind: 'learns', skill: 'nb', level: null }, 'gets the skill nb'],
    [{ kind: 'learns', skill: 'Lamps', level: 3 }, 'gets the skill Lamps at level 3'],
    [{ kind: 'relaxes' }, 'a required skill becomes a preferred one'],
    [{ kind: 'widens', step: 0 }, 'step 1 of the wider circle is asked too'],
    [{ kind: 'channel_opens' }, 'the channel opens'],
    [{ kind: 'rule_on' }, 'the rule of the channel is switched on'],
    [admin('inactive'), 'an admin activates the account'],
    [admin('no_seat'), 'an admin gives a seat for this work'],
    [admin('no_access'), 'an admin gives access to the workspace'],
    [admin('not_main_member'), 'an admin makes the person a main member of the team'],
    [admin('excluded'), 'an admin lifts this: left out of this decision'],
  ])('%j', (change, words) => expect(changeText(change)).toBe(words));

  it('names the person, and the time where it comes by itself', () => {
    const changes: Change[] = [{ kind: 'becomes_available', cause: 'outside_hours' }, { kind: 'closes', items: 1, work: null }];
    expect(remedyText({ user: 7, at: now + HOUR, changes }, names, now)).toBe('Liv, 15:00: the shift starts, closes or hands over 1 item');
    expect(remedyText({ user: 7, at: null, changes: [{ kind: 'ages' }] }, names, now)).toBe('Liv: older items stop using capacity');
    expect(remedyText({ user: 7, at: null, changes: [] }, names, now)).toBe('Liv: routing it again is enough');
  });
});

describe('why not somebody', () => {
  const skipped = (reason: SkipReason, more: Partial<Extract<WhyNot, { answer: 'skipped' }>> = {}): WhyNot => ({
    answer: 'skipped', candidate: candidate(7, 4, { kind: 'skipped', reason }), until: null, capacity: null, lacking: [], ...more,
  });
  const full = { open: 5, limit: 5, work: 'chat' as const, open_of_type: 2, limit_of_type: 3, weight: 80, item_weight: 25, weight_limit: 100, found_full: true };
  it.each<[WhyNot | null, string[]]>([
    [null, ['No rule decides about this item']],
    [{ answer: 'chosen' }, ['Liv is whom the rule chooses']],
    [
      { answer: 'preferred', candidate: candidate(7, 4, { kind: 'eligible' }), chosen: candidate(8, 1, { kind: 'chosen' }), because: 'load' },
      ['Liv could have it, but Bo comes first: has less load', 'Load: Liv 4, Bo 1'],
    ],
    [{ answer: 'preferred', candidate: candidate(7, 4, { kind: 'eligible' }), chosen: null, because: 'team_only' }, ['Liv could have it, but the rule sets only the team']],
    [skipped({ code: 'unavailable', cause: 'away' }, { until: now + HOUR }), ['Liv: skipped, away', 'That ends by itself: 15:00']],
    [
      skipped({ code: 'at_capacity' }, { capacity: full }),
      ['Liv: skipped, full', 'Open items: 5 of 5', 'Open items (chat): 2 of 3', 'Weight: 80 of 100, and this item weighs 25', 'The database found the person full on this item'],
    ],
    [skipped({ code: 'lacks_skill', skill: 'nb' }, { lacking: ['nb', 'Lamps'] }), ['Liv: skipped, lacks the skill nb', 'Lacking: nb, Lamps']],
    [{ answer: 'not_asked', listed: false, joins_at: null }, ['The rule does not ask Liv']],
    [{ answer: 'not_asked', listed: false, joins_at: now + HOUR }, ['Liv belongs to the wider circle, which is asked later: 15:00']],
  ])('%j', (answer, lines) => expect(whyNotLines(7, answer, names, now)).toEqual(lines));
});

describe('the catalogue', () => {
  const preferences: Record<Extract<WhyNot, { answer: 'preferred' }>['because'], true> = {
    asked_first: true, skills: true, load: true, turn: true, idle: true, last_assigned: true, lowest_id: true, draw: true, team_only: true,
  };
  const causes: Record<UnavailableCause, true> = { away: true, out_of_office: true, outside_hours: true };
  it('has words for every preference and every way of becoming available', () => {
    const keys = [...Object.keys(preferences).map((name) => `preference.${name}`), ...Object.keys(causes).flatMap((cause) => [`change.becomes_available.${cause}`, `change.sets_available.${cause}`])];
    expect(keys.filter((key) => !(key in en))).toEqual([]);
  });
});

describe('the target', () => {
  it('is overdue, due soon or due later, and runs only while the item is open', () => {
    expect(due(row({ due_at: now - 12 * MINUTE }), now)).toEqual({ state: 'overdue', text: 'Overdue by 12 m' });
    expect(due(row({ due_at: now + HOUR }), now)).toEqual({ state: 'soon', text: 'Due in 1 h' });
    expect(due(row({ due_at: now + 2 * HOUR }), now)).toEqual({ state: 'later', text: 'Due 16:00' });
    expect(due(row({ due_at: now, status: 'closed' }), now)).toBeNull();
    expect(due(row({}), now)).toBeNull();
  });
});

describe('places', () => {
  it('are said as the language says them', () => {
    expect([1, 2, 3, 4, 11, 21, 112].map(ordinal)).toEqual(['1st', '2nd', '3rd', '4th', '11th', '21st', '112th']);
  });
});
