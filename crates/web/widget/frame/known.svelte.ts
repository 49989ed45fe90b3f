// What the chat knows: its conversations, and how it stands.
import type { Field, Settings, Work } from './protocol';
import type { Status } from './socket';
import { Thread } from './thread.svelte';
import { newClientId, unreadOf, type Message } from './timeline';

/** So many conversations a welcome lists at most. */
const MOST_LISTED = 50;

export abstract class Known {
  status = $state<Status>('idle');
  /** Why the server does not want us, once it said so. */
  ended = $state<string | null>(null);
  settings = $state.raw<Settings | null>(null);
  /** The channel's hours run. */
  is_open = $state(true);
  opens_at = $state<number | null>(null);
  threads = $state<Thread[]>([]);
  current = $state<Thread | null>(null);
  shown = $state(false);
  visitor = $state('anonymous');
  /** Said once to those who cannot see what arrives. */
  announced = $state('');
  theme = $state('auto');
  color = $state('#0d6661');
  customer = $state.raw<Record<string, string>>({});
  /** How far the server's clock is ahead of ours, as of the last message that it accepted. */
  ahead_ms = 0;
  pass: string | null = null;
  work: Work | null = null;
  /** The first message waits for its work, and that takes long. */
  checking = $state(false);
  protected topic: string | null = null;

  thread(id: number): Thread {
    const found = this.threads.find((thread) => thread.id === id);
    if (found) return found;
    const thread = new Thread();
    thread.id = id;
    this.threads = [thread, ...this.threads];
    return this.threads[0]!;
  }

  newThread(): Thread {
    const empty = this.threads.find((thread) => thread.id === null && thread.messages.length === 0);
    const thread = empty ?? new Thread();
    thread.topic = this.topic;
    if (!empty) this.threads = [thread, ...this.threads];
    this.current = this.threads.find((one) => one === thread || one === this.threads[0]) ?? thread;
    return this.current;
  }

  /** What the welcome does not list is not this visitor's. What was written there and is not stored begins anew. */
  protected part(listed: number[]): void {
    const oldest = listed.length < MOST_LISTED ? 0 : Math.min(...listed);
    this.threads = this.threads.filter((thread) => {
      if (thread.id === null || thread.id < oldest || listed.includes(thread.id)) return true;
      thread.renew();
      return thread.messages.length > 0 || thread.draft !== '';
    });
    if (this.current && !this.threads.includes(this.current)) this.current = null;
  }

  /** A conversation that was begun here has its id; what the server said of it meanwhile becomes part of it. */
  protected join(thread: Thread, id: number): void {
    const told = this.threads.find((one) => one.id === id && one !== thread);
    if (told) {
      thread.owner = told.owner;
      thread.position = told.position;
      thread.wait = told.wait;
      thread.open = told.open;
      thread.messages = [...told.messages, ...thread.messages];
      if (this.current === told) this.current = thread;
      this.threads = this.threads.filter((one) => one !== told);
    }
    thread.id = id;
    // What waited for the first message goes now.
    if (this.work) for (const message of thread.messages) if (message.state === 'sending' && message.client_id !== thread.first) this.send(thread, message);
  }

  abstract send(thread: Thread, message: Message): void;
  abstract fail(thread: Thread, message: Message, code: string): void;

  /** Does the work that the first message of a conversation costs, and sends it when it is written already. */
  prepare(thread = this.current): void {
    if (!this.work || thread?.id !== null) return;
    thread.ahead ??= newClientId();
    const at = thread;
    import('./work')
      .then(({ prove }) => prove(this, at))
      .catch(() => {
        // What cannot be loaded is told, so that it can be tried again.
        at.proving = '';
        for (const message of at.messages) if (message.state === 'sending') this.fail(at, message, 'work');
      });
  }

  /** A first message waits for its work, and those after it wait for it. */
  protected holds(thread: Thread, message: Message): boolean {
    if (!this.work || thread.id !== null) return false;
    const is_held = thread.first !== message.client_id || !thread.proof.startsWith(this.work.challenge);
    const first = thread.messages.find((one) => one.client_id === thread.first);
    if (is_held && first?.state === 'failed') this.fail(thread, message, first.code ?? '');
    else if (is_held) this.prepare(thread);
    return is_held;
  }

  /** What to show first: the only conversation there is, the newest open one, or a new one. */
  protected choose(): void {
    const held = this.threads.filter((thread) => thread.id !== null);
    const is_untouched = this.current && this.current.id === null && this.current.messages.length === 0 && !this.current.draft && this.current.fields === null;
    if (this.current && !is_untouched) return;
    const open = held.filter((thread) => thread.open);
    const next = open[0] ?? (held.length === 0 ? this.threads[0] : undefined);
    if (next) {
      this.threads = this.threads.filter((thread) => thread === next || thread.id !== null || thread.messages.length > 0);
      this.current = next;
    } else if (!this.current) this.newThread();
  }

  /** The fields to ask for before a conversation about this topic. */
  questions(topic: string | null): Field[] {
    const asked = this.settings?.prechat ?? [];
    return asked.filter((field) => !field.known && (field.topics === null || (topic !== null && field.topics.includes(topic))));
  }

  protected *pending(): Generator<{ thread: Thread; message: Message }> {
    for (const thread of this.threads) {
      for (const message of thread.messages) if (message.state === 'sending') yield { thread, message };
    }
  }

  unreadIn(thread: Thread): number {
    return unreadOf(thread.messages, thread.read);
  }
}
