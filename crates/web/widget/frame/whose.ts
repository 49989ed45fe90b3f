// Whose chat this is: what has to be forgotten when somebody else comes, and what stays when it is the same visitor.
import type { Identity } from './host';

/** The account that a page names, signed or not; null for a stranger. */
export function accountOf(identity: Identity | null): string | null {
  if (!identity) return null;
  if (!identity.jwt) return `account ${identity.id}`;
  try {
    const bytes = Uint8Array.from(atob(identity.jwt.split('.')[1]!.replaceAll('-', '+').replaceAll('_', '/')), (letter) => letter.charCodeAt(0));
    const { sub } = JSON.parse(new TextDecoder().decode(bytes)) as { sub?: unknown };
    return `account ${sub}`;
  } catch {
    return 'unreadable';
  }
}

/** The letters of a session's token that stay the same when it is renewed. */
const LASTING_LETTERS = 21;

/** The visitor that a session's token stands for; empty without a session. No session can be made from it. */
export const visitorOf = (session: string): string => session.slice(0, LASTING_LETTERS);

export interface Whose {
  account: string | null;
  visitor: string;
}

/** Whether what one visitor left may be shown to, and sent as, another: the same account, or the stranger of before, who
 * may have signed in or begun a session since. */
export function isSame(before: Whose, now: Whose): boolean {
  if (before.account !== null) return before.account === now.account;
  return before.visitor === '' || before.visitor === now.visitor;
}
