// Names for the ids and codes that the API sends.
import { code, t } from './i18n.svelte';
import { session } from './session.svelte';
import type { Actor, ItemRow, Outcome, Owner, SkipReason } from './types';

export function userName(id: number, names: Record<string, string> = {}): string {
  return session.users.get(id)?.name ?? names[id] ?? t('actor.unknown_user', { id });
}

export function teamName(id: number, names: Record<string, string> = {}): string {
  return session.teams.find((team) => team.id === id)?.name ?? names[id] ?? t('actor.unknown_team', { id });
}

export function workspaceName(id: number): string {
  return session.workspaces.find((workspace) => workspace.id === id)?.name ?? `#${id}`;
}

export function channelName(id: number): string {
  return session.channels.find((channel) => channel.id === id)?.name ?? `#${id}`;
}

export function ownerName(owner: Owner | null): string {
  if (owner === null) return t('list.owner_none');
  if (owner.kind !== 'user') return t(owner.kind === 'bot' ? 'actor.bot' : 'actor.assistant');
  return userName(owner.id);
}

export function isMine(row: ItemRow): boolean {
  return row.owner?.kind === 'user' && row.owner.id === session.user?.id;
}

export function actorName(actor: Actor): string {
  switch (actor.kind) {
    case 'user':
      return actor.id === session.user?.id ? t('actor.you') : userName(actor.id);
    case 'rule':
      return t('actor.rule', { channel: channelName(actor.channel) });
    case 'contact':
      return t('actor.contact');
    case 'api':
      return t('actor.api');
    default:
      return code('actor', actor.kind);
  }
}

export function reasonText(reason: SkipReason): string {
  if (reason.code === 'unavailable') return code('reason.unavailable', reason.cause);
  if (reason.code === 'lacks_skill') return t('reason.lacks_skill', { skill: reason.skill });
  return code('reason', reason.code);
}

export function outcomeText(outcome: Outcome, names?: { users: Record<string, string>; teams: Record<string, string> }): string {
  switch (outcome.kind) {
    case 'assigned': {
      const user = userName(outcome.user, names?.users);
      if (outcome.team === null) return t('outcome.assigned', { user });
      return t('outcome.assigned_team', { user, team: teamName(outcome.team, names?.teams) });
    }
    case 'team_set':
      return t('outcome.team_set', { team: teamName(outcome.team, names?.teams) });
    case 'kept':
      return t('outcome.kept', { user: userName(outcome.user, names?.users) });
    case 'queued':
      return t('outcome.queued');
    case 'unassigned':
      return t('outcome.unassigned', { reason: code('unassigned', outcome.reason) });
  }
}

/** First letters of a name without its particles: `Jan van der Berg` is JB. */
export function initials(name: string): string {
  const particles = new Set(['van', 'de', 'der', 'den', 'von', 'af', 'av', 'ten', 'ter', "'t", 'la', 'le']);
  const words = name.split(/[\s._@-]+/).filter((word) => /^\p{L}/u.test(word));
  const telling = words.filter((word, index) => index === 0 || !particles.has(word.toLowerCase()));
  const first = telling[0]?.[0] ?? name.trim()[0] ?? '?';
  const last = telling.length > 1 && !name.includes('@') ? (telling[telling.length - 1]?.[0] ?? '') : '';
  return (first + last).toUpperCase();
}

/** The subject, or the contact's name where there is none. */
export function title(row: ItemRow): string {
  return row.subject || row.contact?.name || t('list.no_subject');
}

/** Whether the contact waits for an answer that the reader should write. */
export function channelKind(row: ItemRow): string | null {
  return session.channels.find((channel) => channel.id === row.channel)?.kind ?? null;
}
