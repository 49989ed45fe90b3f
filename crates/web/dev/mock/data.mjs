// Plausible people, channels and conversations for working on the desk without a host.

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

export const teams = [
  { id: 11, slug: 'billing', name: 'Faktura', parent: null },
  { id: 12, slug: 'support', name: 'Support', parent: null },
];

export const workspaces = [
  { id: 21, slug: 'support', name: 'Customer support', kind: 'help_desk', access: { kind: 'everyone' }, seats: ['service'], close_together: true, reassign_limited: false },
  { id: 22, slug: 'sales', name: 'Sales inbox', kind: 'inbox', access: { kind: 'everyone' }, seats: ['sales', 'service'], close_together: true, reassign_limited: false },
];

const person = (user, value, open, limit, more = {}) => ({
  user, status: { value, set_at: Date.now() - 3 * HOUR, origin: 'by_hand', ...(more.reason ? { reason: more.reason } : {}) },
  availability_version: 4, open, open_per_type: { mail: open }, available: value === 'available' && !more.cause,
  cause: more.cause ?? (value === 'available' ? null : 'away'), until: more.until ?? null, limit, limits: more.limits ?? {}, changed_by: more.changed_by ?? null, previous: null,
});

const user = (id, name, email, role, team, more = {}) => ({
  id, name, email, role, seat: more.seat ?? 'service', active: more.active ?? true, accepted: true, ticket_access: true, team,
  extra_teams: more.extra_teams ?? [], zone: 'Europe/Oslo', hours: ['mon-fri 08:00-16:00'], out_of_office: [], capacity: { total: more.limit ?? 10 }, language: null,
});

export function makePeople(now) {
  return [
    { ...user(1, 'Jan van den Berg', 'jan@example.test', 'lead', 11, { extra_teams: [12] }), person: person(1, 'available', 5, 10) },
    { ...user(2, 'Pia Holm', 'pia@example.test', 'agent', 11), person: person(2, 'available', 3, 10) },
    { ...user(3, 'Tor Nilsen', 'tor@example.test', 'agent', 12), person: person(3, 'away', 2, 10, { reason: 'meeting', until: now + 40 * MINUTE }) },
    { ...user(4, 'Liv Moe', 'liv@example.test', 'agent', 12), person: person(4, 'available', 10, 10) },
    { ...user(5, 'Sanne Vos', 'sanne@example.test', 'agent', 11), person: person(5, 'available', 1, 8, { cause: 'outside_hours', until: now + 14 * HOUR }) },
    { ...user(6, 'Åse Lindqvist', 'ase@example.test', 'viewer', 12, { seat: 'none' }), person: person(6, 'available', 0, null) },
  ];
}

const capabilities = { reply: true, subject: true, attachments: true, html: true, copies: true, recall: true };

export function makeChannels(now) {
  const entry = (id, slug, name, kind, workspace, rule, state) => ({
    id, slug, name, kind, workspace, on: true, zone: 'Europe/Oslo', hours: [], reopen_owner: 'keep', rule,
    capabilities: kind === 'form' ? { ...capabilities, copies: false, recall: false } : capabilities, state, stale: [],
  });
  return [
    entry(31, 'support_mail', 'Support mail', 'email', 21, {
      on: true, version: 7,
      cases: [
        { when: { all: [{ contains: { field: 'message.subject', values: ['faktura', 'invoice'] } }] }, target: { kind: 'users_and_teams', members: [{ team: 11 }] }, distribution: 'load_balanced', only_available: true, when_nobody: 'unassigned', outside_hours: 'route' },
        { target: { kind: 'users_and_teams', members: [{ team: 12 }, { user: 1 }] }, only_available: true, when_nobody: 'unassigned', outside_hours: 'route' },
      ],
    }, { running: true, error: null, last_event_at: now - 2 * MINUTE }),
    entry(32, 'contact', 'Contact form', 'form', 22, {
      on: true, version: 5,
      cases: [{ target: { kind: 'contact_owner', require_cookie: false, fallback: { kind: 'users_and_teams', members: [{ team: 11 }] } }, distribution: 'round_robin', only_available: true, when_nobody: 'unassigned', outside_hours: 'route' }],
    }, { running: true, error: null, last_event_at: now - 47 * MINUTE }),
    entry(33, 'returns', 'Returns mail', 'email', 21, null, { running: false, error: 'cannot listen on 127.0.0.1:2526: address in use', last_event_at: null }),
  ];
}

const people = [
  ['Kari Ødegård', 'kari@eksempel.no'], ['Bjørn Lie', 'bjorn.lie@eksempel.no'], ['Sofie Jensen', 'sofie@eksempel.dk'], ['Mohammed El Amrani', 'm.elamrani@voorbeeld.nl'],
  ['Ingrid Åsheim', 'ingrid@eksempel.no'], ['Daan de Vries', 'daan@voorbeeld.nl'], ['Freja Nørgaard', 'freja@eksempel.dk'], ['Olav Hauge', 'olav@eksempel.no'],
  ['Emma Thompson', 'emma@example.test'], ['Lars Mikkelsen', 'lars@eksempel.dk'], ['Anna Bakke', 'anna.bakke@eksempel.no'], ['Pieter Jansen', 'pieter@voorbeeld.nl'],
];
const topics = [
  ['Parcel 8841 is missing', 'Hei, jeg har ikke fått pakken som skulle komme på tirsdag. Kan dere se hvor den er blitt av?'],
  ['Invoice 20391 has the wrong address', 'The address on the invoice is our old one. Could you send a corrected copy before Friday?'],
  ['Return of two lamps', 'Ik wil graag twee lampen terugsturen. De doos is nog dicht. Hoe werkt dat?'],
  ['Delivery on Saturday?', 'Er det muligt at få leveret lørdag formiddag? Vi er hjemme fra klokken ni.'],
  ['Question about the warranty', 'The hinge broke after fourteen months. Is that still covered?'],
  ['Bestilling 55120', 'Jeg la inn en bestilling i går, men har ikke fått bekreftelse på e-post.'],
  ['Change of delivery address', 'We have moved the office to Storgata 14. Please change it for all open orders.'],
  ['Payment did not go through', 'Mijn betaling is twee keer afgeschreven. Kunnen jullie dat nakijken?'],
];

export function makeItems(now, count) {
  const items = [];
  for (let index = 0; index < count; index += 1) {
    const [name, email] = people[index % people.length];
    const [subject, text] = topics[(index * 5 + Math.floor(index / 8)) % topics.length];
    const help = index % 3 !== 2;
    const id = 10_432 - index * 2;
    const age = (index * index * 4 + index * 11 + 3) * MINUTE;
    const owner = [null, 1, 2, null, 1, 4, 5, 1][index % 8];
    const queued = index % 8 === 3;
    const status = index % 19 === 18 ? 'closed' : index % 17 === 16 ? 'snoozed' : 'open';
    items.push({
      row: {
        id, kind: help ? 'ticket' : 'conversation', version: 3, workspace: help ? 21 : 22, channel: help ? (index % 7 === 6 ? 33 : 31) : 32,
        conversation: help ? id - 1 : id, ticket: help ? id : null,
        contact: { id: 500 + (index % people.length), name, identity: { kind: 'email', value: email } },
        subject: help ? subject : index % 2 ? subject : null, preview: text.slice(0, 120), status,
        priority: index % 11 === 0 ? 'high' : index % 23 === 5 ? 'urgent' : 'normal', ticket_type: help ? 'email_other' : null,
        owner: owner ? { kind: 'user', id: owner } : null, team: owner ? (owner === 4 ? 12 : 11) : index % 4 === 0 ? 11 : null,
        owned_since: owner ? now - age + MINUTE : null, unassigned_reason: owner || queued ? null : index % 2 ? 'no_rule' : 'nobody_eligible',
        waiting_since: status === 'open' && index % 4 !== 3 ? now - age : null, last_message_at: now - age, created_at: now - age - DAY,
        queued_since: queued && status === 'open' ? now - age + MINUTE : null,
        due_at: status !== 'open' ? null : index % 9 === 3 ? now - 12 * MINUTE : index % 9 === 4 ? now + 25 * MINUTE : index % 9 === 5 ? now + 26 * HOUR : null, merged_into: null,
      },
      text,
    });
  }
  return items;
}

const HTML = `<div style="font-family:Georgia,serif;color:#222"><p>Dear support,</p><p>the address on <b>invoice 20391</b> is our <span style="background:#fff3b0">old one</span>. Could you send a corrected copy?</p>
<table style="border-collapse:collapse;margin:8px 0"><tr><td style="border:1px solid #ccc;padding:4px 10px">Old</td><td style="border:1px solid #ccc;padding:4px 10px">Havnegata 2, 7010 Trondheim</td></tr><tr><td style="border:1px solid #ccc;padding:4px 10px">New</td><td style="border:1px solid #ccc;padding:4px 10px">Storgata 14, 7013 Trondheim</td></tr></table>
<p><img width="120" height="40" alt="logo" data-remote-src="https://tracker.invalid/pixel.png"><img width="1" height="1" data-remote-src="http://old-tracker.invalid/pixel.png"></p><p>Kind regards<br><a href="https://example.test/">Emma Thompson</a></p></div>`;

let next_message = 90_000;
export const newMessageId = () => (next_message += 1);

/** A thread that shows every kind of entry once. */
export function makeThread(item, now) {
  const base = { conversation: item.row.conversation, author_name: item.row.contact.name, subject: item.row.subject, html: null, fields: [], attachments: [], recipients: [], to: [], bcc: [], details: {}, nature: 'message', raw: 77, delivery: null };
  const contact = { kind: 'contact', id: item.row.contact.id };
  const at = item.row.last_message_at;
  const sent = { state: 'sent', attempts: 1, error: null, next_attempt_at: null, refused: [], recallable: false };
  return [
    { ...base, id: newMessageId(), kind: 'inbound', at: at - 26 * HOUR, author: contact, text: `${item.text}\n\nVennlig hilsen\n${item.row.contact.name}`, fields: item.row.channel === 32 ? [['Name', item.row.contact.name], ['Topic', 'Delivery'], ['Order number', '55120'], ['Message', `${item.text}\n\nVennlig hilsen\n${item.row.contact.name}`]] : [] },
    { ...base, id: newMessageId(), kind: 'note', at: at - 25 * HOUR, author: { kind: 'user', id: 2 }, author_name: 'Pia Holm', text: 'Ring lageret først – de flyttet alt fra hylle 14 i går.', nature: 'message', raw: null },
    { ...base, id: newMessageId(), kind: 'reply', at: at - 24 * HOUR, author: { kind: 'user', id: 1 }, author_name: 'Jan van den Berg', text: `Hei,\n\nvi ser på det og kommer tilbake i morgen.\n\nJan`, raw: null, delivery: sent, recipients: [{ name: null, address: item.row.contact.identity.value }] },
    { ...base, id: newMessageId(), kind: 'inbound', at: at - 22 * HOUR, author: contact, text: 'I am out of the office until Monday.', nature: 'auto_reply' },
    { ...base, id: newMessageId(), kind: 'reply', at: at - 3 * HOUR, author: { kind: 'user', id: 1 }, author_name: 'Jan van den Berg', text: 'Pakken er funnet og sendes i dag.', raw: null, delivery: { state: 'failed', attempts: 5, error: 'mailbox full (552)', next_attempt_at: null, refused: [], recallable: false } },
    ...(item.row.id % 4 === 0 ? [{ ...base, id: newMessageId(), kind: 'inbound', at: at - 2 * HOUR, author: contact, text: 'Dear support,\nthe address on invoice 20391 is our old one.', html: HTML, attachments: [{ id: 71, name: 'invoice-20391.pdf', content_type: 'application/pdf', bytes: 183_204, content_id: null }] }] : []),
    ...(item.row.id % 6 === 0 ? [{ ...base, id: newMessageId(), kind: 'inbound', at: at - HOUR, author: contact, text: 'Subject: =?utf-8?Q?broken', nature: 'malformed' }] : []),
    { ...base, id: newMessageId(), kind: 'inbound', at, author: contact, text: `${item.text}\n\nOn Tue, 3 Mar 2026 at 09:12, Jan van den Berg wrote:\n> Hei,\n>\n> vi ser på det og kommer tilbake i morgen.` },
  ];
}
