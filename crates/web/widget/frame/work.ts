// Proof of work: what the first message of a conversation costs where the server asks for it, done while the visitor writes.
import { sha256 } from '@noble/hashes/sha2.js';
import type { Known } from './known.svelte';
import type { Thread } from './thread.svelte';

/** The page gets its turn after this. */
const SLICE_MS = 4;
/** Whoever waits longer than this is told what for. */
const LONG_MS = 1000;

/** The first number that makes the digest of `text.number` begin with so many zero bits, at most 32; null when it is not wanted any more. */
export async function solve(text: string, bits: number, is_wanted: () => boolean): Promise<number | null> {
  const encoder = new TextEncoder();
  const begun = sha256.create().update(encoder.encode(`${text}.`));
  // Made once: what is made for each number keeps the browser busy with clearing up, for longer than a slice.
  const [state, digits, digest] = [begun.clone(), new Uint8Array(20), new Uint8Array(32)];
  const first = new DataView(digest.buffer);
  // Not a timer: browsers make each wait 4 ms, and a second where nobody looks.
  const { port1, port2 } = new MessageChannel();
  try {
    for (let number = 0; ; ) {
      await new Promise((done) => {
        port1.onmessage = done;
        port2.postMessage(0);
      });
      if (!is_wanted()) return null;
      for (const end = performance.now() + SLICE_MS; performance.now() < end; ) {
        for (const next = number + 8; number < next; number += 1) {
          const { written } = encoder.encodeInto(`${number}`, digits);
          begun._cloneInto(state).update(digits.subarray(0, written)).digestInto(digest);
          if (Math.clz32(first.getUint32(0)) >= bits) return number;
        }
      }
    }
  } finally {
    port1.close();
  }
}

/** Does the work for the first message of a conversation, and sends it when it is written already. */
export async function prove(chat: Known, thread: Thread): Promise<void> {
  const { challenge, bits } = chat.work!;
  const name = `${challenge}.${thread.first ?? thread.ahead}`;
  if (thread.proving === name) return;
  thread.proving = name;
  const written = (): boolean => thread.messages.some((message) => message.state === 'sending');
  let long_at = Infinity;
  const number = await solve(name, bits, () => {
    if (thread.proving !== name || thread.id !== null || !chat.work || !chat.threads.includes(thread)) return false;
    if (!written()) long_at = Infinity;
    else if (long_at === Infinity) long_at = performance.now() + LONG_MS;
    else if (performance.now() > long_at) chat.checking = true;
    return true;
  });
  chat.checking = false;
  if (number === null) return;
  thread.proof = `${challenge}.${number}`;
  for (const message of thread.messages) if (message.state === 'sending') chat.send(thread, message);
}
