// What the reader is told of: work that came to them, contacts of theirs that went elsewhere, and a colleague's
// change of their status.
import { toast } from '../core/announce.svelte';
import { load } from '../core/api';
import { t, text } from '../core/i18n.svelte';
import { actorName, title } from '../core/names';
import { changedByOther, choiceOf } from '../core/presence';
import { refreshMe, session, undoAvailability } from '../core/session.svelte';
import type { ItemRow, LiveEvent } from '../core/types';

/** Tells the reader of an event about them, unless it is about what they look at already. */
export async function notice(event: LiveEvent, shown: number | null, open: (id: number) => void): Promise<void> {
  if (event.kind === 'notice' && event.item === null) return tellStatus();
  if (event.item === null || event.item === shown || (event.kind !== 'notice' && event.kind !== 'item')) return;
  const row = await load<ItemRow>(`/items/${event.item}`).catch(() => null);
  if (!row) return;
  const to_me = row.owner?.kind === 'user' && row.owner.id === session.user?.id;
  if (event.kind === 'item' && !to_me) return;
  const words = event.kind === 'notice' && !to_me ? t('notice.contact_owner') : t('notice.assigned', { subject: title(row) });
  toast(words, { action: { label: t('notice.open'), run: () => open(row.id) } });
}

/** A notice without an item says that somebody else set the reader's status (ROUTING 4.3). */
async function tellStatus(): Promise<void> {
  await refreshMe();
  const person = session.person;
  const actor = person && changedByOther(person);
  if (!person || !actor) return; // Taken back meanwhile, here or in another window.
  const words = t('notice.status', { name: actorName(actor), status: text(`presence.${choiceOf(person).value}`) });
  toast(words, session.way_back ? { action: { label: t('presence.undo'), run: () => void undoStatus() } } : {});
}

/** Brings the reader's own status back and says which it is. */
export async function undoStatus(): Promise<void> {
  try {
    await undoAvailability();
    if (session.person) toast(`${t('presence.title')}: ${text(`presence.${choiceOf(session.person).value}`)}`);
  } catch {
    toast(t('presence.failed'), { tone: 'bad' });
  }
}
