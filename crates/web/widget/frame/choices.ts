// What a visitor chose about being disturbed, for the next page: silence in this browser, no preview in this tab.
export type Choice = 'muted' | 'still';

/** Whether a choice is kept, after it was kept or taken away, if that is asked for. */
export function kept(key: string | undefined, choice: Choice, on?: boolean): boolean {
  try {
    const place = choice === 'muted' ? localStorage : sessionStorage;
    const name = `sb_${choice}_${key}`;
    if (on) place.setItem(name, '1');
    if (on === false) place.removeItem(name);
    return place.getItem(name) !== null;
  } catch {
    // Browsers may forbid it; then it is kept in memory alone.
    return false;
  }
}
