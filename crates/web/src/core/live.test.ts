import { describe, expect, it } from 'vitest';
import { delay, LONGEST_MS } from './backoff';
import { Stream, type Connection, type Source, type Surroundings } from './live';
import type { LiveEvent } from './types';

class FakeSource implements Source {
  onopen: ((event: Event) => void) | null = null;
  onerror: ((event: Event) => void) | null = null;
  closed = false;
  private readonly listeners = new Map<string, (event: MessageEvent<string>) => void>();
  constructor(readonly url: string) {}
  addEventListener(type: string, listener: (event: MessageEvent<string>) => void): void {
    this.listeners.set(type, listener);
  }
  close(): void {
    this.closed = true;
  }
  send(type: string, data: string, id = ''): void {
    this.listeners.get(type)?.({ data, lastEventId: id } as MessageEvent<string>);
  }
}

function setUp() {
  const sources: FakeSource[] = [];
  const timers: { run: () => void; delay_ms: number; cancelled: boolean }[] = [];
  const seen = { events: [] as number[], presences: [] as number[], resyncs: 0, states: [] as Connection[] };
  let now_ms = 1000;
  const around: Surroundings = {
    open: (url) => {
      const source = new FakeSource(url);
      sources.push(source);
      return source;
    },
    now: () => now_ms,
    random: () => 1,
    later: (run, delay_ms) => {
      const timer = { run, delay_ms, cancelled: false };
      timers.push(timer);
      return () => void (timer.cancelled = true);
    },
  };
  const stream = new Stream(5, { event: (event) => seen.events.push(event.id), presence: (presence) => seen.presences.push(presence.conversation), resync: () => (seen.resyncs += 1), connection: (state) => seen.states.push(state) }, around);
  stream.start();
  return { sources, timers, seen, stream, wait: (ms: number) => (now_ms += ms) };
}

const event = (id: number): string => JSON.stringify({ id, at: 0, kind: 'item' } satisfies Partial<LiveEvent>);

describe('the stream', () => {
  it('tells who is on a conversation without moving on, as that is never sent again', () => {
    const { sources, seen, stream, timers } = setUp();
    sources[0]!.send('presence', JSON.stringify({ conversation: 12, workspace: 1, people: [], visitor: null }));
    sources[0]!.send('presence', 'no JSON');
    expect(seen.presences).toEqual([12]);
    sources[0]!.onerror?.(new Event('error'));
    timers[0]!.run();
    expect(sources[1]!.url).toBe('/api/v1/events?after=5');
    stream.stop();
  });

  it('begins after what the page was built from, and passes each event once', () => {
    const { sources, seen } = setUp();
    expect(sources[0]!.url).toBe('/api/v1/events?after=5');
    for (const id of [5, 6, 6, 7]) sources[0]!.send('item', event(id));
    sources[0]!.send('item', 'no json');
    expect(seen.events).toEqual([6, 7]);
  });

  it('opens again where it stopped, after longer and longer pauses', () => {
    const { sources, timers, seen, wait } = setUp();
    sources[0]!.send('item', event(9));
    for (const expected_ms of [500, 1000, 2000, 4000]) {
      sources.at(-1)!.onerror?.(new Event('error'));
      expect(timers.at(-1)!.delay_ms).toBe(expected_ms);
      wait(expected_ms);
      timers.at(-1)!.run();
    }
    expect(sources.at(-1)!.url).toBe('/api/v1/events?after=9');
    const broken = seen.states.filter((state) => state.state === 'broken');
    expect(new Set(broken.map((state) => state.since_ms)).size).toBe(1);
  });

  it('begins with short pauses again once it was open', () => {
    const { sources, timers } = setUp();
    sources[0]!.onerror?.(new Event('error'));
    timers[0]!.run();
    sources[1]!.onopen?.(new Event('open'));
    sources[1]!.onerror?.(new Event('error'));
    expect(timers[1]!.delay_ms).toBe(500);
  });

  it('does not wait when it is told to hurry, and not at all when it is stopped', () => {
    const { sources, timers, stream } = setUp();
    stream.hurry();
    expect(sources.length).toBe(1);
    sources[0]!.onerror?.(new Event('error'));
    stream.hurry();
    expect(sources.length).toBe(2);
    expect(timers[0]!.cancelled).toBe(true);
    stream.stop();
    expect(sources[1]!.closed).toBe(true);
    sources[1]!.onerror?.(new Event('error'));
    expect(timers.length).toBe(1);
  });

  it('says when everything must be asked for again', () => {
    const { sources, timers, seen } = setUp();
    sources[0]!.send('resync', '', '40');
    expect(seen.resyncs).toBe(1);
    sources[0]!.onerror?.(new Event('error'));
    timers[0]!.run();
    expect(sources[1]!.url).toBe('/api/v1/events?after=40');
  });
});

describe('pauses', () => {
  it('never exceed the longest and are spread by chance', () => {
    expect(delay(50, 1)).toBe(LONGEST_MS);
    expect(delay(0, 0)).toBe(400);
    expect(delay(0, 1)).toBe(500);
  });
});
