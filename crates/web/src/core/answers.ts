// Why an item waits, what would change that, and why somebody does not have it, in the words of the catalogue.
import { code, i18n, t } from './i18n.svelte';
import { outcomeText, reasonText, userName } from './names';
import { duration, upcoming } from './time';
import type { CapacityUse, Change, ItemRow, LaneLack, Names, Remedy, SkipReason, WhyNot, WhyWaiting } from './types';

/** Whether a row stands in the queue for a person. */
export function isQueued(row: ItemRow): boolean {
  return row.status === 'open' && row.owner === null && row.queued_since !== null;
}

/** Since when it waits, why nobody has it, or who would get it. */
export function stateText(why: WhyWaiting, names: Names, now_ms: number): string {
  if (why.outcome.kind === 'queued' && why.since !== null) return t('waiting.since', { time: duration(now_ms - why.since, i18n.language) });
  if (why.outcome.kind === 'assigned' || why.outcome.kind === 'kept') return t('waiting.would_go', { user: userName(why.outcome.user, names.users) });
  return outcomeText(why.outcome, names);
}

/** Its place in the queue, and when waiting alone changes something. */
export function placeLines(why: WhyWaiting, now_ms: number): string[] {
  const lines: string[] = [];
  if (why.position !== null) lines.push(why.position <= 1 ? t('waiting.next') : t('waiting.ahead', { n: why.ahead }));
  if (why.changes_at !== null) lines.push(t('waiting.changes_at', { time: upcoming(why.changes_at, now_ms, i18n.language) }));
  return lines;
}

export function laneText(lane: LaneLack): string {
  return t('waiting.lane', { stage: code('stage', lane.target), n: lane.people, eligible: lane.eligible });
}

/** What of a remedy stands before the changes: who, and when it comes about by itself. */
export function remedyText(remedy: Remedy, names: Names, now_ms: number): string {
  const user = userName(remedy.user, names.users);
  if (remedy.changes.length === 0) return t('remedy.again', { user });
  const changes = remedy.changes.map(changeText).join(', ');
  if (remedy.at === null) return t('remedy.by_hand', { user, changes });
  return t('remedy.at', { user, time: upcoming(remedy.at, now_ms, i18n.language), changes });
}

export function changeText(change: Change): string {
  switch (change.kind) {
    case 'becomes_available':
      return code('change.becomes_available', change.cause);
    case 'sets_available':
      return code('change.sets_available', change.cause);
    case 'closes':
      if (change.work === null) return t('change.closes', { n: change.items });
      return t('change.closes_of', { n: change.items, work: code('work_type', change.work) });
    case 'learns':
      if (change.level === null) return t('change.learns', { skill: change.skill });
      return t('change.learns_level', { skill: change.skill, level: change.level });
    case 'widens':
      return t('change.widens', { step: change.step + 1 });
    case 'admin':
      return adminText(change.reason);
    default:
      return code('change', change.kind);
  }
}

function adminText(reason: SkipReason): string {
  const lifted = ['inactive', 'no_seat', 'no_access', 'not_main_member'];
  return lifted.includes(reason.code) ? code('change.admin', reason.code) : t('change.admin.lifts', { reason: reasonText(reason) });
}

/** Why a person does not have an item, one fact a line; no answer where no rule routes it. */
export function whyNotLines(id: number, answer: WhyNot | null, names: Names, now_ms: number): string[] {
  const user = userName(id, names.users);
  if (answer === null) return [t('why_not.no_rule')];
  switch (answer.answer) {
    case 'chosen':
      return [t('why_not.chosen', { user })];
    case 'preferred': {
      if (answer.chosen === null) return [t('why_not.team_only', { user })];
      const chosen = userName(answer.chosen.user, names.users);
      return [
        t('why_not.preferred', { user, chosen, reason: code('preference', answer.because) }),
        t('why_not.loads', { user, load: answer.candidate.load, chosen, chosen_load: answer.chosen.load }),
      ];
    }
    case 'skipped': {
      const verdict = answer.candidate.verdict;
      return [
        ...(verdict.kind === 'skipped' ? [t('explain.skipped', { user, reason: reasonText(verdict.reason) })] : []),
        ...(answer.until === null ? [] : [t('why_not.until', { time: upcoming(answer.until, now_ms, i18n.language) })]),
        ...(answer.capacity === null ? [] : capacityLines(answer.capacity)),
        ...(answer.lacking.length > 1 ? [t('why_not.lacking', { skills: answer.lacking.join(', ') })] : []),
      ];
    }
    case 'not_asked':
      if (answer.joins_at !== null) return [t('why_not.joins', { user, time: upcoming(answer.joins_at, now_ms, i18n.language) })];
      return [answer.listed ? t('why_not.listed', { user }) : t('why_not.not_listed', { user })];
  }
}

function capacityLines(used: CapacityUse): string[] {
  return [
    ...(used.limit === null ? [] : [t('capacity.open', { open: used.open, limit: used.limit })]),
    ...(used.limit_of_type === null ? [] : [t('capacity.of_type', { work: code('work_type', used.work), open: used.open_of_type, limit: used.limit_of_type })]),
    ...(used.weight_limit === null ? [] : [t('capacity.weight', { weight: used.weight, item: used.item_weight, limit: used.weight_limit })]),
    ...(used.found_full ? [t('capacity.found_full')] : []),
  ];
}
