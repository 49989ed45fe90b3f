// What a site loads: the launcher, the frame behind it, and the verbs. Nothing in here may throw into the page.
import { embedForms } from './forms';
import { prepare, say } from './frames';
import { drawing, dress, inkOn } from './look';

/** What the server bakes in, what the page says in `switchboardSettings`, and with the verbs `boot` and `update`. */
interface Settings {
  baseUrl?: string;
  widgetKey?: string;
  locale?: string;
  position: string;
  sidePx: number;
  bottomPx: number;
  color: string;
  /** Title of the launcher: a text, or texts by language. */
  label?: any;
  hideLauncher?: boolean;
  openOnLoad?: boolean;
  cookie?: string;
  cookieDays: number;
  cookieDomain?: string;
  zIndex: number;
  consent?: boolean;
}
type Listener = (detail?: unknown) => void;
type Api = { (...call: unknown[]): void; q?: Iterable<unknown>[]; loaded?: boolean };

/** The settings of the widget, which the server wraps around this file; absent in the file for SRI. */
declare const __SB_CONFIG__: Partial<Settings> | undefined;
/** By language what the launcher is called, and what its badge says around the number. */
declare const __SB_WORDS__: Record<string, string[]>;

const page = window as unknown as { switchboard?: Api; switchboardSettings?: Partial<Settings>; navigation?: EventTarget };
const doc = document;
const script = doc.currentScript as HTMLScriptElement | null;
const listeners: Record<string, Listener[]> = {};
const words = __SB_WORDS__;

let settings = {} as Settings;
let base = '';
let cookie = '';
let token = '';
let identity: unknown;
let button: HTMLButtonElement | undefined;
let frame: HTMLIFrameElement | undefined;
let refresh = (): void => {};
let isReady = false;
let isOpen = false;
let unread = 0;
/** How high the frame wants to be while it shows an answer above the launcher; 0 for not at all. */
let peek = 0;
/** How high it was shown last, which it stays while it fades away. */
let shownPx: number | false = 0;
let first: unknown;
let ending = new AbortController();

/** Runs something of ours or of the page's; a failure becomes an event. */
function safely(run: (value: any) => void, value?: unknown): void {
  try {
    run(value);
  } catch (error) {
    tell('error', { code: `${error}` });
  }
}

function tell(name: string, detail?: unknown): void {
  doc.dispatchEvent(new CustomEvent(`switchboard:${name}`, { detail }));
}

function emit(name: string, detail?: unknown): void {
  (listeners[name] || []).forEach((listener) => safely(listener, detail));
  tell(name, detail);
}

function on(target: EventTarget, type: string, run: (event: any) => void): void {
  target.addEventListener(type, (event) => safely(run, event), { signal: ending.signal });
}

const readCookie = (): string => (doc.cookie.match(`(?:^|; )${cookie}=([^;]*)`) || [])[1] || '';

function store(value: string): void {
  const { cookieDays, cookieDomain: domain, consent } = settings;
  if (value && consent === false) return;
  doc.cookie = `${cookie}=${value};Path=/;Max-Age=${value ? cookieDays * 86400 : 0};SameSite=Lax${domain ? `;Domain=${domain}` : ''}${location.protocol > 'http:' ? ';Secure' : ''}`;
  checkCookie();
}

/** Tells the frame what is kept: what it asked for, or what another tab has begun or ended. */
function checkCookie(): void {
  if (isReady && token !== (token = readCookie())) post('session', token);
}

/** Languages to try: what the page asks for, its own, the browser's. */
const languages = (): string[] => [settings.locale!, doc.documentElement.lang, ...navigator.languages, 'en'].filter(Boolean);

/** What the frame may know of the page. What does not travel stays behind: there may be functions in the settings. */
const facts = (): object => ({ ...JSON.parse(JSON.stringify(settings)), locales: languages(), identity, url: location.origin + location.pathname, title: doc.title });

/** What is said before the frame listens is part of what it is told first. */
function post(type: string, value?: unknown): void {
  if (isReady) say(frame!, base, type, value);
}
const update = (): void => post('update', facts());

/** What the frame says; nothing of it is taken as it comes. */
function hear(type: string, value: any, detail: unknown): void {
  if (type === 'ready') {
    isReady = true;
    token = readCookie();
    post('init', { ...facts(), session: token, open: isOpen, start: first });
    emit(type);
  }
  if (type === 'store' && /^[\w.~-]{0,512}$/.test(value)) store(value);
  if (type === 'open') toggle(true);
  if (type === 'close') {
    button!.focus();
    toggle(false);
  }
  if (type === 'peek' && value >= 0 && value <= 180) {
    peek = +value;
    refresh();
  }
  if (type === 'unread' && value >= 0 && value !== unread) {
    unread = +value;
    refresh();
    emit(type, unread);
  }
  if (type === 'event' && /^(conversation:start|message:(sent|received)|error)$/.test(value)) emit(value, detail);
}

function load(): void {
  if (frame || !button) return;
  frame = prepare(button.getAttribute('aria-label')!, base, `/w/${settings.widgetKey}`, ending.signal, hear);
  frame.allow = 'autoplay;clipboard-write';
  refresh();
  doc.body.appendChild(frame);
}

function toggle(open: boolean): void {
  if (open === isOpen || !button) return;
  load();
  isOpen = open;
  refresh();
  checkCookie();
  const name = open ? 'open' : 'close';
  post(name);
  (open ? frame! : button).focus();
  emit(name);
}

function mount(): void {
  const phone = matchMedia('(max-width:480px),(max-height:400px)');
  const [svg, show] = drawing();
  const badge = doc.createElement('span');
  const made = (button = doc.createElement('button'));
  made.setAttribute('aria-haspopup', 'dialog');
  made.append(svg, badge);

  refresh = () => {
    const { color, position, sidePx, bottomPx, zIndex, hideLauncher, label = {} } = settings;
    const ink = inkOn(color);
    const place = `position:fixed;z-index:${zIndex};${position}:${sidePx}px;box-shadow:0 4px 24px #0005;`;
    const rise = bottomPx + (hideLauncher ? 0 : 68);
    const tags = languages().map((tag) => tag.slice(0, 2).toLowerCase().replace(/n[no]/, 'nb'));
    const [title, ...news]: any[] = words[tags.find((tag) => words[tag])!]!;
    const name = label.trim ? label : label[tags.find((tag) => label[tag]) || '*'] || title;
    dress(made, `${place}bottom:${bottomPx}px;width:56px;height:56px;display:${hideLauncher || (isOpen && phone.matches) ? 'none' : 'grid'};place-items:center;cursor:pointer;color:${ink};background:${color};border-radius:50%;outline:revert`);
    dress(badge, `position:absolute;top:-3px;right:-3px;min-width:11px;padding:0 5px;border-radius:11px;background:#c62019;color:#fff;font:700 12px/21px system-ui;display:${isOpen || !unread ? 'none' : 'grid'};place-items:center`);
    badge.textContent = unread > 99 ? '99+' : (unread as unknown as string);
    made.setAttribute('aria-expanded', isOpen as unknown as string);
    made.setAttribute('aria-label', name + (unread ? `, ${news.join(unread as any)}` : ''));
    show(isOpen);
    const fade = matchMedia('(prefers-reduced-motion)').matches ? '0s' : '.16s';
    // An answer above the launcher takes no more than a third of the page's height.
    const high = !isOpen && peek * 3 < innerHeight && peek;
    shownPx = isOpen ? 0 : high || shownPx;
    if (frame) dress(frame, `${place}${phone.matches && !shownPx ? 'inset:0;width:100%;height:100%' : `bottom:${rise}px;width:${shownPx ? 300 : 384}px;max-width:80%;height:${shownPx || 640}px;max-height:calc(100% - ${rise + 16}px);border-radius:16px`};${isOpen || high ? '' : 'visibility:hidden;opacity:0;'}transition:opacity ${fade},visibility ${fade}`);
  };

  on(made, 'click', () => toggle(!isOpen));
  on(made, 'pointerenter', load);
  on(made, 'keydown', ({ key }) => key === 'Escape' && toggle(false));
  on(window, 'resize', refresh);
  on(doc, 'visibilitychange', checkCookie);
  if (page.navigation) on(page.navigation, 'navigatesuccess', update);
  refresh();
  doc.body.appendChild(made);
  ending.signal.onabort = () => made.remove();
  if (settings.openOnLoad) toggle(true);
  else if (readCookie()) setTimeout(safely, 200, load);
}

const verbs: Record<string, (value?: any, more?: any) => void> = {
  boot(value) {
    const baked = typeof __SB_CONFIG__ === 'undefined' ? script!.dataset : __SB_CONFIG__;
    settings = { position: 'right', sidePx: 20, bottomPx: 20, zIndex: 2147483e3, color: '#0d6661', cookieDays: 180, ...baked, ...page.switchboardSettings, ...value };
    base = new URL(settings.baseUrl || script!.src).origin;
    cookie = settings.cookie || `sb_${settings.widgetKey}`;
    if (settings.widgetKey && !button) mount();
    embedForms(base, languages()[0]!, ending.signal, emit);
  },
  open: () => toggle(true),
  close: () => toggle(false),
  toggle: () => toggle(!isOpen),
  identify(value) {
    identity = value;
    load();
    update();
  },
  update(value) {
    Object.assign(settings, value);
    refresh();
    update();
  },
  logout() {
    identity = 0;
    post('logout');
    store('');
  },
  startConversation(value) {
    first = value || {};
    toggle(true);
    post('start', first);
  },
  consent(value) {
    settings.consent = value;
    update();
    if (!value) store('');
  },
  on: (name, listener) => void (listeners[name] = [...(listeners[name] || []), listener]),
  off: (name, listener) => void (listeners[name] = (listeners[name] || []).filter((one) => listener && one !== listener)),
  destroy() {
    ending.abort();
    ending = new AbortController();
    button = frame = first = unread = peek = 0 as never;
    isReady = isOpen = false;
  },
};

safely(() => {
  const before = page.switchboard;
  if (before && before.loaded) return;
  const api: Api = (name, ...values) => safely(() => verbs[name as string]!(...values));
  api.loaded = true;
  page.switchboard = api;
  const go = (): void => {
    api('boot');
    for (const call of (before && before.q) || []) api(...call);
  };
  if (doc.body) go();
  else on(doc, 'DOMContentLoaded', go);
});
