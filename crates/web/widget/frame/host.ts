// Talk with the page around the frame: to its exact origin only, and only what has the right shape.

/** What the server put into the page. */
export interface Told {
  key?: string;
  socket?: string;
  settings?: {
    files_path?: string;
    locale?: string;
    web_views?: boolean;
    look?: { color?: string; theme?: string; preview?: boolean; sound?: boolean; greeting?: Record<string, string>; title?: Record<string, string> };
  };
}
export interface Page {
  url: string;
  title: string;
}
export interface Identity {
  id?: string;
  hash?: string;
  jwt?: string;
  name?: string;
  email?: string;
}
/** What the page knows and wants; everything in it was checked. */
export interface Facts {
  locales: string[];
  page: Page | null;
  identity: Identity | null;
  customer: Record<string, string>;
  topic: string | null;
  consent: boolean | null;
  theme: string | null;
  color: string | null;
  preview: boolean | null;
  sound: boolean | null;
}
export interface Init extends Facts {
  session: string;
  open: boolean;
  start: { text: string; topic: string | null } | null;
}
export type FromPage =
  | { type: 'init'; value: Init }
  | { type: 'update'; value: Facts }
  | { type: 'open' | 'close' | 'logout' }
  | { type: 'session'; value: string }
  | { type: 'start'; value: { text: string; topic: string | null } };

type Loose = Record<string, unknown>;
const object = (value: unknown): Loose => (typeof value === 'object' && value !== null ? (value as Loose) : {});
const text = (value: unknown, most = 500): string | null => (typeof value === 'string' && value !== '' ? value.slice(0, most) : typeof value === 'number' ? String(value) : null);
const truth = (value: unknown): boolean | null => (typeof value === 'boolean' ? value : null);
const token = (value: unknown): string => (typeof value === 'string' && /^[\w.~-]{1,512}$/.test(value) ? value : '');

function facts(value: unknown): Facts {
  const { locales, url, title, identity, customer, topic, consent, theme, color, preview, sound } = object(value);
  const who = object(identity);
  const given: Identity = {};
  for (const key of ['id', 'hash', 'jwt', 'name', 'email'] as const) {
    const found = text(who[key], key === 'jwt' ? 8000 : 500);
    if (found !== null) given[key] = found;
  }
  const known = Object.entries(object(customer)).slice(0, 50).map(([key, one]) => [key, text(one)] as const);
  return {
    locales: Array.isArray(locales) ? locales.filter((tag): tag is string => typeof tag === 'string' && tag.length < 36).slice(0, 20) : [],
    page: /^https?:/.test(text(url, 2000) ?? '') ? { url: text(url, 2000)!, title: text(title) ?? '' } : null,
    identity: given.jwt || given.id ? given : null,
    customer: Object.fromEntries(known.filter((pair): pair is readonly [string, string] => pair[1] !== null)),
    topic: text(topic, 100),
    consent: truth(consent),
    theme: theme === 'light' || theme === 'dark' || theme === 'auto' ? theme : null,
    color: /^#[\da-f]{6}$/i.test(text(color) ?? '') ? text(color) : null,
    preview: truth(preview),
    sound: truth(sound),
  };
}

function start(value: unknown): { text: string; topic: string | null } | null {
  if (typeof value !== 'object' || value === null) return null;
  return { text: text(object(value).text, 10_000) ?? '', topic: text(object(value).topic, 100) };
}

/** A message of the page in the form that is understood here, or nothing. */
export function read(data: unknown): FromPage | null {
  const { sb, type, value } = object(data);
  if (sb !== 1) return null;
  switch (type) {
    case 'init':
      return { type, value: { ...facts(value), session: token(object(value).session), open: object(value).open === true, start: start(object(value).start) } };
    case 'update':
      return { type, value: facts(value) };
    case 'open':
    case 'close':
    case 'logout':
      return { type };
    case 'session':
      return { type, value: token(value) };
    case 'start':
      return { type, value: start(value) ?? { text: '', topic: null } };
    default:
      return null;
  }
}

/** What a page of a web view is called that has no origin; in messages browsers say `null` or `file://`. */
const NO_ORIGIN = 'null';

/** The origin of the page around us, if it is one that may embed us. */
export function parentOrigin(origins: readonly string[], ancestors: ArrayLike<string> | undefined, referrer: string, web_views = false): string | null {
  let found = ancestors?.[0] || NO_ORIGIN;
  try {
    if (found === NO_ORIGIN) found = new URL(referrer).origin;
  } catch {
    // It has none, or does not say so.
  }
  if (web_views && /^(null$|file:)/.test(found)) return NO_ORIGIN;
  return origins.includes(found) ? found : null;
}

export class Host {
  /** Opened as a page of its own, such as from a link. */
  readonly alone = window.parent === window;
  hear: (message: FromPage) => void = () => {};
  private readonly origin: string | null;

  constructor(
    origins: readonly string[],
    private readonly cookie: string,
    private readonly days: number,
    web_views?: boolean,
  ) {
    this.origin = this.alone ? null : parentOrigin(origins, location.ancestorOrigins, document.referrer, web_views);
  }

  /** Waits for the page's first word, then hears the others, once the chat has begun. */
  meet(begin: (init: Init) => Promise<void>): void {
    if (this.alone) {
      void begin({ ...facts({ locales: [...navigator.languages] }), session: this.kept(), open: true, start: null });
      return;
    }
    let begun: Promise<void> | undefined;
    addEventListener('message', (event) => {
      if (event.source !== window.parent || event.origin.replace('file://', NO_ORIGIN) !== this.origin) return;
      const message = read(event.data);
      if (message?.type === 'init') begun ??= begin(message.value);
      else if (message) void begun?.then(() => this.hear(message), () => {});
    });
    this.say('ready');
  }

  say(type: 'ready' | 'open' | 'close' | 'peek' | 'unread' | 'event' | 'store', value?: unknown, detail?: unknown): void {
    // What has no origin cannot be named; the window around us cannot become another page's while we are in it.
    if (this.origin) window.parent.postMessage({ sb: 1, type, value, detail }, this.origin === NO_ORIGIN ? '*' : this.origin);
  }

  /** Keeps the session where the site keeps its own; empty forgets it. What is kept is heard. */
  store(session: string): void {
    if (!this.alone) return this.say('store', session);
    document.cookie = `${this.cookie}=${session};Path=/w/;Max-Age=${session ? this.days * 86_400 : 0};SameSite=Lax${location.protocol === 'https:' ? ';Secure' : ''}`;
    if (this.kept() === session) this.hear({ type: 'session', value: session });
  }

  private kept(): string {
    return token(new RegExp(`(?:^|; )${this.cookie}=([^;]*)`).exec(document.cookie)?.[1]);
  }
}
