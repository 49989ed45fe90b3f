// The connection: one at a time, tried again for as long as the chat is wanted, and another way where no WebSocket gets through.
import { Plain, type Line } from './plain';
import { parse, SUBPROTOCOL, type FromServer, type ToServer } from './protocol';

export type Status = 'idle' | 'connecting' | 'online' | 'lost' | 'off';

const PING_AFTER_MS = 25_000;
const ANSWER_WITHIN_MS = 10_000;
/** Ways to the server, best first. */
const [SOCKET, STREAM, POLLS] = [0, 1, 2];

/** 0.5 s, doubled up to 30 s; from 1 s to 60 s where the socket never opened. A random half is taken off. */
export function pause(failures: number, opened: boolean, random: number): number {
  const [first, longest] = opened ? [500, 30_000] : [1000, 60_000];
  return Math.round(Math.min(longest, first * 2 ** Math.min(failures, 10)) * (1 - random / 2));
}

/** The way to try after this one has ended: the next one where this one does not get through, the first one again where nothing does, or where it has got through before. */
function nextWay(way: number, was_welcomed: boolean, opened: boolean, is_silent: boolean, has_had_socket: boolean): number {
  if (way === STREAM && is_silent) return POLLS;
  if (was_welcomed) return has_had_socket ? SOCKET : way;
  return way === SOCKET && (!opened || is_silent) ? STREAM : SOCKET;
}

export class Connection {
  private socket: Line | null = null;
  private way = SOCKET;
  private failures = 0;
  private opened = false;
  private welcomed = false;
  /** A WebSocket has got through: what took its place, such as while the server started again, is not for good. */
  private has_had_socket = false;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private beat: ReturnType<typeof setTimeout> | undefined;
  private least_pause_ms = 0;
  private status: Status = 'idle';

  constructor(
    private readonly url: string,
    private readonly on: { hello: () => ToServer; receive: (frame: FromServer) => void; status: (status: Status) => void },
    private readonly random: () => number = Math.random,
  ) {}

  start(): void {
    if (this.socket || this.status === 'off') return;
    clearTimeout(this.timer);
    this.say(this.failures === 0 ? 'connecting' : 'lost');
    const { way } = this;
    const hello = (): string => JSON.stringify(this.on.hello());
    const socket: Line = way === SOCKET ? new WebSocket(this.url, SUBPROTOCOL) : new Plain(this.url.replace('ws', 'http').replace(/socket$/, ''), hello(), way === POLLS);
    this.socket = socket;
    this.opened = this.welcomed = false;
    this.least_pause_ms = 0;
    // A server that takes the connection and says nothing is no server.
    this.timer = setTimeout(() => this.drop(socket, true), ANSWER_WITHIN_MS);
    socket.onopen = () => {
      this.opened = true;
      if (way === SOCKET) socket.send(hello());
    };
    socket.onmessage = (event: { data: unknown }) => this.received(socket, event.data);
    socket.onclose = () => this.drop(socket);
  }

  /** Ends the connection for good, or until `start`. */
  stop(status: 'idle' | 'off' = 'idle'): void {
    clearTimeout(this.timer);
    clearTimeout(this.beat);
    const socket = this.socket;
    this.socket = null;
    this.failures = 0;
    this.say(status);
    socket?.close();
  }

  /** Says who we are anew, such as after signing in. */
  restart(): void {
    this.stop();
    this.start();
  }

  /** The network is back, or somebody looks: no more waiting, and a connection that only seems to live is found out. */
  kick(): void {
    if (this.status === 'lost' && !this.socket) {
      this.failures = 0;
      this.start();
    } else if (this.status === 'online') this.ping();
  }

  /** Sends, when there is a connection that has been welcomed. */
  send(frame: ToServer): boolean {
    if (!this.welcomed || this.socket?.readyState !== WebSocket.OPEN) return false;
    this.socket.send(JSON.stringify(frame));
    this.listen();
    return true;
  }

  private received(socket: Line, data: unknown): void {
    if (socket !== this.socket) return;
    const frame = parse(data);
    if (this.welcomed) this.listen();
    if (!frame) return;
    if (frame.type === 'welcome') {
      this.welcomed = true;
      this.has_had_socket ||= this.way === SOCKET;
      this.failures = 0;
      this.listen();
      this.on.receive(frame);
      this.say('online');
      return;
    }
    if (frame.type === 'bye') {
      this.least_pause_ms = (frame.retry_after_s ?? 0) * 1000;
      this.on.receive(frame);
      if (!frame.reconnect) this.stop('off');
      return;
    }
    this.on.receive(frame);
  }

  private ping(): void {
    if (!this.welcomed || !this.socket) return;
    const socket = this.socket;
    clearTimeout(this.beat);
    socket.send('{"type":"ping"}');
    this.beat = setTimeout(() => this.drop(socket, true), ANSWER_WITHIN_MS);
  }

  /** The other side lives, or has just been written to. */
  private listen(): void {
    clearTimeout(this.timer);
    clearTimeout(this.beat);
    this.beat = setTimeout(() => this.ping(), PING_AFTER_MS);
  }

  private drop(socket: Line, is_silent = false): void {
    if (socket !== this.socket) return;
    clearTimeout(this.timer);
    clearTimeout(this.beat);
    const [way, was_welcomed] = [this.way, this.welcomed];
    this.socket = null;
    this.welcomed = false;
    socket.close();
    this.way = nextWay(way, was_welcomed, this.opened, is_silent, this.has_had_socket);
    if (this.way > way) return this.start();
    this.say('lost');
    const wait_ms = Math.max(this.least_pause_ms, pause(this.failures, this.opened, this.random()));
    this.failures += 1;
    this.timer = setTimeout(() => this.start(), wait_ms);
  }

  private say(status: Status): void {
    if (status === this.status) return;
    this.status = status;
    this.on.status(status);
  }
}
