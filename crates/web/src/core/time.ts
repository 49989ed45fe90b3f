// Times as people read them, in the language and zone of the reader.

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

const formats = new Map<string, Intl.DateTimeFormat>();

function format(language: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = `${language} ${JSON.stringify(options)}`;
  let found = formats.get(key);
  if (!found) {
    // Region variants give English and Danish their 24-hour clocks as people here write them.
    found = new Intl.DateTimeFormat(language === 'en' ? 'en-GB' : language, options);
    formats.set(key, found);
  }
  return found;
}

/** Hours and minutes. */
export function clock(at_ms: number, language: string): string {
  return format(language, { hour: '2-digit', minute: '2-digit' }).format(at_ms);
}

/** Day, month, year and clock, for tooltips and details. */
export function full(at_ms: number, language: string): string {
  return format(language, { dateStyle: 'medium', timeStyle: 'short' }).format(at_ms);
}

export function date(at_ms: number, language: string): string {
  return format(language, { dateStyle: 'medium' }).format(at_ms);
}

/** Whether two instants lie on the same day of the reader's calendar. */
export function sameDay(one_ms: number, other_ms: number): boolean {
  const [a, b] = [new Date(one_ms), new Date(other_ms)];
  return a.getFullYear() === b.getFullYear() && a.getMonth() === b.getMonth() && a.getDate() === b.getDate();
}

/** Clock today, weekday within six days, day and month within the year, else with the year. */
export function brief(at_ms: number, now_ms: number, language: string): string {
  if (sameDay(at_ms, now_ms)) return clock(at_ms, language);
  if (now_ms - at_ms < 6 * DAY_MS && now_ms >= at_ms) return format(language, { weekday: 'short' }).format(at_ms);
  if (new Date(at_ms).getFullYear() === new Date(now_ms).getFullYear()) {
    return format(language, { day: 'numeric', month: 'short' }).format(at_ms);
  }
  return format(language, { day: 'numeric', month: 'short', year: 'numeric' }).format(at_ms);
}

/** The title of a day in a thread. */
export function day(at_ms: number, now_ms: number, language: string, words: { today: string; yesterday: string }): string {
  if (sameDay(at_ms, now_ms)) return words.today;
  const before = new Date(now_ms);
  before.setDate(before.getDate() - 1);
  if (sameDay(at_ms, before.getTime())) return words.yesterday;
  const year = new Date(at_ms).getFullYear() === new Date(now_ms).getFullYear() ? undefined : ('numeric' as const);
  return format(language, { weekday: 'long', day: 'numeric', month: 'long', ...(year ? { year } : {}) }).format(at_ms);
}

const UNITS: Record<string, { s: string; m: string; h: string; d: string }> = {
  en: { s: 's', m: 'm', h: 'h', d: 'd' },
  nl: { s: 's', m: 'm', h: 'u', d: 'd' },
  nb: { s: 's', m: 'm', h: 't', d: 'd' },
  da: { s: 's', m: 'm', h: 't', d: 'd' },
};

/** A length of time in its largest unit, two for hours: `14 m`, `3 h 05 m`, `2 d`. */
export function duration(length_ms: number, language: string): string {
  const units = UNITS[language] ?? UNITS.en!;
  const ms = Math.max(0, length_ms);
  if (ms < MINUTE_MS) return `${Math.floor(ms / 1000)} ${units.s}`;
  if (ms < HOUR_MS) return `${Math.floor(ms / MINUTE_MS)} ${units.m}`;
  if (ms < DAY_MS) {
    const [hours, minutes] = [Math.floor(ms / HOUR_MS), Math.floor((ms % HOUR_MS) / MINUTE_MS)];
    return minutes === 0 ? `${hours} ${units.h}` : `${hours} ${units.h} ${String(minutes).padStart(2, '0')} ${units.m}`;
  }
  return `${Math.floor(ms / DAY_MS)} ${units.d}`;
}

/** When something will be: the clock today, weekday and clock within a week, else the date. */
export function upcoming(at_ms: number, now_ms: number, language: string): string {
  if (sameDay(at_ms, now_ms)) return clock(at_ms, language);
  if (at_ms - now_ms < 6 * DAY_MS) {
    return format(language, { weekday: 'short', hour: '2-digit', minute: '2-digit' }).format(at_ms);
  }
  return full(at_ms, language);
}

/** Microseconds as people read them. */
export function micros(length_us: number, language: string): string {
  return length_us < 1000 ? `${length_us} µs` : `${(length_us / 1000).toLocaleString(language, { maximumFractionDigits: 1 })} ms`;
}

/** Next eight o'clock, `days` days from now, in the reader's zone. */
export function morning(now_ms: number, days: number): number {
  const at = new Date(now_ms);
  at.setDate(at.getDate() + days);
  at.setHours(8, 0, 0, 0);
  return at.getTime();
}

/** Days from now until the coming Monday, 1 to 7. */
export function daysToMonday(now_ms: number): number {
  return ((8 - new Date(now_ms).getDay()) % 7) || 7;
}

/** A size in bytes as people read it. */
export function bytes(size_bytes: number, language: string): string {
  const shown = (value: number, unit: string): string => `${value.toLocaleString(language, { maximumFractionDigits: 1 })} ${unit}`;
  if (size_bytes < 1024) return shown(size_bytes, 'B');
  if (size_bytes < 1024 * 1024) return shown(size_bytes / 1024, 'kB');
  return shown(size_bytes / (1024 * 1024), 'MB');
}
