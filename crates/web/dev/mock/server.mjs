// A stand-in for the host while working on the desk: the routes it uses, in memory, with live events, and the
// built desk under the same headers as in production. `npm run build && npm run mock`, then http://127.0.0.1:PORT.
import { createReadStream, existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { dirname, extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { whyNot, whyWaiting } from './answers.mjs';
import { makeChannels, makeItems, makePeople, makeThread, newMessageId, teams, workspaces } from './data.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const dist = join(here, '..', '..', 'dist');
const policies = readFileSync(join(here, '..', '..', 'src', 'pages.rs'), 'utf8');
const TYPES = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml', '.json': 'application/json' };

/** The policies of the Rust router, read from its source so that the two cannot drift apart. */
function policy(name) {
  const found = new RegExp(`const ${name}: &str =\\s*"([^"]*)"`).exec(policies);
  if (!found) throw new Error(`src/pages.rs has no ${name}`);
  return found[1].replace(/\\\s*\n\s*/g, '');
}

export function createMock({ items: count = 60, signed_in = true, fail_items = false, me: reader = 1, role = null, undo_seconds = 10 } = {}) {
  const now = Date.now();
  const people = makePeople(now);
  let channels = makeChannels(now);
  const items = makeItems(now, count);
  const threads = new Map();
  const tokens = [{ id: 1, name: 'Nightly export', scopes: ['read'], created_at: now - 9e8, expires_at: null, last_used_at: now - 3.6e6 }];
  const streams = new Set();
  const events = [];
  let signed = signed_in;
  let directory_version = 7;
  const failing = { items: fail_items, send: null };
  const recalled = [];

  const me = () => people.find((person) => person.id === reader);
  if (role) me().role = role;
  const thread = (item) => {
    if (!threads.has(item.row.conversation)) threads.set(item.row.conversation, makeThread(item, now));
    return threads.get(item.row.conversation);
  };
  const emit = (kind, more) => {
    const event = { id: events.length + 1, at: Date.now(), kind, workspace: null, item: null, conversation: null, version: null, message: null, user: null, ...more };
    events.push(event);
    for (const stream of streams) stream.write(`id: ${event.id}\nevent: ${kind}\ndata: ${JSON.stringify(event)}\n\n`);
  };
  const touched = (item) => emit('item', { workspace: item.row.workspace, item: item.row.id, conversation: item.row.conversation, version: item.row.version });
  const mine = (row) => row.owner?.kind === 'user' && row.owner.id === reader;
  const my_teams = () => [me().team, ...me().extra_teams];
  const inView = {
    unassigned: (row) => row.status === 'open' && !row.owner,
    mine: (row) => row.status === 'open' && mine(row),
    team_unassigned: (row) => row.status === 'open' && !row.owner && my_teams().includes(row.team),
    team_open: (row) => row.status === 'open' && my_teams().includes(row.team),
    open: (row) => row.status === 'open',
    waiting: (row) => row.status === 'open' && !row.owner && row.queued_since !== null,
    snoozed: (row) => row.status === 'snoozed',
    closed: (row) => row.status === 'closed' && row.merged_into === null,
  };
  const rank = { urgent: 0, high: 1, normal: 2, low: 3 };
  const orders = {
    newest: (a, b) => b.last_message_at - a.last_message_at,
    oldest: (a, b) => a.last_message_at - b.last_message_at,
    waiting_longest: (a, b) => (a.waiting_since ?? Infinity) - (b.waiting_since ?? Infinity),
    priority: (a, b) => rank[a.priority] - rank[b.priority] || (a.waiting_since ?? Infinity) - (b.waiting_since ?? Infinity),
  };
  const counts = () => Object.fromEntries(Object.entries(inView).map(([name, test]) => [name, items.filter((item) => test(item.row)).length]));
  const decision = (item, id = 800 + (item.row.id % 100)) => ({
    id, at: item.row.created_at + 40, no: 4211, directory_version, duration_us: 38, refused: null, text: 'Assigned by the rule.',
    decision: {
      item: item.row.id, item_version: 1, event: 'arrived', group: 'ticket_email_other', rule: item.row.channel ? { channel: item.row.channel, version: 7, case: 1 } : null,
      outcome: item.row.owner?.kind === 'user' ? { kind: 'assigned', user: item.row.owner.id, team: item.row.team } : item.row.queued_since !== null ? { kind: 'queued' } : { kind: 'unassigned', reason: item.row.unassigned_reason ?? 'nobody_eligible' },
      distribution: item.row.owner ? 'load_balanced' : null, load: item.row.owner ? 2 : null, tied: 2, draw: null, candidates: 5, eligible: item.row.owner ? 2 : 0, fallback: false, availability_version: 4, capacity_guarded: true, mark_before: null, turn_before: null, behaviour: 1,
    },
  });
  const explain = (item) => ({
    decision: decision(item), names: { users: {}, teams: {} }, text: '',
    explanation: { decision: decision(item).decision, stages: [{ target: 'users_and_teams', candidates: people.slice(0, 6).map((person, index) => {
      const chosen = item.row.owner?.id === person.id;
      const skipped = person.seat === 'none' ? { code: 'no_seat' } : !person.person.available ? { code: 'unavailable', cause: person.person.cause } : person.person.open >= (person.person.limit ?? 99) ? { code: 'at_capacity' } : item.row.owner ? null : { code: 'excluded' };
      return { user: person.id, team: person.team, load: person.person.open, open: person.person.open, limit: person.person.limit, last_assigned: 4000 + index, rank: chosen ? 1 : skipped ? null : 2, verdict: chosen ? { kind: 'chosen' } : skipped ? { kind: 'skipped', reason: skipped } : { kind: 'eligible' } };
    }) }] },
  });
  const problem = (status, code, detail, more = {}) => ({ status, body: { type: 'about:blank', title: code, status, code, detail, ...more }, problem: true });
  const guard = (item, body, change) => {
    if (body.version !== item.row.version) return problem(409, 'conflict', 'somebody else changed the item', { current: item.row });
    change(item.row);
    item.row.version += 1;
    touched(item);
    return { status: 200, body: item.row };
  };
  const view = (item) => ({
    ...item.row, linked: null,
    contact_detail: { id: item.row.contact.id, name: item.row.contact.name, owner: item.row.contact.id % 2 ? 2 : null, identities: [item.row.contact.identity], created_at: now - 4e9, conversations: 4 },
    last_decision: decision(item).id,
    merged_contacts: (item.merged ?? []).filter((other) => other.row.contact.id !== item.row.contact.id).map((other) => other.row.contact),
    history: [
      { at: item.row.created_at, actor: { kind: 'system' }, change: { kind: 'created' }, decision: null, item: item.row.id },
      { at: item.row.created_at + 40, actor: { kind: 'rule', channel: item.row.channel }, change: { kind: 'owner', owner: item.row.owner, team: item.row.team }, decision: decision(item).id, item: item.row.id },
      ...(item.merged ?? []).map((other) => ({ at: Date.now(), actor: { kind: 'user', id: reader }, change: { kind: 'merged_from', item: other.row.id }, decision: null, item: item.row.id })),
    ],
  });

  /** A message from outside, as tests and the eye want to see it come in. */
  function arrive(subject = 'A new message', text = 'Hello, can you help me?', owner = null) {
    const id = 20_000 + events.length * 2;
    const at = Date.now();
    const item = { text, row: { ...structuredClone(items[0]?.row ?? makeItems(at, 1)[0].row), id, conversation: id - 1, ticket: id, kind: 'ticket', workspace: 21, channel: 31, subject, preview: text, version: 1, status: 'open', priority: 'normal', owner: owner ? { kind: 'user', id: owner } : null, team: null, unassigned_reason: 'no_rule', waiting_since: at, last_message_at: at, created_at: at } };
    items.unshift(item);
    touched(item);
    return item.row;
  }
  function write(item, text) {
    const at = Date.now();
    const message = { ...thread(item).find((known) => known.kind === 'inbound'), id: newMessageId(), at, text, html: null, attachments: [], nature: 'message' };
    thread(item).push(message);
    Object.assign(item.row, { preview: text, last_message_at: at, waiting_since: at, version: item.row.version + 1 });
    emit('message', { workspace: item.row.workspace, item: item.row.id, conversation: item.row.conversation, message: message.id });
    return message;
  }
  /** Sets a status, one's own or a colleague's, who is told. */
  function setStatus(id, value, reason, by) {
    const target = people.find((person) => person.id === id);
    const before = target.person;
    target.person = { ...before, status: { value, ...(reason ? { reason } : {}), set_at: Date.now(), origin: 'by_hand' }, available: value === 'available', cause: value === 'available' ? null : 'away', availability_version: before.availability_version + 1, changed_by: { kind: 'user', id: by }, previous: before.status };
    emit('person', { user: id });
    if (by !== id) emit('notice', { user: id });
    return target.person;
  }
  function take(item, user) {
    item.row.owner = user ? { kind: 'user', id: user } : null;
    item.row.version += 1;
    touched(item);
  }

  const routes = [
    ['POST', /^\/session$/, (_, body) => {
      if (body.password !== 'correct horse') return problem(401, 'unauthenticated', 'email and password do not match');
      signed = true;
      return { status: 200, body: {} };
    }],
    ['DELETE', /^\/session$/, () => ((signed = false), { status: 204 })],
    ['GET', /^\/me$/, () => ({ status: 200, body: { user: me(), permissions: [], person: me().person, counts: counts(), last_event: events.length, undo_seconds, settings: { company: 'Nordlys Lamper', channels: Object.fromEntries(channels.map((channel) => [channel.slug, channel.capabilities])), languages: ['en', 'nl', 'nb', 'da'], own_addresses: ['help@nordlys.test', 'sales@nordlys.test'] } } })],
    ['PUT', /^\/me\/language$/, (_, body) => ((me().language = body.language), { status: 200, body: me() })],
    ['GET', /^\/users$/, () => ({ status: 200, body: people })],
    ['GET', /^\/teams$/, () => ({ status: 200, body: teams })],
    ['GET', /^\/workspaces$/, () => ({ status: 200, body: workspaces })],
    ['GET', /^\/channels$/, () => ({ status: 200, body: channels })],
    ['GET', /^\/tokens$/, () => ({ status: 200, body: tokens })],
    ['POST', /^\/tokens$/, (_, body) => {
      const token = { id: tokens.length + 1, name: body.name, scopes: body.scopes, created_at: Date.now(), expires_at: null, last_used_at: null };
      tokens.push(token);
      return { status: 201, body: { ...token, token: 'sb_example_shown_once' } };
    }],
    ['DELETE', /^\/tokens\/(\d+)$/, ([id]) => (tokens.splice(tokens.findIndex((token) => token.id === Number(id)), 1), { status: 204 })],
    ['PUT', /^\/users\/(\d+)\/availability$/, ([id], body) => ({ status: 200, body: setStatus(Number(id), body.value, body.reason, reader) })],
    ['POST', /^\/users\/(\d+)\/deactivate$/, ([id], body) => {
      const open = items.filter((item) => item.row.status === 'open' && item.row.owner?.id === Number(id));
      if (!body.dry_run) {
        people.find((person) => person.id === Number(id)).active = false;
        directory_version += 1;
        for (const item of open) take(item, body.hand_to);
        emit('directory', {});
      }
      return { status: 200, body: { open: open.map((item) => ({ ...item.row })), version: directory_version } };
    }],
    ['GET', /^\/channels\/([a-z0-9_]+)\/rule$/, ([slug]) => {
      const channel = channels.find((known) => known.slug === slug);
      return channel ? { status: 200, body: { version: directory_version, rule: channel.rule } } : problem(404, 'not_found', `channel \`${slug}\` was not found`);
    }],
    ['PUT', /^\/channels\/([a-z0-9_]+)\/rule$/, ([slug], body) => {
      if (body.version !== directory_version) return problem(409, 'conflict', 'the directory changed');
      const seatless = (member) => people.find((person) => person.id === member.user && person.seat === 'none');
      const faults = (body.rule?.cases ?? []).flatMap((entry, index) =>
        (entry.target.members ?? []).flatMap((member, nth) => (seatless(member) ? [{ key: `channels.${slug}.rule.cases[${index}].target.members[${nth}]`, message: `${seatless(member).email} has no seat that the workspace accepts` }] : [])),
      );
      if (faults.length > 0) return problem(422, 'invalid', faults[0].message, { errors: [...faults, ...faults] });
      directory_version += 1;
      channels = channels.map((channel) => (channel.slug === slug ? { ...channel, rule: body.rule && { ...body.rule, version: directory_version } } : channel));
      emit('directory', {});
      return { status: 200, body: { version: directory_version, rule: channels.find((channel) => channel.slug === slug).rule } };
    }],
    ['GET', /^\/items$/, (_, __, ask) => {
      if (failing.items) return problem(500, 'internal', 'the database did not answer within 5 s');
      const rows = items.map((item) => item.row).filter((row) => inView[ask.get('view') ?? 'open'](row) && (!ask.get('workspace') || row.workspace === Number(ask.get('workspace'))));
      rows.sort((a, b) => orders[ask.get('sort') ?? 'newest'](a, b) || b.id - a.id);
      const from = Number(ask.get('cursor') ?? 0);
      const limit = Number(ask.get('limit') ?? 50);
      return { status: 200, body: { rows: rows.slice(from, from + limit), next: from + limit < rows.length ? String(from + limit) : null, total: rows.length } };
    }],
    ['GET', /^\/search$/, (_, __, ask) => {
      const words = (ask.get('q') ?? '').toLowerCase();
      const rows = items.filter((item) => `${item.row.subject} ${item.row.contact.name} ${item.text}`.toLowerCase().includes(words)).map((item) => ({ ...item.row, snippet: item.text.slice(0, 140) }));
      return { status: 200, body: { rows: rows.slice(0, 50), next: null, total: rows.length } };
    }],
    ['GET', /^\/decisions\/(\d+)\/explanation$/, ([id]) => {
      const item = items.find((known) => decision(known).id === Number(id));
      return item ? { status: 200, body: explain(item) } : problem(404, 'not_found', 'no such decision');
    }],
    ['GET', /^\/items\/(\d+)\/why-not\/(\d+)$/, ([id, user]) => {
      const item = items.find((known) => known.row.id === Number(id));
      return item ? { status: 200, body: whyNot(explain(item), Number(user), people) } : problem(404, 'not_found', 'no such item');
    }],
    ['POST', /^\/messages\/(\d+)\/retry$/, ([id]) => {
      const message = [...threads.values()].flat().find((known) => known.id === Number(id));
      message.delivery = { state: 'queued', attempts: 0, error: null, next_attempt_at: Date.now(), refused: [], recallable: false };
      return { status: 200, body: message };
    }],
    ['POST', /^\/messages\/(\d+)\/recall$/, ([id]) => {
      const list = [...threads.values()].find((messages) => messages.some((known) => known.id === Number(id)));
      const message = list?.find((known) => known.id === Number(id));
      if (!message) return problem(404, 'not_found', 'no such message');
      if (!message.delivery?.recallable || message.delivery.next_attempt_at <= Date.now()) return problem(409, 'conflict', 'it is on its way');
      list.splice(list.indexOf(message), 1);
      recalled.push(message);
      return { status: 200, body: message };
    }],
    ['PUT', /^\/me\/undo-send$/, (_, body) => {
      undo_seconds = body.seconds;
      return { status: 204 };
    }],
  ];
  const onItem = [
    ['GET', '', (item) => ({ status: 200, body: view(item) })],
    ['GET', '/messages', (item) => ({ status: 200, body: { rows: thread(item), next: null, total: thread(item).length } })],
    ['POST', '/messages', (item, body) => {
      if (failing.send) return failing.send;
      const latest = thread(item).filter((known) => known.kind === 'inbound').at(-1);
      if (body.kind === 'reply' && body.seen_message && latest && latest.id > body.seen_message) return problem(409, 'new_messages', 'a newer message has come');
      const reply = body.kind === 'reply';
      const message = { id: newMessageId(), conversation: item.row.conversation, kind: body.kind, at: Date.now(), author: { kind: 'user', id: reader }, author_name: me().name, subject: null, text: body.text, html: null, fields: [], attachments: (body.attachments ?? []).map((file, index) => ({ id: 600 + index, name: file.name, content_type: file.content_type, bytes: Math.round(file.base64.length * 0.75), content_id: null })), recipients: body.cc ?? [], to: body.to ?? [], bcc: body.bcc ?? [], details: {}, nature: 'message', raw: null, delivery: reply ? { state: 'queued', attempts: 0, error: null, next_attempt_at: body.undo_seconds ? Date.now() + body.undo_seconds * 1000 : null, refused: [], recallable: Boolean(body.undo_seconds) } : null };
      thread(item).push(message);
      if (reply) Object.assign(item.row, { waiting_since: null, preview: body.text, last_message_at: message.at, owner: item.row.owner ?? { kind: 'user', id: reader }, version: item.row.version + 1 });
      emit('message', { workspace: item.row.workspace, item: item.row.id, conversation: item.row.conversation, message: message.id });
      return { status: 201, body: message };
    }],
    ['GET', '/assignable', (item) => ({ status: 200, body: { users: people.map((person) => ({ user: person.id, name: person.name, available: person.person.available, cause: person.person.cause, load: person.person.open, open: person.person.open, limit: person.person.limit, allowed: person.seat !== 'none', reason: person.seat === 'none' ? 'not_team_member' : undefined })), teams } })],
    ['GET', '/waiting', (item) => ({ status: 200, body: whyWaiting(item.row, items.map((other) => other.row), explain(item), people, Date.now()) })],
    ['GET', '/decisions', (item) => ({ status: 200, body: [decision(item)] })],
    ['PUT', '/presence', (item, body) => ({ status: 200, body: { conversation: item.row.conversation, workspace: item.row.workspace, people: body.attention ? [{ user: reader, name: me().name, attention: body.attention }] : [], visitor: null } })],
    ['PUT', '/owner', (item, body) => guard(item, body, (row) => {
      row.owner = body.owner;
      if (body.team !== undefined) row.team = body.team;
      row.owned_since = Date.now();
    })],
    ['PUT', '/status', (item, body) => guard(item, body, (row) => (row.status = body.status))],
    ['PUT', '/priority', (item, body) => guard(item, body, (row) => (row.priority = body.priority))],
    ['POST', '/return', (item, body) => guard(item, body, (row) => (row.owner = null))],
    ['POST', '/move', (item, body) => guard(item, body, (row) => {
      row.workspace = body.workspace;
      if (body.route) row.owner = { kind: 'user', id: 2 };
    })],
    ['POST', '/merge', (item, body) => {
      const other = items.find((known) => known.row.id === body.with);
      if (!other) return problem(404, 'not_found', 'no such item');
      for (const [one, version] of [[item, body.version], [other, body.with_version]]) {
        if (one.row.version !== version) return problem(409, 'conflict', 'somebody else changed the item', { current: one.row });
      }
      const [older, newer] = item.row.created_at < other.row.created_at ? [item, other] : [other, item];
      const messages = thread(newer);
      threads.set(older.row.conversation, [...thread(older), ...messages].sort((one, two) => one.at - two.at));
      threads.set(newer.row.conversation, []);
      Object.assign(newer.row, { status: 'closed', merged_into: older.row.id, version: newer.row.version + 1 });
      older.row.version += 1;
      older.merged = [...(older.merged ?? []), newer];
      for (const one of [older, newer]) touched(one);
      return { status: 200, body: { survivor: older.row, merged: newer.row, messages: messages.length, routed: false } };
    }],
    ['POST', '/route', (item, body) => guard(item, body, (row) => (row.owner = { kind: 'user', id: 2 }))],
  ];

  function api(method, path, body, ask) {
    const found = /^\/(?:items|conversations|tickets)\/(\d+)(\/[a-z]+)?$/.exec(path);
    if (found) {
      const item = items.find((known) => known.row.id === Number(found[1]));
      const route = onItem.find(([wanted, rest]) => wanted === method && rest === (found[2] ?? ''));
      if (!item || !route) return problem(404, 'not_found', 'no such item');
      return route[2](item, body);
    }
    for (const [wanted, pattern, run] of routes) {
      const match = pattern.exec(path);
      if (wanted === method && match) return run(match.slice(1), body, ask);
    }
    return problem(404, 'not_found', `${method} ${path} is not part of the mock`);
  }

  const headers = (name) => ({ 'content-security-policy': policy(name), 'x-content-type-options': 'nosniff', 'referrer-policy': 'no-referrer' });
  function page(url, response) {
    if (url.pathname === '/frame/mail' || url.pathname === '/frame/mail-images') {
      response.writeHead(200, { 'content-type': TYPES['.html'], ...headers(url.pathname === '/frame/mail' ? 'MAIL_POLICY' : 'MAIL_WITH_IMAGES_POLICY') });
      return response.end('<!doctype html><html><head><meta charset="utf-8"><base target="_blank"><title>Mail</title></head><body></body></html>');
    }
    const file = join(dist, normalize(url.pathname));
    const known = /^\/(assets\/|favicon)/.test(url.pathname) && existsSync(file);
    const shell = /^\/(|login|search|inbox(\/.*)?|settings(\/.*)?)$/.test(url.pathname);
    if (!known && !shell) return response.writeHead(404).end('no such page');
    const served = known ? file : join(dist, 'index.html');
    response.writeHead(200, { 'content-type': TYPES[extname(served)] ?? 'application/octet-stream', ...headers('CONTENT_SECURITY_POLICY') });
    return createReadStream(served).pipe(response);
  }

  let is_gone = false;
  const server = createServer((request, response) => {
    const url = new URL(request.url, 'http://mock');
    if (!url.pathname.startsWith('/api/v1/')) return page(url, response);
    const path = url.pathname.slice('/api/v1'.length);
    if (!signed && path !== '/session') return response.writeHead(401, { 'content-type': 'application/problem+json' }).end('{"status":401,"code":"unauthenticated"}');
    if (path === '/events') {
      response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
      response.write(': hello\n\n');
      for (const event of events.slice(Number(url.searchParams.get('after') ?? 0))) response.write(`id: ${event.id}\nevent: ${event.kind}\ndata: ${JSON.stringify(event)}\n\n`);
      streams.add(response);
      return request.on('close', () => streams.delete(response));
    }
    if (path.startsWith('/messages/') && path.endsWith('/raw')) return response.writeHead(200, { 'content-type': 'text/plain' }).end('Received: from nowhere\n\nbroken');
    let text = '';
    request.on('data', (part) => (text += part));
    return request.on('end', () => {
      const answer = api(request.method, path, text ? JSON.parse(text) : {}, url.searchParams);
      response.writeHead(answer.status, { 'content-type': answer.problem ? 'application/problem+json' : 'application/json' });
      response.end(answer.body === undefined ? undefined : JSON.stringify(answer.body));
    });
  });

  server.on('connection', (socket) => is_gone && socket.destroy());

  return {
    server, items, people, arrive, write, take, setStatus, emit, failing, thread,
    queue: () => items.map((item) => item.row).filter(inView.waiting).sort((a, b) => a.queued_since - b.queued_since),
    recalled,
    now,
    undoSeconds: () => undo_seconds,
    item: (id) => items.find((known) => known.row.id === id),
    listen: (port = 0) => new Promise((done) => server.listen(port, '127.0.0.1', () => done(`http://127.0.0.1:${server.address().port}`))),
    /** Ends every connection and takes no other until `back`. The port stays taken meanwhile, so that nobody else comes by it. */
    drop() {
      is_gone = true;
      for (const stream of streams) stream.destroy();
      server.closeAllConnections();
    },
    back() {
      is_gone = false;
    },
    close() {
      is_gone = true;
      server.closeAllConnections();
      return new Promise((done) => server.close(done));
    },
  };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const mock = createMock({ items: Number(process.env.ITEMS ?? 60) });
  console.log(`The desk with made-up data: ${await mock.listen(Number(process.env.PORT ?? 0))}`);
}
