// What a visitor chose about being disturbed, for the next page: silence in this browser, no preview in this tab.
export type Choice = 'muted' | 'still';

const place = (choice: Choice): Storage => (choice === 'muted' ? localStorage : sessionStorage);

export function chose(key: string | undefined, choice: Choice): boolean {
  try {
    return place(choice).getItem(`sb_${choice}_${key}`) !== null;
  } catch {
    // Browsers may forbid it; then it is kept in memory alone.
    return false;
  }
}

export function choose(key: string | undefined, choice: Choice, on: boolean): void {
  try {
    if (on) place(choice).setItem(`sb_${choice}_${key}`, '1');
    else place(choice).removeItem(`sb_${choice}_${key}`);
  } catch {
    // Then nothing was kept either.
  }
}
