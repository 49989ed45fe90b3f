// Addresses of the desk and what they stand for. The address bar is the only place where this state lives.
import type { Sort, ViewName } from './types';

export const VIEWS: readonly ViewName[] = ['unassigned', 'mine', 'team_unassigned', 'team_open', 'open', 'waiting', 'snoozed', 'closed'];
export const SORTS: readonly Sort[] = ['newest', 'oldest', 'waiting_longest', 'priority'];

export type Route =
  | { page: 'login'; next: string }
  | { page: 'inbox'; view: ViewName; id: number | null; workspace: number | null; sort: Sort }
  | { page: 'search'; q: string; id: number | null }
  | { page: 'settings'; section: string; key: string | null };

function id(part: string | null | undefined): number | null {
  return part && /^[1-9]\d{0,15}$/.test(part) ? Number(part) : null;
}

/** What an address stands for; whatever is not understood becomes the reader's own work. */
export function parse(address: string): Route {
  const url = new URL(address, 'http://desk.invalid');
  const [first, second, third] = url.pathname.split('/').filter((part) => part !== '');
  const ask = url.searchParams;
  if (first === 'login') return { page: 'login', next: local(ask.get('next')) };
  if (first === 'search') return { page: 'search', q: ask.get('q') ?? '', id: id(ask.get('item')) };
  if (first === 'settings') return { page: 'settings', section: second ?? 'channels', key: third ? decoded(third) : null };
  const view = VIEWS.find((known) => known === second) ?? 'mine';
  const sort = SORTS.find((known) => known === ask.get('sort')) ?? 'newest';
  return { page: 'inbox', view, id: first === 'inbox' ? id(third) : null, workspace: id(ask.get('workspace')), sort };
}

/** A part of an address as it was meant. One that nobody can have meant stays as it is, so that it is not found. */
function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/** Only addresses of the desk itself may be returned to after signing in. */
export function local(next: string | null): string {
  return next !== null && /^\/(?!\/|\\)/.test(next) && !next.startsWith('/login') ? next : '/inbox/mine';
}

/** The address of a route. */
export function build(route: Route): string {
  const ask = new URLSearchParams();
  switch (route.page) {
    case 'login':
      ask.set('next', route.next);
      return `/login?${ask}`;
    case 'search':
      if (route.q) ask.set('q', route.q);
      if (route.id) ask.set('item', String(route.id));
      return `/search${ask.size ? `?${ask}` : ''}`;
    case 'settings':
      return `/settings/${route.section}${route.key ? `/${encodeURIComponent(route.key)}` : ''}`;
    case 'inbox': {
      if (route.workspace) ask.set('workspace', String(route.workspace));
      if (route.sort !== 'newest') ask.set('sort', route.sort);
      return `/inbox/${route.view}${route.id ? `/${route.id}` : ''}${ask.size ? `?${ask}` : ''}`;
    }
  }
}

let current = $state.raw<Route>({ page: 'inbox', view: 'mine', id: null, workspace: null, sort: 'newest' });

export const router = {
  get route(): Route {
    return current;
  },
};

export function start(): void {
  current = parse(location.pathname + location.search);
  addEventListener('popstate', () => {
    current = parse(location.pathname + location.search);
  });
}

export function go(route: Route, replace = false): void {
  const address = build(route);
  if (address !== location.pathname + location.search) {
    if (replace) history.replaceState(null, '', address);
    else history.pushState(null, '', address);
  }
  current = route;
}

/** Handles a click on an ordinary link, so that new tabs and windows keep working. */
export function follow(event: MouseEvent, route: Route): void {
  if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  go(route);
}
