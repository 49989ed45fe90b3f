// Small values kept in the browser: drafts and preferences. A browser that refuses storage loses nothing else.

export function read<T>(key: string, fallback: T): T {
  try {
    const text = localStorage.getItem(`switchboard.${key}`);
    return text === null ? fallback : (JSON.parse(text) as T);
  } catch {
    return fallback;
  }
}

export function write(key: string, value: unknown): void {
  try {
    if (value === null || value === undefined) localStorage.removeItem(`switchboard.${key}`);
    else localStorage.setItem(`switchboard.${key}`, JSON.stringify(value));
  } catch {
    // Storage is full or switched off; what is on the screen stays there.
  }
}

/** The names under which values are kept, of those that begin with `prefix`. */
export function names(prefix: string): string[] {
  try {
    return Object.keys(localStorage)
      .filter((key) => key.startsWith(`switchboard.${prefix}`))
      .map((key) => key.slice('switchboard.'.length));
  } catch {
    return [];
  }
}
