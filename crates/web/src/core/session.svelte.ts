// Who is signed in, what there is (people, teams, workspaces, channels), and the live connection.
import { SvelteMap } from 'svelte/reactivity';
import { ApiError, load, post, put, remove, whenSignedOut } from './api';
import { openDrafts } from './drafts.svelte';
import { choose, setLanguage } from './i18n.svelte';
import { follow, type Connection } from './live';
import { ownChoice, wayBack, type Choice } from './presence';
import { build, go, local, parse, router } from './router.svelte';
import type {
  ChannelView, ConversationPresence, Counts, LiveEvent, Me, PersonAttention, PersonView, StatusValue, Team, UserView, UserWithPerson, Workspace,
} from './types';

const COUNTS_PAUSE_MS = 800;

let me = $state.raw<Me | null>(null);
let users = $state.raw<Map<number, UserWithPerson>>(new Map());
let teams = $state.raw<Team[]>([]);
let workspaces = $state.raw<Workspace[]>([]);
let channels = $state.raw<ChannelView[]>([]);
let connection = $state.raw<Connection>({ state: 'connecting' });
let failure = $state.raw<ApiError | null>(null);
let ended = $state(false);
let now = $state(Date.now());
/** The reader's own last choice of status, which others may have overruled since. */
let own = $state.raw<Choice | null>(null);
let unfollow: (() => void) | null = null;
let counts_timer: ReturnType<typeof setTimeout> | null = null;

export interface Follower {
  event?(event: LiveEvent): void;
  presence?(presence: ConversationPresence): void;
  resync?(): void;
}
const followers = new Set<Follower>();
/** Colleagues on conversations, as far as they came since this page was opened. */
const here = new SvelteMap<number, PersonAttention[]>();

export const session = {
  get here(): ReadonlyMap<number, PersonAttention[]> {
    return here;
  },
  get me(): Me | null {
    return me;
  },
  get user(): UserView | null {
    return me?.user ?? null;
  },
  get person(): PersonView | null {
    return me?.person ?? null;
  },
  /** What undoing a colleague's change of the reader's status brings back; null when there is nothing to undo. */
  get way_back(): Choice | null {
    return me && wayBack(own, me.person);
  },
  get counts(): Counts | null {
    return me?.counts ?? null;
  },
  get users(): Map<number, UserWithPerson> {
    return users;
  },
  get teams(): Team[] {
    return teams;
  },
  get workspaces(): Workspace[] {
    return workspaces;
  },
  get channels(): ChannelView[] {
    return channels;
  },
  get connection(): Connection {
    return connection;
  },
  /** The first load failed, and why. */
  get failure(): ApiError | null {
    return failure;
  },
  /** The session ended while somebody was working. */
  get ended(): boolean {
    return ended;
  },
  /** The time, moved on every few seconds, for clocks on the screen. */
  get now(): number {
    return now;
  },
  /** Offline for long enough to be worth saying. */
  get offline(): boolean {
    return connection.state === 'broken' && now - connection.since_ms >= 2000;
  },
};

setInterval(() => {
  now = Date.now();
}, 1000);

export const isLead = (): boolean => me?.user.role === 'lead' || me?.user.role === 'admin';
export const mayWrite = (): boolean => me !== null && me.user.role !== 'viewer';
export const isAdmin = (): boolean => me?.user.role === 'admin';

/** Loads everything that the desk starts with. False when nobody is signed in. */
export async function start(): Promise<boolean> {
  failure = null;
  try {
    me = await load<Me>('/me');
    own = ownChoice(null, me.person);
  } catch (error) {
    if (error instanceof ApiError && error.status === 401) return false;
    failure = error instanceof ApiError ? error : new ApiError(0, { status: 0, detail: String(error) });
    return true;
  }
  ended = false;
  await setLanguage(choose(me.user.language, navigator.languages));
  openDrafts(me.user.id, Date.now());
  await loadDirectory();
  unfollow?.();
  unfollow = follow(me.user.id, me.last_event, { event: take, presence: company, resync, connection: connected });
  return true;
}

async function loadDirectory(): Promise<void> {
  const [people, groups, places, sources] = await Promise.allSettled([
    load<UserWithPerson[]>('/users'),
    load<Team[]>('/teams'),
    load<Workspace[]>('/workspaces'),
    load<ChannelView[]>('/channels'),
  ]);
  // Each part is useful on its own; what a role may not see stays empty.
  if (people.status === 'fulfilled') users = new Map(people.value.map((user) => [user.id, user]));
  if (groups.status === 'fulfilled') teams = groups.value;
  if (places.status === 'fulfilled') workspaces = places.value;
  if (sources.status === 'fulfilled') channels = sources.value;
}

export async function refreshMe(): Promise<void> {
  try {
    me = await load<Me>('/me');
    setPerson(me.person);
  } catch {
    // The connection says so already; counts catch up with the next event.
  }
}

export async function refreshChannels(): Promise<void> {
  channels = await load<ChannelView[]>('/channels');
}

/** Tells about live events until the returned function is called. */
export function subscribe(follower: Follower): () => void {
  followers.add(follower);
  return () => followers.delete(follower);
}

function take(event: LiveEvent): void {
  if (event.kind === 'directory') void loadDirectory().then(refreshMe);
  else if (event.kind === 'person') void refreshPeople();
  if (event.kind !== 'directory' && event.kind !== 'mark') refreshCountsSoon();
  for (const follower of followers) follower.event?.(event);
}

function company(presence: ConversationPresence): void {
  const others = presence.people.filter((person) => person.user !== me?.user.id);
  if (others.length > 0) here.set(presence.conversation, others);
  else here.delete(presence.conversation);
  for (const follower of followers) follower.presence?.(presence);
}

let people_timer: ReturnType<typeof setTimeout> | null = null;

async function refreshPeople(): Promise<void> {
  if (people_timer !== null) return;
  people_timer = setTimeout(async () => {
    people_timer = null;
    const list = await load<UserWithPerson[]>('/users').catch(() => null);
    if (list) users = new Map(list.map((user) => [user.id, user]));
  }, COUNTS_PAUSE_MS);
}

/** Counts come from the server, never from arithmetic here; a burst of events asks once. */
export function refreshCountsSoon(): void {
  if (counts_timer !== null) return;
  counts_timer = setTimeout(() => {
    counts_timer = null;
    void refreshMe();
  }, COUNTS_PAUSE_MS);
}

function resync(): void {
  here.clear();
  void loadDirectory().then(refreshMe);
  for (const follower of followers) follower.resync?.();
}

function connected(next: Connection): void {
  const was_broken = connection.state === 'broken';
  connection = next;
  if (next.state === 'open' && was_broken) refreshCountsSoon();
  // A stream that the server refuses looks like a broken one; asking says which it is.
  if (next.state === 'broken') void refreshMe();
}

function setPerson(person: PersonView): void {
  const user = users.get(person.user);
  if (user) users = new Map(users).set(person.user, { ...user, person });
  if (me && me.user.id === person.user) {
    me = { ...me, person };
    own = ownChoice(own, person);
  }
}

export async function setAvailability(user: number, value: StatusValue, reason: string | null): Promise<void> {
  setPerson(await put<PersonView>(`/users/${user}/availability`, reason ? { value, reason } : { value }));
}

/** Takes back what somebody else set (ROUTING 4.3). */
export async function undoAvailability(): Promise<void> {
  const back = session.way_back;
  if (me && back) await setAvailability(me.user.id, back.value, back.reason);
}

export async function signIn(email: string, password: string): Promise<void> {
  await post('/session', { email, password });
  await start();
  const route = router.route;
  if (route.page === 'login') go(parse(local(route.next)), true);
}

export async function signOut(): Promise<void> {
  unfollow?.();
  await remove('/session').catch(() => {});
  location.assign('/login');
}

whenSignedOut(() => {
  if (router.route.page === 'login') return;
  unfollow?.();
  ended = me !== null;
  const next = build(router.route);
  go({ page: 'login', next }, true);
});
