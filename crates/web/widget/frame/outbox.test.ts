import { beforeEach, describe, expect, it } from 'vitest';
import { Outbox } from './outbox';
import type { Message } from './timeline';

const message: Message = { key: 'k', id: null, client_id: 'client-1', author: null, text: 'Hi', files: [], at: 1, state: 'sending', code: null, attempts: 0, fields: [], topic: null, uploads: [] };

describe('what waits to be stored', () => {
  beforeEach(() => sessionStorage.clear());

  it('survives a reload with the nonce that makes a repetition the same message', () => {
    new Outbox('shop').keep('nonce', [{ id: null, first: 'client-1', messages: [message] }, { id: 7, first: null, messages: [] }]);
    expect(new Outbox('shop').kept()).toEqual({ nonce: 'nonce', threads: [{ id: null, first: 'client-1', messages: [message] }] });
    expect(new Outbox('other').kept()).toBeNull();
  });

  it('leaves nothing behind once everything is stored', () => {
    const outbox = new Outbox('shop');
    outbox.keep('nonce', [{ id: null, first: 'client-1', messages: [message] }]);
    outbox.keep('nonce', [{ id: 7, first: 'client-1', messages: [] }]);
    expect([outbox.kept(), sessionStorage.length]).toEqual([null, 0]);
  });

  it('is nothing when it cannot be read', () => {
    sessionStorage.setItem('shop', '{"threads":');
    expect(new Outbox('shop').kept()).toBeNull();
  });
});
