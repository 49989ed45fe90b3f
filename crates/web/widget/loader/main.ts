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
  /** Title of the launcher, one or by language. */
  label?: string | Record<string, string>;
  hideLauncher?: boolean;
  openOnLoad?: boolean;
  cookie?: string;
  cookieDays: number;
  cookieDomain?: string;
  zIndex: number;
  consent?: boolean;
}
type Listener = (detail?: unknown) => void;
type Api = { (...call: unknown[]): void; q?: ArrayLike<unknown>[]; loaded?: boolean };

/** The settings of the widget, which the server wraps around this file; absent in the file for SRI. */
declare const __SB_CONFIG__: Partial<Settings> | undefined;
/** What the launcher is called, and what its badge says, by language. */
declare const __SB_WORDS__: Record<string, [string, string]>;

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
const facts = (): object => ({ ...JSON.parse(JSON.stringify(settings)), locales: languages(), identity, url: location.href.split(/[?#]/)[0], title: doc.title });

/** What is said before the frame listens is part of what it is told first. */
function post(type: string, value?: unknown): void {
  if (isReady) say(frame!, type, value);
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
  if (type === 'close') toggle(false);
  if (type === 'unread' && value >= 0 && value !== unread) {
    unread = +value;
    refresh();
    emit(type, unread);
  }
  if (type === 'event' && /^(conversation:start|message:(sent|received)|error)$/.test(value)) emit(value, detail);
}

function load(): void {
  if (frame || !button) return;
  frame = doc.createElement('iframe');
  prepare(frame, button.getAttribute('aria-label')!, `${base}/w/${settings.widgetKey}`, ending.signal, hear);
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
  const calm = matchMedia('(prefers-reduced-motion)');
  const [svg, show] = drawing();
  const badge = doc.createElement('span');
  const made = (button = doc.createElement('button'));
  made.setAttribute('aria-haspopup', 'dialog');
  made.append(svg, badge);

  refresh = () => {
    const { color, position, sidePx, bottomPx, zIndex, hideLauncher, label = {} } = settings;
    const ink = inkOn(color);
    const place = `position:fixed;z-index:${zIndex};${position}:${sidePx}px;`;
    const rise = bottomPx + (hideLauncher ? 0 : 68);
    const tags = languages().map((tag) => tag.slice(0, 2).toLowerCase().replace(/n[no]/, 'nb'));
    const [title, news] = words[tags.find((tag) => words[tag])!]!;
    const name = typeof label === 'string' ? label : label[tags.find((tag) => label[tag]) || '*'] || title;
    dress(made, `${place}bottom:${bottomPx}px;width:56px;height:56px;display:${hideLauncher || (isOpen && phone.matches) ? 'none' : 'flex'};align-items:center;justify-content:center;cursor:pointer;color:${ink};background:${color};border-radius:50%;box-shadow:0 4px 24px #0005;outline:revert`);
    dress(badge, `position:absolute;top:-3px;right:-3px;min-width:11px;padding:0 5px;border-radius:11px;background:#c62019;color:#fff;font:700 12px/21px system-ui;text-align:center;display:${unread && !isOpen ? 'block' : 'none'}`);
    badge.textContent = unread > 99 ? '99+' : `${unread}`;
    made.setAttribute('aria-expanded', `${isOpen}`);
    made.setAttribute('aria-label', name + (unread ? `, ${news.replace('{n}', `${unread}`)}` : ''));
    show(isOpen);
    if (frame) dress(frame, `${place}${phone.matches ? 'left:0;top:0;width:100%;height:100%' : `bottom:${rise}px;width:384px;height:640px;max-height:calc(100vh - ${rise + 16}px);border-radius:16px;box-shadow:0 4px 24px #0005`};${isOpen ? '' : 'visibility:hidden;opacity:0;'}transition:${calm.matches ? 'none' : '.16s'}`);
  };

  on(made, 'click', () => toggle(!isOpen));
  on(made, 'pointerenter', load);
  on(made, 'keydown', ({ key }) => key === 'Escape' && toggle(false));
  on(phone, 'change', refresh);
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
    button = frame = undefined;
    isReady = isOpen = false;
    first = unread = 0;
    refresh = () => {};
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
    [].forEach.call((before && before.q) || [], (call: []) => api(...[].slice.call(call)));
  };
  if (doc.body) go();
  else on(doc, 'DOMContentLoaded', go);
});
