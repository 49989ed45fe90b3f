import { describe, expect, it } from 'vitest';
import { build, local, parse, type Route } from './router.svelte';

describe('addresses', () => {
  const routes: Route[] = [
    { page: 'inbox', view: 'team_open', id: 42, workspace: 7, sort: 'waiting_longest' },
    { page: 'inbox', view: 'unassigned', id: null, workspace: null, sort: 'newest' },
    { page: 'search', q: 'ødegård & co', id: 12 },
    { page: 'settings', section: 'channels', key: 'support_mail' },
    { page: 'login', next: '/inbox/mine/3?sort=oldest' },
  ];
  for (const route of routes) {
    it(`come back as they were: ${build(route)}`, () => expect(parse(build(route))).toEqual(route));
  }

  it('that are not understood become the reader’s own work', () => {
    for (const address of ['/', '/inbox', '/inbox/nonsense/5x?sort=up&workspace=-1', '/elsewhere']) {
      expect(parse(address)).toEqual({ page: 'inbox', view: 'mine', id: null, workspace: null, sort: 'newest' });
    }
  });

  it('with broken escapes are shown as they stand, to be not found', () => {
    expect(parse('/settings/channels/%E0%A4%A')).toEqual({ page: 'settings', section: 'channels', key: '%E0%A4%A' });
    expect(parse(build(parse('/settings/channels/%E0%A4%A')))).toEqual({ page: 'settings', section: 'channels', key: '%E0%A4%A' });
  });

  it('outside the desk are never returned to after signing in', () => {
    for (const next of ['//evil.example', 'https://evil.example', '/\\evil.example', 'javascript:alert(1)', '/login', null]) {
      expect(local(next)).toBe('/inbox/mine');
    }
    expect(local('/inbox/open/7')).toBe('/inbox/open/7');
  });
});
