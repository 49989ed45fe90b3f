// Live events: one stream per browser. The tab that holds the lock keeps the stream and passes everything on to
// the others; where locks do not exist (plain HTTP on a network) every tab has a stream of its own.
import { delay } from './backoff';
import type { ConversationPresence, LiveEvent, LiveKind } from './types';

export type Connection =
  | { state: 'connecting' }
  | { state: 'open' }
  | { state: 'broken'; since_ms: number; next_ms: number };

export interface LiveHandlers {
  event(event: LiveEvent): void;
  /** Who is on a conversation now. */
  presence(presence: ConversationPresence): void;
  /** Something may have been missed: everything shown should be asked for again. */
  resync(): void;
  connection(connection: Connection): void;
}

/** The part of `EventSource` that is used, so that tests can bring their own. */
export interface Source {
  addEventListener(type: string, listener: (event: MessageEvent<string>) => void): void;
  close(): void;
  onopen: ((event: Event) => void) | null;
  onerror: ((event: Event) => void) | null;
}

export interface Surroundings {
  open(url: string): Source;
  now(): number;
  random(): number;
  later(run: () => void, delay_ms: number): () => void;
}

const KINDS: readonly LiveKind[] = ['item', 'message', 'mark', 'person', 'directory', 'notice'];

/** A stream that opens itself again, after longer and longer pauses. */
export class Stream {
  private source: Source | null = null;
  private failures = 0;
  private since_ms: number | null = null;
  private cancel: (() => void) | null = null;
  private stopped = false;

  constructor(
    private last: number,
    private readonly handlers: LiveHandlers,
    private readonly around: Surroundings,
  ) {}

  start(): void {
    this.stopped = false;
    this.connect();
  }

  stop(): void {
    this.stopped = true;
    this.cancel?.();
    this.source?.close();
    this.source = null;
  }

  /** Does not wait for the next attempt: the network is back, or somebody looks at the tab again. */
  hurry(): void {
    if (this.stopped || this.cancel === null) return;
    this.cancel();
    this.connect();
  }

  private connect(): void {
    this.cancel = null;
    this.source?.close();
    const source = this.around.open(`/api/v1/events?after=${this.last}`);
    this.source = source;
    source.onopen = () => {
      this.failures = 0;
      this.since_ms = null;
      this.handlers.connection({ state: 'open' });
    };
    source.onerror = () => {
      if (this.source === source) this.fail();
    };
    for (const kind of KINDS) source.addEventListener(kind, (event) => this.take(event));
    source.addEventListener('presence', (event) => {
      const presence = decode<ConversationPresence>(event.data, 'conversation');
      if (presence !== null) this.handlers.presence(presence);
    });
    source.addEventListener('resync', (event) => {
      const id = Number(event.lastEventId);
      if (Number.isFinite(id) && id > this.last) this.last = id;
      this.handlers.resync();
    });
  }

  private take(message: MessageEvent<string>): void {
    const event = decode<LiveEvent>(message.data, 'id');
    if (event === null || event.id <= this.last) return;
    this.last = event.id;
    this.handlers.event(event);
  }

  private fail(): void {
    this.source?.close();
    this.source = null;
    if (this.stopped) return;
    const now_ms = this.around.now();
    this.since_ms ??= now_ms;
    const wait_ms = delay(this.failures, this.around.random());
    this.failures += 1;
    this.handlers.connection({ state: 'broken', since_ms: this.since_ms, next_ms: now_ms + wait_ms });
    this.cancel = this.around.later(() => this.connect(), wait_ms);
  }
}

function decode<T>(data: string, id: keyof T): T | null {
  try {
    const event = JSON.parse(data) as T;
    return typeof event[id] === 'number' ? event : null;
  } catch {
    return null;
  }
}

export const browser: Surroundings = {
  open: (url) => new EventSource(url) as unknown as Source,
  now: () => Date.now(),
  random: () => Math.random(),
  later: (run, delay_ms) => {
    const timer = setTimeout(run, delay_ms);
    return () => clearTimeout(timer);
  },
};

type Passed = { event: LiveEvent } | { presence: ConversationPresence } | { resync: true } | { connection: Connection } | { hurry: true } | { ask: true };

/** Follows the live events for one signed-in user until the returned function is called. */
export function follow(user: number, last: number, handlers: LiveHandlers): () => void {
  const stop = new AbortController();
  const name = `switchboard-live-${user}`;
  const shared = typeof BroadcastChannel !== 'undefined' && typeof navigator.locks !== 'undefined';
  const channel = shared ? new BroadcastChannel(name) : null;
  let seen = last;
  let state: Connection = { state: 'connecting' };
  let stream: Stream | null = null;

  const local: LiveHandlers = {
    event(event) {
      if (event.id <= seen) return;
      seen = event.id;
      handlers.event(event);
    },
    presence: (presence) => handlers.presence(presence),
    resync: () => handlers.resync(),
    connection(connection) {
      state = connection;
      handlers.connection(connection);
    },
  };
  const pass = (message: Passed): void => {
    if (!stop.signal.aborted) channel?.postMessage(message);
  };
  const lead = (): void => {
    stream = new Stream(seen, {
      event: (event) => (local.event(event), pass({ event })),
      presence: (presence) => (local.presence(presence), pass({ presence })),
      resync: () => (local.resync(), pass({ resync: true })),
      connection: (connection) => (local.connection(connection), pass({ connection })),
    }, browser);
    stream.start();
  };
  channel?.addEventListener('message', ({ data }: MessageEvent<Passed>) => {
    if (stream !== null) {
      if ('hurry' in data) stream.hurry();
      if ('ask' in data) pass({ connection: state });
    } else if ('event' in data) local.event(data.event);
    else if ('presence' in data) local.presence(data.presence);
    else if ('resync' in data) local.resync();
    else if ('connection' in data) local.connection(data.connection);
  });
  if (shared) {
    pass({ ask: true });
    navigator.locks
      .request(name, { signal: stop.signal }, () => {
        lead();
        return new Promise<void>((done) => stop.signal.addEventListener('abort', () => done()));
      })
      .catch(() => {}); // The request is only ever refused by our own abort.
  } else lead();

  const hurry = (): void => (stream ? stream.hurry() : pass({ hurry: true }));
  const visible = (): void => {
    if (document.visibilityState === 'visible') hurry();
  };
  addEventListener('online', hurry, { signal: stop.signal });
  document.addEventListener('visibilitychange', visible, { signal: stop.signal });
  addEventListener('switchboard:reconnect', hurry, { signal: stop.signal });
  return () => {
    stop.abort();
    stream?.stop();
    channel?.close();
  };
}
