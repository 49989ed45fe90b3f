import { describe, expect, it } from 'vitest';
import { Thread } from './thread.svelte';
import { drafted } from './timeline';
import { prove, solve } from './work';

/** As another implementation counts them. */
async function zeros(text: string): Promise<number> {
  return Math.clz32(new DataView(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text))).getUint32(0));
}

describe('the work for a first message', () => {
  it('is the first number whose digest begins with so many zero bits, as any other program finds it', async () => {
    for (const bits of [0, 1, 5, 10]) {
      const number = await solve('challenge.client', bits, () => true);
      let expected = 0;
      while ((await zeros(`challenge.client.${expected}`)) < bits) expected += 1;
      expect(number).toBe(expected);
    }
  });

  it('lets others have their turn, and ends when it is not wanted any more', async () => {
    let turns = 0;
    const found = await solve('challenge.client', 33, () => (turns += 1) < 4);
    expect([found, turns]).toEqual([null, 4]);
  });

  function setUp(bits: number) {
    const thread = new Thread();
    thread.ahead = 'client_id-of-the-first';
    const sent: unknown[] = [];
    const chat = { work: { challenge: 'challenge', bits } as { challenge: string; bits: number } | null, threads: [thread], checking: true, send: (_: Thread, message: unknown) => void sent.push(message) };
    return { thread, sent, chat, run: () => prove(chat as unknown as Parameters<typeof prove>[0], thread) };
  }

  it('is done before the message is written, for the name that it will have', async () => {
    const { thread, sent, chat, run } = setUp(6);
    await Promise.all([run(), run()]);
    const [challenge, number] = thread.proof.split('.');
    expect(challenge).toBe('challenge');
    expect(await zeros(`challenge.client_id-of-the-first.${number}`)).toBeGreaterThanOrEqual(6);
    expect([sent, chat.checking]).toEqual([[], false]);
  });

  it('sends what was written meanwhile, once', async () => {
    const { thread, sent, run } = setUp(6);
    const message = drafted('Hi', [], [], null);
    thread.begin(message);
    expect([thread.first, message.client_id, message.key]).toEqual(Array(3).fill('client_id-of-the-first'));
    thread.messages = [message];
    await Promise.all([run(), run()]);
    expect(sent).toEqual([message]);
  });

  it('is given up when nothing costs work any more, and when another one is asked for', async () => {
    const { thread, chat, run } = setUp(33);
    const first = run();
    chat.work = { challenge: 'fresh', bits: 4 };
    await Promise.all([first, run()]);
    expect(thread.proof).toMatch(/^fresh\.\d+$/);
    thread.proof = '';
    chat.work = { challenge: 'last', bits: 33 };
    const last = run();
    chat.work = null;
    await last;
    expect(thread.proof).toBe('');
  });
});
