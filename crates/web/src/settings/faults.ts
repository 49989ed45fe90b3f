// What is wrong with a rule, in the reader's words, at the case and field it belongs to. What can be seen here is
// said before anything is sent; what only the server knows comes back with a key, which says the place.
import { t } from '../core/i18n.svelte';
import type { Member } from '../core/types';
import type { CaseDraft } from './draft';
import { memberName } from './words';

export type Part = 'when' | 'target' | 'distribution' | 'when_nobody' | 'outside_hours';

export interface Mark {
  /** The case, by the key of its draft: it may move while it is corrected. */
  key: number;
  part: Part;
  /** The line of a condition, where only one is meant. */
  line: number | null;
  text: string;
  /** What the server refused; a part that was edited since is no longer marked. */
  refused?: string;
}

export interface Fault {
  key: string;
  message: string;
}

/** What can be seen without asking: conditions without values, targets that name nobody. */
export function check(cases: readonly CaseDraft[]): Mark[] {
  return cases.flatMap((draft) => {
    const mark = (part: Part, line: number | null, text: string): Mark => ({ key: draft.key, part, line, text });
    const lines = draft.when.kind === 'lines' ? draft.when.lines : [];
    return [
      ...lines.flatMap((line, at) => (line.field === 'form.' ? [mark('when', at, t('rule.fault_form_field'))] : [])),
      ...lines.flatMap((line, at) => (/[^,\s]/.test(line.values) ? [] : [mark('when', at, t('rule.fault_values'))])),
      ...(listed(draft)?.length === 0 ? [mark('target', null, t('rule.fault_nobody'))] : []),
    ];
  });
}

/** The server's faults at their places, each once; what has no place in the editor is left as lines of text. */
export function place(faults: readonly Fault[], cases: readonly CaseDraft[]): { marks: Mark[]; rest: string[] } {
  const marks = new Map<string, Mark>();
  const rest = new Set<string>();
  for (const fault of faults) {
    const found = /\bcases\[(\d+)\]\.(when|target|distribution|when_nobody|outside_hours)\b(.*)$/.exec(fault.key);
    const draft = found && cases[Number(found[1])];
    if (!draft) {
      rest.add(fault.message);
      continue;
    }
    const part = found[2] as Part;
    const line = part === 'when' && draft.when.kind === 'lines' ? Number(/^\.(?:all|any)\[(\d+)\]/.exec(found[3]!)?.[1] ?? 0) : null;
    const text = words(part, found[3]!, fault.message, draft);
    marks.set(`${draft.key} ${part} ${line} ${text}`, { key: draft.key, part, line, text, refused: JSON.stringify(draft[part]) });
  }
  return { marks: [...marks.values()], rest: [...rest] };
}

/** The marks that still hold after edits. */
export function standing(marks: readonly Mark[], cases: readonly CaseDraft[]): Mark[] {
  return marks.filter((mark) => {
    const draft = cases.find((known) => known.key === mark.key);
    return draft !== undefined && (mark.refused === undefined || mark.refused === JSON.stringify(draft[mark.part]));
  });
}

/** The people and teams that the target lists; null when it lists none by its kind. */
export function listed(draft: CaseDraft): readonly Member[] | null {
  const target = draft.target;
  if (target.kind === 'users_and_teams') return target.members;
  const fallback = target.kind === 'contact_owner' ? target.fallback : target.kind === 'assistant' ? target.if_cannot_answer : null;
  return fallback?.kind === 'users_and_teams' ? fallback.members : null;
}

function words(part: Part, rest: string, message: string, draft: CaseDraft): string {
  if (/cannot be used yet|there is no assistant yet/.test(message)) return t('rule.fault_not_yet');
  if (part === 'when') {
    if (/^has 0 values|^an empty value/.test(message)) return t('rule.fault_values');
    return message.startsWith('unknown fact') ? t('rule.fault_fact') : message;
  }
  if (part !== 'target') return message;
  if (message.startsWith('names nobody')) return t('rule.fault_nobody');
  const reason = REASONS.find(([pattern]) => pattern.test(message));
  const name = named(rest, draft);
  return reason && name !== null ? t('rule.fault_member', { name, reason: t(reason[1]) }) : message;
}

/** Why somebody cannot be named, by the end of the server's sentence. */
const REASONS = [
  [/does not exist$/, 'settings.gone'],
  [/has no seat that/, 'reason.no_seat'],
  [/may not open the workspace/, 'reason.no_access'],
  [/is deactivated or has not/, 'reason.inactive'],
  [/has no main member$/, 'rule.fault_team_empty'],
  [/has no (main member who|active member with)/, 'rule.fault_team_unusable'],
] as const;

/** The name of whom a key such as `.target.fallback.members[2]` points at. */
function named(rest: string, draft: CaseDraft): string | null {
  const index = /\.members\[(\d+)\]$/.exec(rest)?.[1];
  const member = index === undefined ? undefined : listed(draft)?.[Number(index)];
  if (member) return memberName(member);
  const target = draft.target;
  if (rest === '.team' && target.kind === 'team_only') return memberName({ team: target.team });
  const fallback = target.kind === 'contact_owner' ? target.fallback : target.kind === 'assistant' ? target.if_cannot_answer : null;
  return rest.endsWith('.user') && fallback?.kind === 'user' ? memberName({ user: fallback.user }) : null;
}
