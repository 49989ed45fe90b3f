// Preferences of this browser: appearance, single-letter keys, whether the details are open.
import { read, write } from './store';

export type Theme = 'system' | 'light' | 'dark';

let theme = $state<Theme>(read<Theme>('theme', 'system'));
let letters = $state(read('letters', true));
let details = $state(read('details', true));

export const prefs = {
  get theme(): Theme {
    return theme;
  },
  set theme(value: Theme) {
    theme = value;
    write('theme', value);
    apply();
  },
  get letters(): boolean {
    return letters;
  },
  set letters(value: boolean) {
    letters = value;
    write('letters', value);
  },
  get details(): boolean {
    return details;
  },
  set details(value: boolean) {
    details = value;
    write('details', value);
  },
};

/** Puts the chosen appearance on the page. */
export function apply(): void {
  document.documentElement.dataset.theme = theme;
}
