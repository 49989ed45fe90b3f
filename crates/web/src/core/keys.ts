// The keyboard: single keys and `g` sequences, matched by what the key writes, not by where it sits.

export type Action = () => void;

export interface Binding {
  /** `j`, `g u` (two in a row), `mod+k` (Ctrl or Cmd), `F6`, `shift+F6`. */
  keys: string;
  run: Action;
}

interface KeyLike {
  key: string;
  ctrlKey: boolean;
  metaKey: boolean;
  altKey: boolean;
  shiftKey: boolean;
  isComposing: boolean;
  getModifierState?: (name: string) => boolean;
}

const SEQUENCE_MS = 1200;

/** The name of a pressed key, or null where it must be left alone: composing, AltGr, Alt. */
export function name(event: KeyLike): string | null {
  if (event.isComposing || event.key === 'Dead' || event.key === 'Process') return null;
  if (event.altKey || event.getModifierState?.('AltGraph')) return null;
  const key = event.key === ' ' ? 'Space' : event.key;
  const mod = event.ctrlKey || event.metaKey;
  if (mod) return `mod+${key.length === 1 ? key.toLowerCase() : key}`;
  // A letter or sign already says whether shift was held; named keys do not.
  return key.length > 1 && event.shiftKey ? `shift+${key}` : key;
}

/** Whether typing here means text. */
export function isText(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target.isContentEditable || target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement) return true;
  if (!(target instanceof HTMLInputElement)) return false;
  return !['checkbox', 'radio', 'button', 'submit', 'reset', 'file', 'range', 'color'].includes(target.type);
}

/** Turns key presses into actions. `letters` says whether single characters act at all. */
export class Keyboard {
  private first: { key: string; at_ms: number } | null = null;

  constructor(
    private readonly bindings: () => Binding[],
    private readonly letters: () => boolean,
  ) {}

  /** The action for a press at `now_ms`, if any. */
  press(event: KeyLike, in_text: boolean, now_ms: number): Action | null {
    const key = name(event);
    if (key === null) return null;
    const letter = key.length === 1;
    if (letter && (in_text || !this.letters())) return null;
    const bindings = this.bindings();
    const before = this.first;
    this.first = null;
    if (before && now_ms - before.at_ms <= SEQUENCE_MS) {
      const pair = bindings.find((binding) => binding.keys === `${before.key} ${key}`);
      if (pair) return pair.run;
    }
    if (letter && bindings.some((binding) => binding.keys.startsWith(`${key} `))) {
      this.first = { key, at_ms: now_ms };
      return null;
    }
    return bindings.find((binding) => binding.keys === key)?.run ?? null;
  }
}
