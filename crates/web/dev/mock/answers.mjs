// Why something waits and why somebody does not have it, made up from the same people as the explanations.

const names = (people) => ({ users: Object.fromEntries(people.map((person) => [person.id, person.name])), teams: {}, channel: null });
const candidates = (explained) => explained.explanation.stages.flatMap((stage) => stage.candidates);

/** What would make a person eligible. */
function remedy(candidate, person, now) {
  const reason = candidate.verdict.reason;
  const made = (at, change) => ({ user: person.id, at, changes: [change] });
  switch (reason.code) {
    case 'unavailable':
      return reason.cause === 'away' ? made(null, { kind: 'sets_available', cause: 'away' }) : made(person.person.until ?? now + 3_600_000, { kind: 'becomes_available', cause: reason.cause });
    case 'at_capacity':
      return made(null, { kind: 'closes', items: 1, work: null });
    case 'no_seat':
      return made(null, { kind: 'admin', reason });
    default:
      return null;
  }
}

/** An answer as the host gives it: null for what somebody has. */
export function whyWaiting(row, rows, explained, people, now) {
  if (row.status !== 'open' || row.owner) return { why: null, remedies: [], names: names([]), text: '' };
  const queue = rows.filter((other) => other.status === 'open' && !other.owner && other.queued_since !== null).sort((a, b) => a.queued_since - b.queued_since);
  const place = queue.indexOf(row);
  const skipped = candidates(explained).map((one) => (one.verdict.kind === 'skipped' ? one : { ...one, verdict: { kind: 'skipped', reason: { code: 'at_capacity' } } }));
  const lacks = new Map();
  for (const { verdict } of skipped) lacks.set(JSON.stringify(verdict.reason), 1 + (lacks.get(JSON.stringify(verdict.reason)) ?? 0));
  const remedies = skipped.map((one) => remedy(one, people.find((person) => person.id === one.user), now)).filter((found) => found !== null);
  const rank = (found) => (found.changes[0].kind === 'admin' ? Infinity : (found.at ?? 0));
  return {
    why: {
      item: row.id, outcome: explained.decision.decision.outcome, since: row.queued_since, position: place < 0 ? null : place + 1, ahead: Math.max(0, place),
      changes_at: place < 0 ? null : now + 5 * 60_000,
      lanes: [{ target: 'users_and_teams', people: skipped.length, eligible: 0, lacks: [...lacks].map(([reason, count]) => ({ reason: JSON.parse(reason), people: count })) }],
    },
    remedies: remedies.sort((a, b) => rank(a) - rank(b)), names: names(people), text: '',
  };
}

export function whyNot(explained, user, people) {
  const all = candidates(explained);
  const candidate = all.find((one) => one.user === user);
  const chosen = all.find((one) => one.verdict.kind === 'chosen') ?? null;
  const answers = {
    chosen: () => ({ answer: 'chosen' }),
    eligible: () => ({ answer: 'preferred', candidate, chosen, because: chosen ? 'load' : 'team_only' }),
    skipped: () => {
      const full = candidate.verdict.reason.code === 'at_capacity';
      const capacity = { open: candidate.open, limit: candidate.limit, work: 'mail', open_of_type: candidate.open, limit_of_type: null, weight: 0, item_weight: 0, weight_limit: null, found_full: false };
      return { answer: 'skipped', candidate, until: people.find((person) => person.id === user).person.until, capacity: full ? capacity : null, lacking: [] };
    },
  };
  const answer = candidate ? answers[candidate.verdict.kind]() : { answer: 'not_asked', listed: false, joins_at: null };
  return { answer, names: names(people), text: '' };
}
