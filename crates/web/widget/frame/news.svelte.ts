// What an answer does that nobody looks at: it shows itself and is heard, as far as the page and the visitor want that.
import { kept } from './choices';
import type { Facts, Told } from './host';
import type { WireMessage } from './protocol';
import { chime } from './sound';
import type { Thread } from './thread.svelte';

export class News {
  /** The newest unread answer that came while the chat was closed. */
  peek = $state.raw<WireMessage | null>(null);
  preview = $state(true);
  sound = $state(true);
  /** The visitor wants no sound. */
  muted = $state(false);
  /** The visitor closed a preview: there is none until the chat is opened again. */
  private still = false;

  /** `may` says whether there is a talk, so that something may be kept; null where nothing ever may. */
  constructor(
    private readonly told: Told,
    private readonly may: () => boolean | null,
  ) {
    this.muted = kept(told.key, 'muted');
    this.still = kept(told.key, 'still');
  }

  take(facts: Facts): void {
    const look = this.told.settings?.look;
    this.preview = facts.preview ?? look?.preview ?? true;
    this.sound = facts.sound ?? look?.sound ?? true;
  }

  arrived(wire: WireMessage, shown: boolean): void {
    if (!shown && !this.still) this.peek = wire;
    if ((!shown || document.hidden) && this.sound && !this.muted) chime();
  }

  /** The preview goes: the chat was opened, or it was closed and stays away. */
  end(still: boolean): void {
    this.peek = null;
    if (still !== this.still) this.keep('still', (this.still = still));
  }

  mute(): void {
    this.keep('muted', (this.muted = !this.muted));
  }

  /** Goes when its answer was read, or is not this visitor's. */
  check(threads: readonly Thread[]): void {
    const { peek } = this;
    if (peek && !threads.some((thread) => thread.id === peek.conversation && thread.read < peek.id)) this.peek = null;
  }

  forget(): void {
    this.keep('muted', (this.muted = false));
    this.end(false);
  }

  /** Something may be kept from now on, or nothing any more. What another tab has chosen stays. */
  remember(): void {
    for (const choice of ['muted', 'still'] as const) if (this[choice] || this.may() === null) this.keep(choice, this[choice]);
  }

  private keep(choice: 'muted' | 'still', on: boolean): void {
    const may = this.may();
    if (may || !on || may === null) kept(this.told.key, choice, on && may !== null);
  }
}
