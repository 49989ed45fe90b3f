// Files of replies that were taken back after their writer had moved on, until the item is opened again.
import type { OutgoingFile } from './item.svelte';

const waiting = new Map<number, OutgoingFile[]>();

export function giveBack(item: number, files: OutgoingFile[]): void {
  if (files.length > 0) waiting.set(item, files);
}

/** The files of an item, once. */
export function filesOf(item: number): OutgoingFile[] {
  const files = waiting.get(item) ?? [];
  waiting.delete(item);
  return files;
}
