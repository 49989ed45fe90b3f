// Checks of what is typed before a conversation. The server checks again; this only spares a round trip.

export type Wrong = 'required' | 'email' | 'number' | 'invalid' | 'too_long';

/** What is wrong with a value, if anything. */
export function wrong(kind: string, required: boolean, value: string): Wrong | null {
  const text = value.trim();
  if (text === '') return required ? 'required' : null;
  if (text.length > 500) return 'too_long';
  if (kind === 'email' && !/^[^\s@]+@[^\s@.]+(\.[^\s@.]+)+$/.test(text)) return 'email';
  if (kind === 'number' && !/^[-+]?\d+([.,]\d+)?$/.test(text)) return 'number';
  if (kind === 'phone' && !/^\+?[\d\s()./-]{3,40}$/.test(text)) return 'invalid';
  return null;
}
