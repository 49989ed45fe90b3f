import { describe, expect, it } from 'vitest';
import { beside } from './fields';

describe('the fields of a form', () => {
  it('leave out the one that is the message, whatever its line ends', () => {
    const fields = [['Name', 'Kari'], ['Message', 'Hello,\r\nwhere is it?\r\n']] as const;
    expect(beside(fields, 'Hello,\nwhere is it?')).toEqual([['Name', 'Kari']]);
  });

  it('lose one at most, and none when the text says something else or nothing', () => {
    expect(beside([['First', 'yes'], ['Second', 'yes']], 'yes')).toEqual([['Second', 'yes']]);
    expect(beside([['Name', 'Kari'], ['Phone', '']], 'Hello')).toEqual([['Name', 'Kari'], ['Phone', '']]);
    expect(beside([['Phone', '']], ' ')).toEqual([['Phone', '']]);
  });
});
