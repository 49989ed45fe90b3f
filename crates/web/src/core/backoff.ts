// How long to wait before trying to connect again.

export const FIRST_MS = 500;
export const LONGEST_MS = 30_000;

/** 0.5 s, doubled for every failure up to 30 s, spread by up to a fifth so that desks do not return all at once. */
export function delay(failures: number, random: number): number {
  const base = Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(failures, 10));
  return Math.round(base * (0.8 + 0.2 * random));
}
