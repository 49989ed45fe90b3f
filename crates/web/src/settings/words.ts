// Rules in plain words, for lists and for the line under the editor.
import { code, t, text } from '../core/i18n.svelte';
import { teamName, userName } from '../core/names';
import type { Case, ChannelKind, Condition, Distribution, Fallback, Member, Rule } from '../core/types';

/** The default distribution of a channel (ROUTING 6.6). */
export function defaultDistribution(kind: ChannelKind, workspace_kind: 'inbox' | 'help_desk'): Distribution {
  if (kind === 'calling') return 'longest_idle';
  if (workspace_kind === 'help_desk') return 'load_balanced';
  return kind === 'email' || kind === 'form' ? 'random' : 'least_busy';
}

export function memberName(member: Member): string {
  return 'user' in member ? userName(member.user) : teamName(member.team);
}

function members(list: Member[]): string {
  return list.length === 0 ? t('rule.nobody_yet') : list.map(memberName).join(', ');
}

function fallback(value: Fallback): string {
  if (value.kind === 'nobody') return t('fallback.nobody').toLocaleLowerCase();
  return value.kind === 'user' ? userName(value.user) : members(value.members);
}

export function fieldName(field: string): string {
  return field.startsWith('form.') ? `${t('fact.form')} “${field.slice(5)}”` : text(`fact.${field}`);
}

export function conditionText(condition: Condition): string {
  if ('all' in condition) return condition.all.map(nested).join(` ${t('rule.and')} `);
  if ('any' in condition) return condition.any.map(nested).join(` ${t('rule.or')} `);
  const not = 'not' in condition;
  const inner = not ? condition.not : condition;
  if ('is' in inner) return `${fieldName(inner.is.field)} ${t(not ? 'rule.is_not' : 'rule.is')} ${inner.is.values.join(', ')}`;
  if ('contains' in inner) return `${fieldName(inner.contains.field)} ${t(not ? 'rule.contains_not' : 'rule.contains')} ${inner.contains.values.join(', ')}`;
  return `${t('common.no')} (${conditionText(inner)})`;
}

function nested(condition: Condition): string {
  return 'all' in condition || 'any' in condition ? `(${conditionText(condition)})` : conditionText(condition);
}

function targetText(entry: Case, standard: Distribution): string {
  const chosen = code('distribution', entry.distribution ?? standard);
  const target = entry.target;
  switch (target.kind) {
    case 'nobody':
      return t('rule.reads_nobody');
    case 'team_only':
      return t('rule.reads_team', { team: target.team > 0 ? teamName(target.team) : t('rule.nobody_yet') });
    case 'users_and_teams':
      return t('rule.reads_people', { members: members(target.members), distribution: chosen });
    case 'contact_owner':
      return t('rule.reads_owner', { fallback: fallback(target.fallback) });
    case 'assistant':
      return text('target.assistant');
  }
}

/** One sentence per case. */
export function sentences(rule: Rule, channel: { kind: ChannelKind }, workspace_kind: 'inbox' | 'help_desk' = 'help_desk'): string[] {
  const standard = defaultDistribution(channel.kind, workspace_kind);
  return rule.cases.map((entry) => {
    const people = entry.target.kind === 'users_and_teams' || entry.target.kind === 'contact_owner';
    const end = people ? `; ${t('rule.reads_if_nobody', { what: code('when_nobody', entry.when_nobody) })}` : '';
    const target = targetText(entry, standard) + end;
    if (entry.when) return t('rule.reads_when', { condition: conditionText(entry.when), target });
    return t(rule.cases.length === 1 ? 'rule.reads_always' : 'rule.reads_else', { target });
  });
}
