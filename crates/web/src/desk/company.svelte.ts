// Who else is on the opened conversation, and what we say about ourselves there.
import { put, request } from '../core/api';
import { session } from '../core/session.svelte';
import type { Attention, ConversationPresence, PersonAttention } from '../core/types';

/** The server forgets after 40 s what is not said again. */
const SAY_EVERY_MS = 15_000;
/** A keystroke counts as writing for this long. */
const WRITING_MS = 5_000;

/** What somebody does whose tab is looked at or not, and whose last keystroke was so long ago. */
export function attention(focused: boolean, typed_ago_ms: number): Attention {
  if (typed_ago_ms < WRITING_MS) return 'writing';
  return focused ? 'viewing' : 'parked';
}

export class Company {
  presence = $state.raw<ConversationPresence | null>(null);
  private typed_ms = -Infinity;
  private said: Attention | null = null;
  private readonly stop = new AbortController();
  private readonly beat: ReturnType<typeof setInterval>;
  private pause: ReturnType<typeof setTimeout> | null = null;

  /** `seen` is the newest message that was looked at. */
  constructor(
    private readonly item: number,
    private readonly seen: () => number | null,
  ) {
    this.beat = setInterval(() => void this.say(), SAY_EVERY_MS);
    const changed = (): void => this.look();
    addEventListener('focus', changed, { signal: this.stop.signal });
    addEventListener('blur', changed, { signal: this.stop.signal });
    document.addEventListener('visibilitychange', changed, { signal: this.stop.signal });
    addEventListener('pagehide', () => this.leave(), { signal: this.stop.signal });
    void this.say();
  }

  /** Colleagues who are here too. */
  get others(): PersonAttention[] {
    return this.presence?.people.filter((person) => person.user !== session.user?.id) ?? [];
  }

  get visitor(): ConversationPresence['visitor'] {
    return this.presence?.visitor ?? null;
  }

  /** What the stream says; the contact is part of it only while the server knows that we are here. */
  hear(presence: ConversationPresence): void {
    if (presence.conversation !== this.presence?.conversation) return;
    const here = presence.people.some((person) => person.user === session.user?.id);
    this.presence = here ? presence : { ...presence, visitor: this.presence.visitor };
  }

  typed(): void {
    this.typed_ms = Date.now();
    this.look();
  }

  /** The reply is sent or given up. */
  ended(): void {
    this.typed_ms = -Infinity;
    this.look();
  }

  /** Something new was looked at. */
  saw(): void {
    void this.say();
  }

  close(): void {
    this.stop.abort();
    clearInterval(this.beat);
    if (this.pause !== null) clearTimeout(this.pause);
    this.leave();
  }

  private now(): Attention {
    return attention(document.visibilityState === 'visible' && document.hasFocus(), Date.now() - this.typed_ms);
  }

  private look(): void {
    if (this.pause !== null) clearTimeout(this.pause);
    this.pause = this.now() === 'writing' ? setTimeout(() => this.look(), WRITING_MS) : null;
    if (this.now() !== this.said) void this.say();
  }

  private async say(): Promise<void> {
    const now = this.now();
    this.said = now;
    try {
      const presence = await put<ConversationPresence>(`/items/${this.item}/presence`, { attention: now, seen: now === 'parked' ? null : this.seen() });
      if (!this.stop.signal.aborted) this.presence = presence;
    } catch {
      // It is said again soon, and whether the server can be reached is shown elsewhere.
    }
  }

  private leave(): void {
    this.said = null;
    void request('PUT', `/items/${this.item}/presence`, { body: { attention: null }, keepalive: true }).catch(() => {});
  }
}
