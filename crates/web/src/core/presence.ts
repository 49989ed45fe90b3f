// Whose choice a status is: the person's own, or that of somebody else, who may be overruled with one click.
import type { Actor, PersonView, StatusValue } from './types';

export interface Choice {
  value: StatusValue;
  reason: string | null;
}

/** A person without a record has never left the beginning, which is being available. */
const BEGINNING: Choice = { value: 'available', reason: null };

export function choiceOf(person: PersonView): Choice {
  return person.status ? { value: person.status.value, reason: person.status.reason ?? null } : BEGINNING;
}

/** Who set the status, when that was a colleague or a program. */
export function changedByOther(person: PersonView): Actor | null {
  const actor = person.changed_by;
  if (actor === null || (actor.kind === 'user' && actor.id === person.user)) return null;
  return actor.kind === 'user' || actor.kind === 'api' ? actor : null;
}

/** The person's own last choice as far as this browser has seen it: what others set leaves it as it was. */
export function ownChoice(known: Choice | null, person: PersonView): Choice | null {
  return changedByOther(person) === null ? choiceOf(person) : known;
}

/**
 * What undoing somebody else's change brings back: the person's own last choice. Where this browser has not seen
 * it, the status before the last change is the nearest known. Null when there is nothing to undo.
 */
export function wayBack(own: Choice | null, person: PersonView): Choice | null {
  if (changedByOther(person) === null) return null;
  const before = person.previous ? { value: person.previous.value, reason: person.previous.reason ?? null } : BEGINNING;
  const back = own ?? before;
  const now = choiceOf(person);
  return back.value === now.value && back.reason === now.reason ? null : back;
}
