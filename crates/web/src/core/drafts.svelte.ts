// What somebody has begun to write, per item and kind, until it is sent or emptied.
import { SvelteMap } from 'svelte/reactivity';
import { names, read, write } from './store';

/** Who a reply goes to besides the contact. */
export interface People {
  to: string[];
  cc: string[];
  bcc: string[];
}

export type DraftKind = 'reply' | 'note';

export interface Draft {
  text: string;
  people?: People;
  saved_at: number;
}

const KEPT_MS = 30 * 24 * 3_600_000;
const key = (item: number, kind: DraftKind): string => `${item}.${kind}`;

let prefix = 'drafts.0.';
const drafts = new SvelteMap<string, Draft>();

/** Loads the drafts of a user; those of others in the same browser stay untouched. */
export function openDrafts(user: number, now_ms: number): void {
  prefix = `drafts.${user}.`;
  drafts.clear();
  for (const name of names(prefix)) {
    const found = read<Draft | null>(name, null);
    if (found && now_ms - found.saved_at < KEPT_MS) drafts.set(name.slice(prefix.length), found);
    else write(name, null);
  }
}

export function draft(item: number, kind: DraftKind): Draft | null {
  return drafts.get(key(item, kind)) ?? null;
}

export function hasDraft(item: number): string | null {
  return (draft(item, 'reply') ?? draft(item, 'note'))?.text ?? null;
}

/** Keeps a draft under a name of its own, so that two tabs never write over each other's. */
export function keep(item: number, kind: DraftKind, text: string, people: People, now_ms: number): void {
  const name = key(item, kind);
  if (text.trim() === '' && people.to.length + people.cc.length + people.bcc.length === 0) {
    discard(item, kind);
    return;
  }
  const next: Draft = { text, people, saved_at: now_ms };
  drafts.set(name, next);
  write(prefix + name, next);
}

export function discard(item: number, kind: DraftKind): void {
  drafts.delete(key(item, kind));
  write(prefix + key(item, kind), null);
}
