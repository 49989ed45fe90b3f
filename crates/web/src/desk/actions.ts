// What people do with an item, with what is said about it: success with a way back, conflicts with the present
// owner, refusals with their reason.
import { dismiss, toast } from '../core/announce.svelte';
import { ApiError } from '../core/api';
import { t, text } from '../core/i18n.svelte';
import { ownerName, workspaceName } from '../core/names';
import { refreshCountsSoon, session } from '../core/session.svelte';
import type { ItemRow, ItemStatus, ItemView, Owner, Priority } from '../core/types';
import type { OpenItem } from './item.svelte';

/** The way back of the last action, for the key and the toast. */
let back: (() => void) | null = null;

export function undoLast(): void {
  const run = back;
  back = null;
  run?.();
}

function done(words: string, undo: (() => void) | null): void {
  back = undo;
  toast(words, undo ? { action: { label: t('item.undo'), run: undoLast } } : {});
  refreshCountsSoon();
}

/** Says that a reply goes out soon, with the way back until then, for the toast and the key. */
export function sentSoon(words: string, until_ms: number, takeBack: () => void): void {
  const undo = (): void => {
    if (back === undo) back = null;
    dismiss(id);
    if (Date.now() < until_ms) takeBack();
  };
  back = undo;
  const id = toast(words, { action: { label: t('item.undo'), run: undo }, until_ms });
}

/** Puts a failure into words; a conflict names whoever has the item now. */
export function explain(error: unknown): string {
  if (!(error instanceof ApiError)) return t('error.title');
  const current: ItemRow | undefined = error.problem.current;
  if (error.status === 409 && current) {
    return current.owner ? t('item.conflict', { owner: ownerName(current.owner) }) : t('item.conflict_none');
  }
  if (error.unreachable) return t('error.offline');
  if (error.status === 403) return t('error.forbidden');
  const listed = error.problem.errors?.map((fault) => fault.message).join('; ');
  return listed || error.problem.detail || t('error.title');
}

async function attempt(run: () => Promise<ItemRow | null>): Promise<ItemRow | null> {
  try {
    return await run();
  } catch (error) {
    toast(explain(error), { tone: 'bad' });
    return null;
  }
}

export async function assign(item: OpenItem, owner: Owner | null, team?: number | null): Promise<void> {
  const before = item.view;
  const row = await attempt(() => item.setOwner(owner, team));
  if (!row || !before) return;
  const mine = row.owner?.kind === 'user' && row.owner.id === session.user?.id;
  const name = team !== undefined && team !== null && !owner ? session.teams.find((known) => known.id === team)?.name : ownerName(row.owner);
  const words = mine ? t('item.done_taken') : t('item.done_assigned', { name: name ?? '' });
  done(words, () => void attempt(() => item.setOwner(before.owner, before.team)));
}

export async function take(item: OpenItem): Promise<void> {
  if (!session.user) return;
  await assign(item, { kind: 'user', id: session.user.id });
}

const DONE = { closed: 'item.done_closed', open: 'item.done_reopened', snoozed: 'item.done_snoozed', spam: 'item.done_spam' } as const;

export async function setStatus(item: OpenItem, status: ItemStatus, until: number | null = null): Promise<void> {
  const before = item.view?.status;
  const row = await attempt(() => item.setStatus(status, until));
  if (!row || !before) return;
  const undo = before === 'snoozed' ? 'open' : before;
  done(t(DONE[status]), () => void attempt(() => item.setStatus(undo)));
}

export async function setPriority(item: OpenItem, view: ItemView, priority: Priority): Promise<void> {
  const before = view.priority;
  const row = await attempt(() => item.setPriority(priority));
  if (row) done(t('item.done_priority', { priority: text(`priority.${priority}`) }), () => void attempt(() => item.setPriority(before)));
}

export async function giveBack(item: OpenItem, note: string): Promise<boolean> {
  const row = await attempt(() => item.giveBack(note));
  if (row) done(t('item.done_returned'), null);
  return row !== null;
}

export async function routeAgain(item: OpenItem): Promise<void> {
  const row = await attempt(() => item.routeAgain());
  if (row) done(row.owner ? t('item.done_assigned', { name: ownerName(row.owner) }) : text('list.owner_none'), null);
}

export async function moveTo(item: OpenItem, workspace: number, route: boolean): Promise<ItemRow | null> {
  const row = await attempt(() => item.moveTo(workspace, route));
  if (row) done(t('item.done_moved', { workspace: workspaceName(row.workspace) }), null);
  return row;
}

export async function mergeWith(item: OpenItem, other: ItemRow): Promise<ItemRow | null> {
  const row = await attempt(() => item.mergeWith(other));
  if (row) done(t('item.done_merged', { id: `${row.id}` }), null);
  return row;
}
