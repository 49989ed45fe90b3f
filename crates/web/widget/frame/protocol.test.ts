import { describe, expect, it } from 'vitest';
import { parse } from './protocol';

describe('frames of the server', () => {
  it('that make no sense are nothing', () => {
    for (const bad of ['', 'null', '[]', '7', '{"type":1}', '{"type":"later"}', '{"type":', null, new Uint8Array(3)]) expect(parse(bad)).toBeNull();
  });

  it('have what is absent filled in, and what is unknown left out', () => {
    expect(parse('{"type":"message","conversation":1,"id":2,"author":{"kind":"agent","name":"Pia"},"text":"Hi","at":3,"new":true}')).toEqual({ type: 'message', conversation: 1, id: 2, client_id: null, author: 'Pia', automatic: false, text: 'Hi', files: [], email: null, by_mail: false, at: 3 });
    expect(parse('{"type":"message","author":{"kind":"visitor"},"email":"a@b.test","answer_by":"mail"}')).toMatchObject({ author: null, email: 'a@b.test', by_mail: true });
    expect(parse('{"type":"message","author":{"kind":"agent","name":"Shop","automatic":true}}')).toMatchObject({ author: 'Shop', automatic: true });
    expect(parse('{"type":"welcome","settings":{"mail":{"after_minutes":3}}}')).toMatchObject({ settings: { mail: { after_minutes: 3, address: null } } });
    expect(parse('{"type":"welcome","settings":{}}')).toMatchObject({ settings: { mail: null } });
    expect(parse('{"type":"message","author":{"kind":"visitor"}}')).toMatchObject({ author: null });
    expect(parse('{"type":"work","challenge":"abc","bits":12}')).toEqual({ type: 'work', work: { challenge: 'abc', bits: 12 } });
    expect(parse('{"type":"welcome","work":{"challenge":"abc","bits":12}}')).toMatchObject({ work: { challenge: 'abc', bits: 12 } });
    expect(parse('{"type":"welcome"}')).toMatchObject({ work: null });
    expect(parse('{"type":"bye","code":"restart"}')).toEqual({ type: 'bye', code: 'restart', reconnect: true, retry_after_s: null });
    expect(parse('{"type":"welcome","conversations":[{"conversation":1},7],"settings":{"prechat":[{"name":"email","label":"Email"}]}}')).toMatchObject({
      session: false, open: true, pass: null, conversations: [{ conversation: 1, open: true, read: 0 }, { conversation: 0 }],
      settings: { text_length: 10_000, files: { allowed: false, count: 5 }, prechat: [{ name: 'email', kind: 'text', label: { '*': 'Email' }, topics: null, known: false }] },
    });
  });
});
