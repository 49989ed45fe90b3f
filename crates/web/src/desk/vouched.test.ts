import { describe, expect, it } from 'vitest';
import type { MessageView } from '../core/types';
import { checks, moment, verdict } from './vouched';

type Results = NonNullable<NonNullable<MessageView['details']>['authentication']>;

function message(results: Partial<Results> | null): MessageView {
  const authentication = results === null ? null : { by: null, spf: 'none', dkim: 'none', dmarc: 'none', arc: 'none', ...results };
  return { kind: 'inbound', details: { authentication } } as MessageView;
}

describe('who vouches for a sender', () => {
  it('is what DMARC says, and nothing where nobody has checked', () => {
    expect(verdict(message(null))).toBeNull();
    expect(verdict(message({ dmarc: 'pass' }))).toBe('pass');
    expect(verdict(message({ dmarc: 'fail', spf: 'pass' }))).toBe('fail');
    expect(verdict(message({ dkim: 'pass' }))).toBe('unknown');
  });

  it('is told check by check with who made them', () => {
    // Without a catalogue the names of the texts stand in for them.
    expect(checks(message({ spf: 'pass', dmarc: 'fail' }))).toBe(
      'SPF vouched.result_pass, DKIM vouched.result_none, DMARC vouched.result_fail, ARC vouched.result_none · vouched.by',
    );
    expect(checks(message(null))).toBe('');
  });
});

describe('the time of an event', () => {
  it('is shown as it was written', () => {
    expect(moment({ starts: '2026-11-23T10:00', ends: '2026-11-23T11:00', zone: 'Europe/Oslo' })).toBe('2026-11-23 10:00–11:00 (Europe/Oslo)');
    expect(moment({ starts: '2026-11-23', ends: '2026-11-24' })).toBe('2026-11-23');
    expect(moment({ starts: '2026-11-23T22:00', ends: '2026-11-24T01:00' })).toBe('2026-11-23 22:00–2026-11-24 01:00');
  });
});
