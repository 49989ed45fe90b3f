import { describe, expect, it } from 'vitest';
import type { MessageView } from '../core/types';
import { isAddress, join, others, parse } from './recipients';

const message = (kind: MessageView['kind'], recipients: string[], to: string[] = [], bcc: string[] = []): MessageView => {
  const people = (list: string[]): MessageView['to'] => list.map((address) => ({ name: null, address }));
  return { kind, recipients: people(recipients), to: people(to), bcc: people(bcc) } as unknown as MessageView;
};

describe('recipients', () => {
  it('are read as they are typed and pasted', () => {
    expect(parse('a@x.test, b@x.test;c@x.test\nd@x.test ')).toEqual(['a@x.test', 'b@x.test', 'c@x.test', 'd@x.test']);
    expect(parse('Kari N <kari@x.test>, "Ola, N" <ola@x.test>')).toEqual(['kari@x.test', 'ola@x.test']);
    expect(['a@b', 'a', 'a@@b', '@b', 'a@'].map(isAddress)).toEqual([true, false, false, false, false]);
  });

  it('are there once, whatever their letter case', () => {
    expect(join(['A@x.test'], ['a@X.test', 'b@x.test', 'B@x.test'])).toEqual(['A@x.test', 'b@x.test']);
  });

  it('of everybody leave out the contact, ourselves and hidden copies', () => {
    const thread = [
      message('inbound', ['boss@x.test', 'Support+c3.ab@shop.test', 'sales@shop.test']),
      message('reply', ['copy@x.test'], ['kari@x.test', 'BOSS@x.test'], ['quiet@x.test']),
      message('note', ['never@x.test']),
    ];
    expect(others(thread, 'Kari@x.test', ['support@shop.test', 'sales@shop.test'])).toEqual(['boss@x.test', 'copy@x.test']);
  });
});
