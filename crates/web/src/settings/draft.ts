// A rule while it is edited: conditions as flat lines where they are flat, kept untouched where they are not.
import type { Case, Condition, Distribution, Fallback, Rule, Target } from '../core/types';

export interface Line {
  field: string;
  comparison: 'is' | 'is_not' | 'contains' | 'contains_not';
  values: string;
}

export type When = { kind: 'always' } | { kind: 'lines'; match: 'all' | 'any'; lines: Line[] } | { kind: 'nested'; condition: Condition };

export interface CaseDraft {
  key: number;
  when: When;
  target: Target;
  distribution: Distribution | null;
  only_available: boolean;
  when_nobody: Case['when_nobody'];
  outside_hours: Case['outside_hours'];
}

let next_key = 0;

export function newCase(last: boolean): CaseDraft {
  return {
    key: (next_key += 1),
    when: last ? { kind: 'always' } : { kind: 'lines', match: 'all', lines: [{ field: 'message.subject', comparison: 'contains', values: '' }] },
    target: { kind: 'users_and_teams', members: [] },
    distribution: null,
    only_available: true,
    when_nobody: 'unassigned',
    outside_hours: 'route',
  };
}

export function toDraft(rule: Rule): CaseDraft[] {
  return rule.cases.map((entry) => ({
    key: (next_key += 1),
    when: toWhen(entry.when ?? null),
    target: structuredClone(entry.target),
    distribution: entry.distribution ?? null,
    only_available: entry.only_available,
    when_nobody: entry.when_nobody,
    outside_hours: entry.outside_hours,
  }));
}

function toWhen(condition: Condition | null): When {
  if (condition === null) return { kind: 'always' };
  const match = 'any' in condition ? 'any' : 'all';
  const parts = 'any' in condition ? condition.any : 'all' in condition ? condition.all : [condition];
  const lines = parts.map(toLine);
  return lines.every((line) => line !== null) ? { kind: 'lines', match, lines } : { kind: 'nested', condition };
}

function toLine(condition: Condition): Line | null {
  const not = 'not' in condition;
  const inner = not ? condition.not : condition;
  const values = 'is' in inner ? inner.is.values : 'contains' in inner ? inner.contains.values : [];
  // A line of text between commas cannot say these; the condition is kept as it is.
  if (values.some((value) => value.includes(',') || value.trim() !== value || value === '')) return null;
  if ('is' in inner) return { field: inner.is.field, comparison: not ? 'is_not' : 'is', values: inner.is.values.join(', ') };
  if ('contains' in inner) return { field: inner.contains.field, comparison: not ? 'contains_not' : 'contains', values: inner.contains.values.join(', ') };
  return null;
}

function fromLine(line: Line): Condition {
  const values = line.values.split(',').map((value) => value.trim()).filter((value) => value !== '');
  const comparison = { field: line.field, values };
  const inner: Condition = line.comparison.startsWith('is') ? { is: comparison } : { contains: comparison };
  return line.comparison.endsWith('_not') ? { not: inner } : inner;
}

export function fromWhen(when: When): Condition | null {
  if (when.kind === 'always') return null;
  if (when.kind === 'nested') return when.condition;
  const parts = when.lines.map(fromLine);
  return when.match === 'all' ? { all: parts } : { any: parts };
}

/** The rule as the API takes it; the server sets the version. */
export function fromDraft(on: boolean, version: number, cases: CaseDraft[]): Rule {
  return {
    on,
    version,
    cases: cases.map((draft) => {
      const when = fromWhen(draft.when);
      return {
        ...(when === null ? {} : { when }),
        target: draft.target,
        ...(draft.distribution === null ? {} : { distribution: draft.distribution }),
        only_available: draft.only_available,
        when_nobody: draft.when_nobody,
        outside_hours: draft.outside_hours,
      };
    }),
  };
}

/** A target of another kind that keeps what both have. */
export function changeTarget(from: Target, kind: Target['kind'], first_team: number): Target {
  if (from.kind === kind) return from;
  const members = from.kind === 'users_and_teams' ? from.members : from.kind === 'contact_owner' && from.fallback.kind === 'users_and_teams' ? from.fallback.members : [];
  switch (kind) {
    case 'nobody':
      return { kind };
    case 'users_and_teams':
      return { kind, members };
    case 'team_only':
      return { kind, team: first_team };
    case 'contact_owner':
      return { kind, require_cookie: false, fallback: members.length > 0 ? { kind: 'users_and_teams', members } : { kind: 'nobody' } };
    case 'assistant':
      return { kind, if_cannot_answer: members.length > 0 ? { kind: 'users_and_teams', members } : { kind: 'nobody' } };
  }
}

export function changeFallback(from: Fallback, kind: Fallback['kind'], first_user: number): Fallback {
  if (from.kind === kind) return from;
  if (kind === 'nobody') return { kind };
  return kind === 'user' ? { kind, user: first_user } : { kind, members: from.kind === 'user' ? [{ user: from.user }] : [] };
}
