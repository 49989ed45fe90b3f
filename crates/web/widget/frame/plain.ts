// A connection without WebSocket: what the server says comes as one long answer or as answers to polls, what we say goes
// one frame per request. It looks like a WebSocket to whoever uses it.

/** What a connection needs of a WebSocket. */
export interface Line {
  readonly readyState: number;
  onopen: unknown;
  onclose: unknown;
  onmessage: unknown;
  send(text: string): void;
  close(): void;
}

export class Plain implements Line {
  readyState = 0;
  onopen: (() => void) | null = null;
  onclose: (() => void) | null = null;
  onmessage: ((event: { data: unknown }) => void) | null = null;
  private link = '';
  private readonly ending = new AbortController();
  private sending: Promise<unknown> = Promise.resolve();

  /** `base` is the address that the paths follow. The first frame goes along at once. */
  constructor(
    private readonly base: string,
    hello: string,
    private readonly is_polled: boolean,
  ) {
    addEventListener('pagehide', () => this.close(), { signal: this.ending.signal });
    (is_polled ? this.poll(hello) : this.stream(hello)).then(
      () => this.end(),
      () => this.end(),
    );
  }

  send(text: string): void {
    this.sending = this.sending.then(() => this.post('frames', text)).catch(() => this.end());
  }

  close(): void {
    this.readyState = 3;
    this.ending.abort();
    // The server sees the end of a long answer by itself.
    if (this.is_polled && this.link) this.post('frames', '', { keepalive: true, signal: null }).catch(() => {});
  }

  private async stream(hello: string): Promise<void> {
    const answer = await this.post('stream', hello);
    const reader = answer.body!.getReader();
    const decoder = new TextDecoder();
    for (let rest = ''; ; ) {
      const { done, value } = await reader.read();
      if (done) return;
      const events = (rest + decoder.decode(value, { stream: true })).split('\n\n');
      rest = events.pop()!;
      for (const event of events) if (event.startsWith('data: ')) this.hear(event.slice(6));
    }
  }

  private async poll(hello: string): Promise<void> {
    for (let body = hello; ; body = '') {
      const answer = await this.post('poll', body);
      for (const frame of (await answer.json()) as object[]) this.hear(JSON.stringify(frame));
    }
  }

  private async post(path: string, body: string, more?: RequestInit): Promise<Response> {
    const headers: HeadersInit = this.link ? { authorization: `Bearer ${this.link}` } : {};
    const answer = await fetch(this.base + path, { method: 'POST', body, headers, signal: this.ending.signal, ...more });
    if (!answer.ok) throw new Error(`${answer.status}`);
    return answer;
  }

  /** The first frame says what to name the connection by. */
  private hear(text: string): void {
    if (this.readyState > 1) return;
    if (this.link) return this.onmessage?.({ data: text });
    this.link = (JSON.parse(text) as { link: string }).link;
    this.readyState = 1;
    this.onopen?.();
  }

  private end(): void {
    if (this.readyState > 1) return;
    this.close();
    this.onclose?.();
  }
}
