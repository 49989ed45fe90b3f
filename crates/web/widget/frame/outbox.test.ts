// @vitest-environment happy-dom
import { beforeEach, describe, expect, it } from 'vitest';
import { Outbox } from './outbox';
import { drafted } from './timeline';
import { accountOf, visitorOf } from './whose';

const letters = (sub: string): string => btoa(String.fromCharCode(...new TextEncoder().encode(JSON.stringify({ sub })))).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
const stranger = { account: null, visitor: '' };
const outbox = new Outbox('sb_outbox_x');
const left = { id: null, first: 'f', messages: [drafted('not sent yet', [], [], null)] };

beforeEach(() => sessionStorage.clear());

describe('what was not sent', () => {
  it('comes back to whom it belongs, with the nonce it was sent under', () => {
    for (const [whose, now] of [
      [{ account: 'account A', visitor: '' }, { account: 'account A', visitor: 'v' }],
      [{ account: null, visitor: 'v' }, { account: null, visitor: 'v' }],
      [stranger, stranger],
      // Signed in, or got a session, meanwhile.
      [stranger, { account: 'account A', visitor: 'v' }],
    ] as const) {
      outbox.keep(whose, 'nonce', [left]);
      expect(outbox.kept(now)).toEqual({ nonce: 'nonce', threads: [left] });
    }
  });

  it('is never given to another, and goes away when another comes', () => {
    for (const [whose, now] of [
      [{ account: 'account A', visitor: '' }, { account: 'account B', visitor: '' }],
      [{ account: null, visitor: 'v' }, { account: null, visitor: 'w' }],
      [{ account: null, visitor: 'v' }, stranger],
    ] as const) {
      outbox.keep(whose, 'nonce', [left]);
      expect(outbox.kept(now)).toBeNull();
      expect(sessionStorage.length).toBe(0);
    }
  });

  it('of an account waits for the page to name it', () => {
    const whose = { account: 'account A', visitor: '' };
    outbox.keep(whose, 'nonce', [left]);
    expect(outbox.kept(stranger)).toBeNull();
    expect(outbox.kept(whose)?.threads).toEqual([left]);
  });

  it('of no known owner is not given to anybody', () => {
    sessionStorage.setItem('sb_outbox_x', JSON.stringify([left]));
    expect(outbox.kept(stranger)).toBeNull();
    expect(sessionStorage.length).toBe(0);
  });
});

describe('who somebody is', () => {
  it('is the account, however it is proven', () => {
    expect(accountOf(null)).toBeNull();
    expect(accountOf({ id: 'Ægir', hash: '00' })).toBe(accountOf({ jwt: `x.${letters('Ægir')}.y`, name: 'another' }));
    expect(accountOf({ id: '1' })).not.toBe(accountOf({ id: '2' }));
    expect(accountOf({ jwt: 'nonsense' })).toBe('unreadable');
  });

  it('stays the same when a session is renewed', () => {
    expect(visitorOf(`${'a'.repeat(21)}b`)).toBe(visitorOf(`${'a'.repeat(21)}c`));
    expect(visitorOf('')).toBe('');
  });
});
