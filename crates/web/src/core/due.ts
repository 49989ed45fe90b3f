// How near the target is at which somebody must have answered or ended an item.
import { i18n, t } from './i18n.svelte';
import { duration, upcoming } from './time';
import type { ItemRow } from './types';

/** From this long before it a target is due soon. */
export const DUE_SOON_MS = 60 * 60_000;

export interface Due {
  state: 'overdue' | 'soon' | 'later';
  text: string;
}

/** The target of an open item; null where none runs. */
export function due(row: ItemRow, now_ms: number): Due | null {
  if (row.due_at === null || row.status !== 'open') return null;
  const left_ms = row.due_at - now_ms;
  if (left_ms <= 0) return { state: 'overdue', text: t('due.overdue', { time: duration(-left_ms, i18n.language) }) };
  if (left_ms <= DUE_SOON_MS) return { state: 'soon', text: t('due.soon', { time: duration(left_ms, i18n.language) }) };
  return { state: 'later', text: t('due.at', { time: upcoming(row.due_at, now_ms, i18n.language) }) };
}
