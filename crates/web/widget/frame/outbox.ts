// What is not stored yet, kept for this tab: a reload loses nothing that was sent. It is empty until somebody writes.
import type { Message } from './timeline';

export interface Kept {
  id: number | null;
  first: string | null;
  messages: Message[];
}

export class Outbox {
  constructor(private readonly name: string) {}

  keep(threads: Kept[]): void {
    const left = threads.filter((thread) => thread.messages.length > 0);
    try {
      if (left.length === 0) sessionStorage.removeItem(this.name);
      else sessionStorage.setItem(this.name, JSON.stringify(left));
    } catch {
      // Browsers may forbid it; then it is kept in memory alone.
    }
  }

  kept(): Kept[] {
    try {
      const found = JSON.parse(sessionStorage.getItem(this.name) ?? '[]') as Kept[];
      return found.map((thread) => ({ ...thread, messages: thread.messages.map((message) => ({ ...message, uploads: message.uploads.map((upload) => ({ ...upload, file: null })) })) }));
    } catch {
      return [];
    }
  }

  clear(): void {
    this.keep([]);
  }
}
