import { describe, expect, it } from 'vitest';
import { wrong } from './fields';
import { admitted, takes } from './uploads';

describe('answers before a talk', () => {
  it('are checked by their kind', () => {
    expect(wrong('text', true, ' ')).toBe('required');
    expect(wrong('text', false, ' ')).toBeNull();
    expect(wrong('email', true, 'kari@eksempel')).toBe('email');
    expect(wrong('email', true, ' kari@eksempel.test ')).toBeNull();
    expect(wrong('number', true, '1 2')).toBe('number');
    expect(wrong('number', true, '-1,5')).toBeNull();
    expect(wrong('phone', true, 'abc')).toBe('invalid');
    expect(wrong('phone', true, '+47 22 33 44 55')).toBeNull();
    expect(wrong('text', true, 'x'.repeat(501))).toBe('too_long');
  });
});

describe('files', () => {
  const rules = { allowed: true, count: 2, bytes: 10, types: ['image/*', '.PDF', 'text/plain'] };
  it('are taken by type or ending', () => {
    expect([takes(rules, 'a.png', 'image/png'), takes(rules, 'b.pdf', ''), takes(rules, 'c', 'text/plain'), takes(rules, 'd.exe', 'application/x')]).toEqual([true, true, true, false]);
    expect(takes({ ...rules, types: [] }, 'd.exe', '')).toBe(true);
  });

  it('are taken up to size and number, and each one left out says why', () => {
    const file = (name: string, bytes: number, type: string): File => new File(['x'.repeat(bytes)], name, { type });
    const { files, faults } = admitted(rules, [file('a.png', 11, 'image/png'), file('b.png', 1, 'image/png'), file('c.exe', 1, ''), file('d.png', 1, 'image/png')], 1);
    expect(files.map((one) => one.name)).toEqual(['b.png']);
    expect(faults).toEqual([{ code: 'too_large', name: 'a.png' }, { code: 'type', name: 'c.exe' }, { code: 'count', name: 'd.png' }]);
  });
});
