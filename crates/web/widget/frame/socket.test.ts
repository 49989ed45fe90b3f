import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { FromServer } from './protocol';
import { Connection, pause, type Status } from './socket';

class FakeSocket {
  static all: FakeSocket[] = [];
  static readonly OPEN = 1;
  readyState = 0;
  sent: string[] = [];
  onopen: (() => void) | null = null;
  onclose: (() => void) | null = null;
  onmessage: ((event: { data: unknown }) => void) | null = null;
  constructor(
    readonly url: string,
    readonly subprotocol: string,
  ) {
    FakeSocket.all.push(this);
  }
  send(text: string): void {
    this.sent.push(text);
  }
  close(): void {
    this.readyState = 3;
  }
  open(): void {
    this.readyState = 1;
    this.onopen?.();
  }
  say(value: unknown): void {
    this.onmessage?.({ data: JSON.stringify(value) });
  }
}
const last = (): FakeSocket => FakeSocket.all.at(-1)!;

function setUp() {
  const seen = { frames: [] as FromServer[], states: [] as Status[] };
  const connection = new Connection('wss://desk.test/socket', { hello: () => ({ type: 'hello' }), receive: (frame) => void seen.frames.push(frame), status: (status) => void seen.states.push(status) }, () => 0);
  connection.start();
  return { connection, seen };
}
const welcomed = (): void => {
  last().open();
  last().say({ type: 'welcome' });
};

beforeEach(() => {
  vi.useFakeTimers();
  FakeSocket.all = [];
  vi.stubGlobal('WebSocket', FakeSocket);
  // Without a network there is no other way either.
  vi.stubGlobal('fetch', () => Promise.reject(new Error('no network')));
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

describe('the pause before another attempt', () => {
  it('doubles up to its longest, with up to half of it taken off', () => {
    expect([0, 1, 2, 10, 99].map((failures) => pause(failures, true, 0))).toEqual([500, 1000, 2000, 30_000, 30_000]);
    expect([0, 99].map((failures) => pause(failures, false, 0))).toEqual([1000, 60_000]);
    expect(pause(1, true, 1)).toBe(500);
  });
});

describe('the connection', () => {
  it('says hello first, and sends nothing before it is welcome', () => {
    const { connection, seen } = setUp();
    expect([last().url, last().subprotocol]).toEqual(['wss://desk.test/socket', 'switchboard.chat.1']);
    last().open();
    expect(last().sent).toEqual(['{"type":"hello"}']);
    expect(connection.send({ type: 'consent' })).toBe(false);
    last().say({ type: 'welcome' });
    expect(connection.send({ type: 'consent' })).toBe(true);
    expect(seen.states).toEqual(['connecting', 'online']);
  });

  it('comes back after half a second, or at once when somebody looks', async () => {
    const { connection, seen } = setUp();
    welcomed();
    last().onclose?.();
    expect(seen.states.at(-1)).toBe('lost');
    vi.advanceTimersByTime(499);
    expect(FakeSocket.all).toHaveLength(1);
    vi.advanceTimersByTime(1);
    expect(FakeSocket.all).toHaveLength(2);
    last().onclose?.();
    await vi.advanceTimersByTimeAsync(0);
    connection.kick();
    expect(FakeSocket.all).toHaveLength(3);
    connection.kick();
    expect(FakeSocket.all).toHaveLength(3);
  });

  it('gives up a server that takes the connection and says nothing', async () => {
    const { seen } = setUp();
    last().open();
    await vi.advanceTimersByTimeAsync(10_000);
    expect(seen.states.at(-1)).toBe('lost');
  });

  it('asks after a silence, and drops what does not answer', () => {
    const { seen } = setUp();
    welcomed();
    vi.advanceTimersByTime(25_000);
    expect(last().sent.at(-1)).toBe('{"type":"ping"}');
    last().say({ type: 'pong' });
    vi.advanceTimersByTime(25_000);
    expect(seen.states.at(-1)).toBe('online');
    vi.advanceTimersByTime(10_000);
    expect(seen.states.at(-1)).toBe('lost');
  });

  it('stays away when it is told to, and for as long as it is told to', () => {
    const { connection, seen } = setUp();
    welcomed();
    last().say({ type: 'bye', code: 'slow', reconnect: true, retry_after_s: 7 });
    last().onclose?.();
    vi.advanceTimersByTime(6999);
    expect(FakeSocket.all).toHaveLength(1);
    vi.advanceTimersByTime(1);
    expect(FakeSocket.all).toHaveLength(2);
    welcomed();
    last().say({ type: 'bye', code: 'identity_required', reconnect: false });
    vi.advanceTimersByTime(600_000);
    connection.start();
    expect(FakeSocket.all).toHaveLength(2);
    expect(seen.states.at(-1)).toBe('off');
    connection.restart();
    expect(FakeSocket.all).toHaveLength(3);
  });

  it('hears nothing of a socket that it has given up', () => {
    const { connection, seen } = setUp();
    welcomed();
    const old = last();
    connection.stop();
    old.say({ type: 'pong' });
    old.onclose?.();
    expect(seen.frames).toHaveLength(1);
    expect(FakeSocket.all).toHaveLength(1);
  });
});

describe('where no WebSocket gets through', () => {
  /** Requests that were made, and what answers them; a promise that never ends is a proxy that keeps everything. */
  function network(answer: (path: string, body: string, link: string | null) => Promise<Response>) {
    const asked: string[] = [];
    vi.stubGlobal('fetch', (address: string, init: RequestInit) => {
      const path = address.replace('https://desk.test/', '');
      const link = new Headers(init.headers).get('authorization');
      asked.push(`${path} ${String(init.body)}${link ? ` ${link}` : ''}`);
      return new Promise<Response>((done, fail) => {
        init.signal?.addEventListener('abort', () => fail(new Error('ended')));
        answer(path, String(init.body), link).then(done, fail);
      });
    });
    return asked;
  }
  const never = new Promise<Response>(() => {});
  const frame = (value: object): string => `data: ${JSON.stringify(value)}\n\n`;

  it('takes one long answer, and stays with it', async () => {
    let stream: ReadableStreamDefaultController<Uint8Array>;
    const write = (text: string): void => stream.enqueue(new TextEncoder().encode(text));
    const asked = network((path) => Promise.resolve(path === 'frames' ? new Response(null, { status: 204 }) : new Response(new ReadableStream({ start: (controller) => void (stream = controller) }))));
    const { connection, seen } = setUp();
    last().onclose?.();
    await vi.advanceTimersByTimeAsync(0);
    expect(asked).toEqual(['stream {"type":"hello"}']);
    expect(seen.states).toEqual(['connecting']);
    const told = frame({ type: 'link', link: 'abc' }) + frame({ type: 'welcome', visitor: 'Ærlig' });
    const bytes = new TextEncoder().encode(told);
    const middle = bytes.length - 6;
    stream!.enqueue(bytes.slice(0, middle));
    await vi.advanceTimersByTimeAsync(0);
    stream!.enqueue(bytes.slice(middle));
    write(`:\n\n${frame({ type: 'pong' })}`);
    await vi.advanceTimersByTimeAsync(0);
    expect(seen.states.at(-1)).toBe('online');
    expect(seen.frames.map((one) => one.type)).toEqual(['welcome', 'pong']);
    expect(seen.frames[0]).toMatchObject({ visitor: 'Ærlig' });
    connection.send({ type: 'consent' });
    connection.send({ type: 'ping' });
    await vi.advanceTimersByTimeAsync(0);
    expect(asked.slice(1)).toEqual(['frames {"type":"consent"} Bearer abc', 'frames {"type":"ping"} Bearer abc']);
    stream!.close();
    await vi.advanceTimersByTimeAsync(0);
    expect(seen.states.at(-1)).toBe('lost');
    await vi.advanceTimersByTimeAsync(500);
    expect([FakeSocket.all.length, asked.at(-1)]).toEqual([1, 'stream {"type":"hello"}']);
  });

  it('goes back to the WebSocket after it, where one has got through before', async () => {
    let stream: ReadableStreamDefaultController<Uint8Array>;
    const asked = network(() => Promise.resolve(new Response(new ReadableStream({ start: (controller) => void (stream = controller) }))));
    const { seen } = setUp();
    welcomed();
    last().onclose?.();
    await vi.advanceTimersByTimeAsync(500);
    expect(FakeSocket.all).toHaveLength(2);
    last().onclose?.();
    await vi.advanceTimersByTimeAsync(0);
    expect(asked).toEqual(['stream {"type":"hello"}']);
    stream!.enqueue(new TextEncoder().encode(frame({ type: 'link', link: 'abc' }) + frame({ type: 'welcome' })));
    await vi.advanceTimersByTimeAsync(0);
    expect(seen.states.at(-1)).toBe('online');
    stream!.close();
    await vi.advanceTimersByTimeAsync(500);
    expect([FakeSocket.all.length, asked.length]).toEqual([3, 1]);
  });

  it('polls where a long answer is kept back until its end', async () => {
    const answers = [[{ type: 'link', link: 'abc' }, { type: 'welcome' }], [{ type: 'pong' }]];
    const asked = network((path) => {
      const next = path === 'poll' ? answers.shift() : undefined;
      return next ? Promise.resolve(Response.json(next)) : never;
    });
    const { seen } = setUp();
    last().onclose?.();
    await vi.advanceTimersByTimeAsync(10_000);
    expect(asked).toEqual(['stream {"type":"hello"}', 'poll {"type":"hello"}', 'poll  Bearer abc', 'poll  Bearer abc']);
    expect(seen.frames.map((one) => one.type)).toEqual(['welcome', 'pong']);
    expect(seen.states).toEqual(['connecting', 'online']);
  });

  it('takes it as well where a WebSocket opens and nothing comes through', async () => {
    const asked = network(() => never);
    setUp();
    last().open();
    await vi.advanceTimersByTimeAsync(10_000);
    expect(asked).toEqual(['stream {"type":"hello"}']);
  });

  it('polls as soon as a long answer keeps back what comes later, and says when it leaves', async () => {
    const stream = new ReadableStream({ start: (controller) => controller.enqueue(new TextEncoder().encode(frame({ type: 'link', link: 'abc' }) + frame({ type: 'welcome' }))) });
    const answers = [[{ type: 'link', link: 'def' }, { type: 'welcome' }]];
    const asked = network((path) => {
      if (path === 'stream') return Promise.resolve(new Response(stream));
      if (path === 'frames') return Promise.resolve(new Response(null, { status: 204 }));
      const next = answers.shift();
      return next ? Promise.resolve(Response.json(next)) : never;
    });
    const { connection, seen } = setUp();
    last().onclose?.();
    await vi.advanceTimersByTimeAsync(0);
    expect(seen.states.at(-1)).toBe('online');
    await vi.advanceTimersByTimeAsync(35_000);
    expect(asked.slice(1)).toEqual(['frames {"type":"ping"} Bearer abc', 'poll {"type":"hello"}', 'poll  Bearer def']);
    expect(seen.states.at(-1)).toBe('online');
    connection.stop();
    expect(asked.at(-1)).toBe('frames  Bearer def');
  });

  it('begins with the WebSocket again when nothing answers at all', async () => {
    const asked = network(() => Promise.reject(new Error('no network')));
    const { seen } = setUp();
    last().onclose?.();
    await vi.advanceTimersByTimeAsync(0);
    expect([asked.length, seen.states.at(-1)]).toEqual([1, 'lost']);
    await vi.advanceTimersByTimeAsync(1000);
    expect(FakeSocket.all).toHaveLength(2);
  });
});
