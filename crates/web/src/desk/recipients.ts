// Who a reply goes to: addresses as they are typed, and everybody who was in the thread.
import type { People } from '../core/drafts.svelte';
import type { MessageView } from '../core/types';

export const nobody = (): People => ({ to: [], cc: [], bcc: [] });

/** The most recipients of one reply, over all three lists. */
export const MOST_PEOPLE = 100;

/** The addresses in what was typed or pasted, also as `Kari <kari@example.com>`; commas, semicolons and spaces part them. */
export function parse(typed: string): string[] {
  const bracketed = [...typed.matchAll(/<([^<>\s]+@[^<>\s]+)>/g)].map((match) => match[1] ?? '');
  return bracketed.length > 0 ? bracketed : typed.split(/[,;\s]+/).filter((part) => part !== '');
}

/** Whether it looks like an address; the server looks closer. */
export const isAddress = (address: string): boolean => /^[^\s@<>,;]+@[^\s@<>,;]+$/.test(address);

/** Adds addresses that are not there yet, whatever their letter case. */
export function join(list: readonly string[], added: readonly string[]): string[] {
  const joined = [...list];
  for (const address of added) {
    if (!joined.some((known) => same(known, address))) joined.push(address);
  }
  return joined;
}

/** Everybody who wrote in the thread or was written to, but the contact and ourselves. Hidden copies stay hidden. */
export function others(messages: readonly MessageView[], contact: string | null, own: readonly string[]): string[] {
  const ours = (address: string): boolean => own.some((known) => same(known, address) || same(known, untagged(address)));
  const seen = messages.filter((message) => message.kind !== 'note').flatMap((message) => [...message.to, ...message.recipients]);
  const addresses = join([], seen.map((person) => person.address));
  return addresses.filter((address) => isAddress(address) && !(contact !== null && same(address, contact)) && !ours(address));
}

const same = (one: string, other: string): boolean => one.toLowerCase() === other.toLowerCase();

/** `support+c3.x@shop.test` is `support@shop.test`. */
function untagged(address: string): string {
  return address.replace(/\+[^@]*@/, '@');
}
