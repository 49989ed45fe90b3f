// One conversation as the widget knows it.
import type { ThreadState } from './protocol';
import type { Message } from './timeline';

export class Thread {
  /** Null until its first message is stored. */
  id = $state<number | null>(null);
  open = $state(true);
  owner = $state<string | null>(null);
  position = $state<number | null>(null);
  wait = $state.raw<number[]>([]);
  seen = $state(0);
  read = $state(0);
  newest = $state(0);
  messages = $state.raw<Message[]>([]);
  typing = $state<string | null>(null);
  draft = $state('');
  /** Its messages are here, or were asked for. */
  asked = false;
  /** All that was asked for has come: what comes now is news. */
  loaded = false;
  /** It was begun before a reload: there may be more in it than is here. */
  restored = false;
  /** The first message, which those written before it is stored belong to. */
  first: string | null = null;
  /** Answers that go with its first message; null until the form before it was sent. */
  fields = $state.raw<[string, string][] | null>(null);
  topic = $state<string | null>(null);
  /** What its first message will be called, the work that is being done for it, and the work done. */
  ahead: string | null = null;
  proving = '';
  proof = '';
  fade: ReturnType<typeof setTimeout> | undefined;

  replace(message: Message): void {
    this.messages = this.messages.map((one) => (one.key === message.key ? message : one));
  }

  take(state: ThreadState): void {
    this.id = state.conversation;
    this.open = state.open;
    this.owner = state.owner;
    this.position = state.position;
    this.wait = state.wait_minutes;
    this.seen = Math.max(this.seen, state.seen);
    this.read = Math.max(this.read, state.read);
    this.newest = Math.max(this.newest, state.newest);
  }

  /** Its first message has the name that work may have been done for. */
  begin(message: Message): void {
    if (this.ahead) message.key = message.client_id = this.ahead;
    this.first = message.client_id;
    this.ahead = null;
  }

  /** The conversation is not to be seen any more: what was not stored, and the draft, begin another one. */
  renew(): void {
    this.messages = this.messages.filter((message) => message.state !== 'stored');
    this.first = this.messages[0]?.client_id ?? null;
    this.id = this.owner = this.position = this.typing = null;
    this.seen = this.read = this.newest = 0;
    this.open = true;
    this.asked = this.loaded = false;
  }
}
