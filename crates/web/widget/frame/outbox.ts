// What is not stored yet, kept for this tab: a reload loses nothing that was sent. It is empty until somebody writes.
import type { Message } from './timeline';

export interface Kept {
  id: number | null;
  first: string | null;
  messages: Message[];
}
/** The nonce is what the server knows these messages by again while there is no session. */
interface Content {
  nonce: string;
  threads: Kept[];
}

export class Outbox {
  constructor(private readonly name: string) {}

  keep(nonce: string, threads: Kept[]): void {
    const left = threads.filter((thread) => thread.messages.length > 0);
    try {
      if (left.length === 0) sessionStorage.removeItem(this.name);
      else sessionStorage.setItem(this.name, JSON.stringify({ nonce, threads: left } satisfies Content));
    } catch {
      // Browsers may forbid it; then it is kept in memory alone.
    }
  }

  kept(): Content | null {
    try {
      const found = JSON.parse(sessionStorage.getItem(this.name) ?? 'null') as Content | null;
      if (!found) return null;
      const threads = found.threads.map((thread) => ({ ...thread, messages: thread.messages.map((message) => ({ ...message, uploads: message.uploads.map((upload) => ({ ...upload, file: null })) })) }));
      return { nonce: found.nonce, threads };
    } catch {
      return null;
    }
  }

  clear(): void {
    this.keep('', []);
  }
}
