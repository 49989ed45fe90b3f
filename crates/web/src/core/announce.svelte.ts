// Short messages: toasts for the eye, and a live region for everybody who does not see them. Announcements come
// at most every two seconds; what piles up meanwhile is said together.
import { newKey } from './api';

export interface Toast {
  id: string;
  text: string;
  tone: 'plain' | 'bad';
  action: { label: string; run: () => void } | null;
  /** When the action is over, in milliseconds since 1970; it counts down to it. */
  until_ms: number | null;
}

const SHOWN_MS = 6000;
const SHOWN_WITH_ACTION_MS = 10_000;
const PAUSE_MS = 2000;
const MOST = 3;

let toasts = $state.raw<Toast[]>([]);
let spoken = $state('');
let urgent = $state('');
let waiting: string[] = [];
let timer: ReturnType<typeof setTimeout> | null = null;
let last_ms = 0;

export const announcements = {
  get toasts(): Toast[] {
    return toasts;
  },
  get polite(): string {
    return spoken;
  },
  get assertive(): string {
    return urgent;
  },
};

/** Says something without showing it. */
export function say(text: string): void {
  if (!waiting.includes(text)) waiting.push(text);
  if (timer !== null) return;
  const wait_ms = Math.max(0, last_ms + PAUSE_MS - Date.now());
  timer = setTimeout(() => {
    timer = null;
    last_ms = Date.now();
    spoken = waiting.join('. ');
    waiting = [];
  }, wait_ms);
}

/** Says something that must not wait, such as a reply that was not sent. */
export function sayNow(text: string): void {
  urgent = text;
}

export function toast(text: string, options: { tone?: 'plain' | 'bad'; action?: Toast['action']; until_ms?: number } = {}): string {
  const entry: Toast = { id: newKey(), text, tone: options.tone ?? 'plain', action: options.action ?? null, until_ms: options.until_ms ?? null };
  toasts = [...toasts.filter((known) => known.text !== text), entry].slice(-MOST);
  if (entry.tone === 'bad') sayNow(text);
  else say(text);
  return entry.id;
}

export function dismiss(id: string): void {
  toasts = toasts.filter((entry) => entry.id !== id);
}

/** How long a toast stays when nobody holds it. */
export function shownMs(entry: Toast): number {
  if (entry.until_ms !== null) return Math.max(1500, entry.until_ms - Date.now());
  return entry.action === null ? SHOWN_MS : SHOWN_WITH_ACTION_MS;
}
