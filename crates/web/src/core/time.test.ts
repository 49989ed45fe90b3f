import { describe, expect, it } from 'vitest';
import { brief, bytes, day, daysToMonday, duration, micros, morning, sameDay, upcoming } from './time';

const at = (text: string): number => new Date(text).getTime();
const now = at('2026-11-21T14:00:00');

describe('times', () => {
  it('get shorter the nearer they are', () => {
    expect(brief(at('2026-11-21T09:05:00'), now, 'en')).toBe('09:05');
    expect(brief(at('2026-11-18T09:05:00'), now, 'en')).toBe('Wed');
    expect(brief(at('2026-03-03T09:05:00'), now, 'en')).toBe('3 Mar');
    expect(brief(at('2025-03-03T09:05:00'), now, 'en')).toBe('3 Mar 2025');
  });

  it('are written as the language writes them', () => {
    expect(brief(at('2026-11-21T09:05:00'), now, 'da')).toBe('09.05');
    expect(brief(at('2026-11-21T09:05:00'), now, 'nb')).toBe('09:05');
    expect(brief(at('2026-03-03T09:05:00'), now, 'nl')).toBe('3 mrt');
  });

  it('name today and yesterday, across the end of a month too', () => {
    const words = { today: 'Today', yesterday: 'Yesterday' };
    expect(day(at('2026-11-21T00:00:00'), now, 'en', words)).toBe('Today');
    expect(day(at('2026-11-20T23:59:00'), now, 'en', words)).toBe('Yesterday');
    expect(day(at('2026-10-31T23:59:00'), at('2026-11-01T00:01:00'), 'en', words)).toBe('Yesterday');
    expect(day(at('2026-03-03T09:00:00'), now, 'en', words)).toBe('Tuesday 3 March');
    expect(day(at('2025-03-03T09:00:00'), now, 'en', words)).toContain('2025');
  });

  it('know days by the calendar, not by hours', () => {
    expect(sameDay(at('2026-11-21T23:59:59'), at('2026-11-22T00:00:00'))).toBe(false);
    expect(sameDay(at('2026-11-21T00:00:00'), at('2026-11-21T23:59:59'))).toBe(true);
  });

  it('that are still to come name the weekday', () => {
    expect(upcoming(at('2026-11-21T16:00:00'), now, 'en')).toBe('16:00');
    expect(upcoming(at('2026-11-23T08:00:00'), now, 'en')).toMatch(/^Mon,? 08:00$/);
  });
});

describe('lengths of time', () => {
  it('use their largest unit', () => {
    expect(duration(42_000, 'en')).toBe('42 s');
    expect(duration(14 * 60_000 + 59_000, 'en')).toBe('14 m');
    expect(duration(3 * 3_600_000 + 5 * 60_000, 'nb')).toBe('3 t 05 m');
    expect(duration(2 * 3_600_000, 'nl')).toBe('2 u');
    expect(duration(50 * 3_600_000, 'en')).toBe('2 d');
    expect(duration(-5, 'en')).toBe('0 s');
  });

  it('of decisions are in microseconds until they are long', () => {
    expect(micros(38, 'en')).toBe('38 µs');
    expect(micros(1250, 'en')).toBe('1.3 ms');
  });
});

describe('snoozing', () => {
  it('ends at eight on the morning meant', () => {
    expect(morning(now, 1)).toBe(at('2026-11-22T08:00:00'));
    expect(daysToMonday(now)).toBe(2);
    expect(daysToMonday(at('2026-11-23T10:00:00'))).toBe(7);
  });
});

describe('sizes', () => {
  it('are read as people read them', () => {
    expect(bytes(800, 'en')).toBe('800 B');
    expect(bytes(1536, 'en')).toBe('1.5 kB');
    expect(bytes(3.5 * 1024 * 1024, 'da')).toBe('3,5 MB');
  });
});
