import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Chat } from './chat.svelte';
import { upload } from './uploads';

type Reply = [status: number, body: unknown, wait?: string];
let replies: Reply[] = [];
let posts: string[] = [];

class Request {
  upload = {};
  status = 0;
  responseText = '';
  onloadend = (): void => {};
  #headers: Record<string, string> = {};
  #wait: string | null = null;
  open(): void {}
  abort(): void {}
  setRequestHeader(name: string, value: string): void {
    this.#headers[name] = value;
  }
  getResponseHeader(): string | null {
    return this.#wait;
  }
  send(): void {
    const [status, body, wait] = replies.shift()!;
    posts.push(this.#headers.Authorization!);
    [this.status, this.responseText, this.#wait] = [status, typeof body === 'string' ? body : JSON.stringify(body), wait ?? null];
    queueMicrotask(() => this.onloadend());
  }
}

const file = new File(['x'], 'a.webp', { type: 'image/webp' });
const KEPT = { id: 'up_1', name: 'a.jpg', content_type: 'image/jpeg', size_bytes: 7 };
let passes = 0;
const chat = { files_path: '/files', filePass: async (fresh = false) => `pass-${(passes += fresh ? 1 : 0)}` } as unknown as Chat;

async function uploaded(...said: Reply[]): Promise<unknown> {
  [replies, posts, passes] = [said, [], 0];
  const found = upload(chat, file);
  await vi.runAllTimersAsync();
  return found;
}

describe('an upload', () => {
  beforeEach(() => {
    vi.useFakeTimers();
    vi.stubGlobal('XMLHttpRequest', Request);
  });
  afterEach(() => {
    vi.useRealTimers();
    vi.unstubAllGlobals();
  });

  it('is what the server keeps', async () => {
    expect(await uploaded([201, KEPT])).toEqual(KEPT);
    expect(await uploaded([401, { code: 'bad_pass' }], [201, KEPT])).toEqual(KEPT);
    expect(posts).toEqual(['Bearer pass-0', 'Bearer pass-1']);
    expect(await uploaded([401, {}], [401, {}])).toBe('failed');
  });

  it('says why it is not taken', async () => {
    for (const [code, fault] of [['infected', 'infected'], ['file_type', 'type'], ['too_many_pixels', 'pixels'], ['too_large', 'too_large'], ['files_off', 'failed']]) {
      expect(await uploaded([422, { code }])).toBe(fault);
    }
    expect(await uploaded([502, '<html>'])).toBe('failed');
    expect(await uploaded([502, 'null'])).toBe('failed');
  });

  it('comes again when it is asked to, and not for ever', async () => {
    const began = Date.now();
    expect(await uploaded([503, { code: 'unavailable' }, '10'], [429, { code: 'rate_limited' }, '600'], [201, KEPT])).toEqual(KEPT);
    expect(Date.now() - began).toBe(30_000);
    const busy: Reply = [503, { code: 'unavailable' }, '10'];
    expect(await uploaded(busy, busy, busy, busy)).toBe('failed');
    expect(posts.length).toBe(4);
  });
});
