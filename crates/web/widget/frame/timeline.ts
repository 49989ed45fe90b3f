// Messages of one conversation in order: stored ones by their id, then those that are on their way.
import type { FileEntry, WireMessage } from './protocol';

export interface Upload {
  name: string;
  size_bytes: number;
  content_type: string;
  /** Gone after a reload. */
  file: File | null;
  id: string | null;
}
export interface Message {
  /** Stays the same from the first showing on. */
  key: string;
  /** Null until it is stored. */
  id: number | null;
  client_id: string | null;
  /** Name of the one who wrote, or null for the visitor. */
  author: string | null;
  text: string;
  files: FileEntry[];
  at: number;
  state: 'sending' | 'stored' | 'failed';
  /** Why it failed. */
  code: string | null;
  attempts: number;
  fields: [string, string][];
  topic: string | null;
  uploads: Upload[];
}

const NAMED_FROM_END = 8;

export function stored(wire: WireMessage): Message {
  const { id, client_id, author, text, files, at } = wire;
  return { key: client_id ?? `m${id}`, id, client_id, author, text, files, at, state: 'stored', code: null, attempts: 0, fields: [], topic: null, uploads: [] };
}

/** The messages with one that the server told of. What is known already changes nothing but its state. */
export function merged(messages: readonly Message[], wire: WireMessage): Message[] {
  if (messages.some((message) => message.id === wire.id)) return [...messages];
  const waiting = messages.find((message) => message.id === null && wire.client_id !== null && message.client_id === wire.client_id);
  const next = stored(wire);
  const others = messages.filter((message) => message !== waiting);
  return sorted([...others, waiting ? { ...next, key: waiting.key } : next]);
}

/** The messages after one of ours was stored. */
export function accepted(messages: readonly Message[], client_id: string, id: number, at: number): Message[] {
  // A replay may have brought it before.
  if (messages.some((message) => message.id === id)) return messages.filter((message) => message.id === id || message.client_id !== client_id);
  return sorted(messages.map((message) => (message.client_id === client_id ? { ...message, id, at, state: 'stored', code: null } : message)));
}

function sorted(messages: Message[]): Message[] {
  const place = (message: Message): number => message.id ?? Number.MAX_SAFE_INTEGER;
  return messages.sort((a, b) => place(a) - place(b) || 0);
}

/** The id after which the server shall say everything again: not the newest, since two may become visible in either order. */
export function after(messages: readonly Message[]): number {
  const ids = messages.flatMap((message) => (message.id === null ? [] : [message.id]));
  return ids.length < NAMED_FROM_END ? 0 : ids[ids.length - NAMED_FROM_END]!;
}

/** How many messages for the visitor are newer than what was read. */
export const unreadOf = (messages: readonly Message[], read: number): number => messages.filter((message) => message.author !== null && (message.id ?? 0) > read).length;

/** A name that nobody else gives, of a message or of a page: 128 random bits. */
export const newClientId = (): string => [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, '0')).join('');

/** A message that the visitor has just written. */
export function drafted(text: string, uploads: Upload[], fields: [string, string][], topic: string | null): Message {
  const client_id = newClientId();
  const files = uploads.map(({ name, content_type, size_bytes }) => ({ name, content_type, size_bytes }));
  return { key: client_id, id: null, client_id, author: null, text, files, at: Date.now(), state: 'sending', code: null, attempts: 0, fields, topic, uploads };
}

/** Text in parts: what is an address of the web, and what is not. */
export function linked(text: string): { text: string; href: string | null }[] {
  const parts: { text: string; href: string | null }[] = [];
  let from = 0;
  for (const found of text.matchAll(/\bhttps?:\/\/[^\s<>"']+/g)) {
    const address = found[0].replace(/[.,;:!?)\]]+$/, '');
    if (found.index > from) parts.push({ text: text.slice(from, found.index), href: null });
    parts.push({ text: address, href: address });
    from = found.index + address.length;
  }
  if (from < text.length) parts.push({ text: text.slice(from), href: null });
  return parts;
}
