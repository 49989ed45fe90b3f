// Who vouches for the sender of a mail, and what a calendar file in it asks for, in words.
import { t } from '../core/i18n.svelte';
import type { MessageView } from '../core/types';

export type Verdict = 'pass' | 'fail' | 'unknown';

/** What the checks come to; null where nobody who is trusted has checked. */
export function verdict(message: MessageView): Verdict | null {
  const found = message.details?.authentication;
  if (!found || message.kind !== 'inbound') return null;
  return found.dmarc === 'pass' ? 'pass' : found.dmarc === 'fail' ? 'fail' : 'unknown';
}

/** Each check with its result, and who made it. */
export function checks(message: MessageView): string {
  const found = message.details?.authentication;
  if (!found) return '';
  const made = (['spf', 'dkim', 'dmarc', 'arc'] as const).map((name) => `${name.toUpperCase()} ${t(`vouched.result_${found[name]}`)}`);
  return `${made.join(', ')} · ${t('vouched.by', { name: found.by ?? 'Switchboard' })}`;
}

/** When an event is, as it was written: the reader sees the zone rather than a guess at it. */
export function moment(event: { starts?: string | null; ends?: string | null; zone?: string | null }): string {
  const [day, time] = (event.starts ?? '').split('T');
  const [last_day, end] = (event.ends ?? '').split('T');
  const until = time && end ? `–${last_day === day ? '' : `${last_day} `}${end}` : '';
  return `${day}${time ? ` ${time}` : ''}${until}${event.zone ? ` (${event.zone})` : ''}`;
}
