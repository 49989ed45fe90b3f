// What the opened item waits for, kept fresh while it has no owner: others in the queue and people's doings change it.
import { load } from '../core/api';
import type { ItemRow, LiveEvent, WaitingAnswer } from '../core/types';

const PAUSE_MS = 1000;

export class Waiting {
  answer = $state.raw<WaitingAnswer | null>(null);
  /** The last attempt to ask failed. */
  failed = $state(false);
  private asks = $state(false);
  private timer: ReturnType<typeof setTimeout> | null = null;
  /** Counts the questions, so that a late answer to an earlier one is dropped. */
  private asked = 0;

  constructor(
    private readonly item: number,
    private readonly signal: AbortSignal,
  ) {
    signal.addEventListener('abort', () => this.rest());
  }

  /** It waits, but what for is not known yet. */
  get pending(): boolean {
    return this.asks && this.answer === null && !this.failed;
  }

  /** Asks for an item that nobody has, and forgets what was said about any other. */
  follow(row: ItemRow): void {
    this.asks = row.status === 'open' && row.owner === null;
    if (this.asks) void this.ask();
    else this.rest();
  }

  event(event: LiveEvent): void {
    if (!this.asks || this.timer !== null || !['item', 'person', 'directory'].includes(event.kind)) return;
    this.timer = setTimeout(() => {
      this.timer = null;
      void this.ask();
    }, PAUSE_MS);
  }

  private rest(): void {
    this.asks = false;
    this.asked += 1;
    this.answer = null;
    this.failed = false;
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
  }

  private async ask(): Promise<void> {
    this.asked += 1;
    const number = this.asked;
    try {
      const answer = await load<WaitingAnswer>(`/items/${this.item}/waiting`, this.signal);
      if (number === this.asked) [this.answer, this.failed] = [answer, false];
    } catch {
      if (number === this.asked) this.failed = true;
    }
  }
}
