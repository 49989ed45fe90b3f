import { describe, expect, it } from 'vitest';
import type { WireMessage } from './protocol';
import { accepted, addressIn, after, linked, merged, newClientId, stored, unreadOf, waiting as waited, type Message } from './timeline';

const wire = (id: number, more: Partial<WireMessage> = {}): WireMessage => ({ conversation: 1, id, client_id: null, author: 'Pia', automatic: false, text: `m${id}`, files: [], email: null, by_mail: false, at: id, ...more });
const waiting = (client_id: string): Message => ({ ...stored(wire(0, { client_id, author: null, text: client_id })), id: null, state: 'sending' });
const keys = (messages: Message[]): string[] => messages.map((message) => message.key);

describe('waiting for a person', () => {
  const mine = (id: number, more: Partial<WireMessage> = {}): Message => stored(wire(id, { author: null, ...more }));
  const theirs = (id: number, more: Partial<WireMessage> = {}): Message => stored(wire(id, more));

  it('begins with the first message that nobody has answered, and a program is nobody', () => {
    expect(waited([])).toBeNull();
    expect(waited([waiting('a')])).toBeNull();
    expect(waited([mine(1), theirs(2, { automatic: true }), mine(3)])).toEqual({ since: 1, first: true });
    expect(waited([mine(1), theirs(2)])).toBeNull();
    expect(waited([mine(1), theirs(2), mine(3), theirs(4, { automatic: true }), mine(5)])).toEqual({ since: 3, first: false });
  });

  it('knows the address that was named last, also after a reload', () => {
    expect(addressIn([mine(1), theirs(2)])).toBeUndefined();
    const wish = { ...waiting('a'), fields: [['email', 'b@b.test']] as [string, string][] };
    expect(addressIn([mine(1, { email: 'a@a.test' }), mine(2)])).toBe('a@a.test');
    expect(addressIn([mine(1, { email: 'a@a.test' }), wish])).toBe('b@b.test');
    expect(merged([wish], wire(3, { author: null, client_id: 'a', email: 'b@b.test', by_mail: true }))).toMatchObject([{ by_mail: true, fields: [['email', 'b@b.test']] }]);
  });
});

describe('a timeline', () => {
  it('keeps the order of ids, whatever the order of arrival, and what is on its way last', () => {
    let messages: Message[] = [waiting('a')];
    for (const id of [3, 1, 2]) messages = merged(messages, wire(id));
    expect(keys(messages)).toEqual(['m1', 'm2', 'm3', 'a']);
  });

  it('takes repeats once, however often and whichever way they come', () => {
    let messages = merged(merged([], wire(1)), wire(1));
    expect(messages).toHaveLength(1);
    messages = [...messages, waiting('a')];
    // Stored, the answer lost: the replay brings it, and the second sending is accepted with the same id.
    messages = merged(messages, wire(2, { client_id: 'a', author: null }));
    messages = accepted(messages, 'a', 2, 2);
    expect(messages.map(({ key, id, state }) => [key, id, state])).toEqual([['m1', 1, 'stored'], ['a', 2, 'stored']]);
    messages = merged(messages, wire(2, { client_id: 'a', author: null }));
    expect(messages).toHaveLength(2);
  });

  it('takes what a replay brought without a name for the one that is accepted', () => {
    const messages = merged([waiting('a')], wire(5, { author: null }));
    expect(accepted(messages, 'a', 5, 5).map((message) => message.id)).toEqual([5]);
  });

  it('asks again from the eighth newest message', () => {
    const some = (count: number): Message[] => Array.from({ length: count }, (_, at) => stored(wire(at + 1)));
    expect(after([])).toBe(0);
    expect(after(some(7))).toBe(0);
    expect(after(some(8))).toBe(1);
    expect(after([...some(20), waiting('a')])).toBe(13);
  });

  it('counts what others wrote and the visitor has not read', () => {
    const messages = [stored(wire(1)), stored(wire(2, { author: null })), stored(wire(3))];
    expect(unreadOf(messages, 0)).toBe(2);
    expect(unreadOf(messages, 1)).toBe(1);
    expect(unreadOf(messages, 3)).toBe(0);
  });
});

describe('names for messages', () => {
  it('are long, plain and different', () => {
    expect(newClientId()).toMatch(/^[0-9a-f]{32}$/);
    expect(newClientId()).not.toBe(newClientId());
  });
});

describe('addresses in text', () => {
  it('become links without the sentence around them', () => {
    expect(linked('See https://a.test/x?y=1. Or (http://b.test)!').filter((part) => part.href).map((part) => part.href)).toEqual(['https://a.test/x?y=1', 'http://b.test']);
    expect(linked('javascript:alert(1) and <b>')).toEqual([{ text: 'javascript:alert(1) and <b>', href: null }]);
    expect(linked('x https://a.test').map((part) => part.text).join('')).toBe('x https://a.test');
  });
});
