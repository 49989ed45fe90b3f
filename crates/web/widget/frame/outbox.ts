// What is not stored yet, kept for this tab: a reload loses nothing that was sent. It is empty until somebody writes, and
// says whose it is.
import type { Message } from './timeline';
import { isSame, type Whose } from './whose';

export interface Kept {
  id: number | null;
  first: string | null;
  messages: Message[];
}
/** What is written down. The nonce is that of the connections on which the messages were sent. */
interface Written {
  whose: Whose;
  nonce: string;
  threads: Kept[];
}

export class Outbox {
  constructor(private readonly name: string) {}

  keep(whose: Whose, nonce: string, threads: Kept[]): void {
    const left = threads.filter((thread) => thread.messages.length > 0);
    try {
      if (left.length === 0) sessionStorage.removeItem(this.name);
      else sessionStorage.setItem(this.name, JSON.stringify({ whose, nonce, threads: left } satisfies Written));
    } catch {
      // Browsers may forbid it; then it is kept in memory alone.
    }
  }

  /** What this visitor left here. What another one left goes away, unless its account may still be named by the page. */
  kept(now: Whose): { nonce: string; threads: Kept[] } | null {
    try {
      const { whose, nonce, threads } = JSON.parse(sessionStorage.getItem(this.name) ?? '{}') as Partial<Written>;
      if (whose && nonce && threads && isSame(whose, now)) {
        return { nonce, threads: threads.map((thread) => ({ ...thread, messages: thread.messages.map((message) => ({ ...message, uploads: message.uploads.map((upload) => ({ ...upload, file: null })) })) })) };
      }
      if (!whose?.account || now.account !== null) this.clear();
    } catch {
      this.clear();
    }
    return null;
  }

  clear(): void {
    try {
      sessionStorage.removeItem(this.name);
    } catch {
      // Then nothing was kept either.
    }
  }
}
