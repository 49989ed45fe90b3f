// A played server of the widget: its addresses as the crate serves them, and the protocol of the chat channel. From `drop`
// to `back` it is gone, as during a restart, which its memory outlives.
import { createHash, createHmac, randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { plainHttp } from './plain.mjs';
import { accept } from './websocket.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '../..');
const dist = join(root, 'dist/widget');
const forms = join(root, '../channel-forms/templates');
export const KEY = 'shop_7Hq2';
export const SECRET = 'the secret of the shop';
export const signed = (id) => createHmac('sha256', SECRET).update(id).digest('hex');
const TYPES = { js: 'text/javascript; charset=utf-8', css: 'text/css; charset=utf-8', html: 'text/html; charset=utf-8', json: 'application/json' };

export function createChat({ origins = [], look = {}, prechat = [], topics = [], files = true, open = true, opens_at = null, requires = false, mail = null, sockets = true, streams = true, bits = 0, web_views = false } = {}) {
  const settings = { slug: 'shop_chat', files_path: '/channels/shop_chat/files', locale: 'en', cookie: { name: `sb_${KEY}`, days: 180 }, web_views, look: { color: '#1f5fbf', ...look } };
  const state = { conversations: [], sessions: new Map(), uploads: new Map(), next: 1, now: Date.now(), open, opens_at, requires, bits, challenges: new Map(), silent: false, held: null, refusing_files: [], frames: [], hellos: [], addresses: [] };
  const clients = new Set();
  const connections = new Set();
  let is_gone = false;

  const told = { key: KEY, origins, socket: '/channels/shop_chat/socket', settings };
  const policy = `default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; media-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors ${origins.join(' ')}${web_views ? ' file:' : ''}`;

  function handle(request, response) {
    const { pathname } = new URL(request.url, 'http://desk');
    state.addresses.push(request.url);
    const give = (body, type, headers = {}, status = 200) => response.writeHead(status, { 'content-type': type, 'x-content-type-options': 'nosniff', 'cross-origin-resource-policy': 'cross-origin', ...headers }).end(body);
    if (pathname === `/sb/${KEY}.js`) {
      const baked = { widgetKey: KEY, cookie: settings.cookie.name, cookieDays: 180, ...(settings.look.launcher && { label: settings.look.launcher }), color: settings.look.color, preview: settings.look.preview, sound: settings.look.sound };
      return give(`(function(__SB_CONFIG__){${readFileSync(join(dist, 'loader.js'), 'utf8')}})(${JSON.stringify(baked)});`, TYPES.js);
    }
    if (pathname === '/sb/loader-pinned.js') return give(readFileSync(join(dist, 'loader.js')), TYPES.js, { 'access-control-allow-origin': '*' });
    if (pathname === `/w/${KEY}`) {
      const page = readFileSync(join(dist, 'frame/index.html'), 'utf8').replace('<!--widget-->', `<script type="application/json" id="widget">${JSON.stringify(told).replaceAll('<', '\\u003c')}</script>`);
      return give(page, TYPES.html, { 'content-security-policy': policy, 'referrer-policy': 'no-referrer' });
    }
    const asset = /^\/sb\/frame\/(assets\/[\w.-]+)$/.exec(pathname)?.[1];
    if (asset && existsSync(join(dist, 'frame', asset))) return give(readFileSync(join(dist, 'frame', asset)), TYPES[asset.split('.').at(-1)]);
    if (pathname.startsWith('/channels/contact/')) return form(pathname.slice('/channels/contact/'.length), request, give);
    if (/^\/channels\/shop_chat\/(stream|poll|frames)$/.test(pathname)) return plain(request, response);
    if (pathname.startsWith('/channels/shop_chat/files')) return file(pathname, request, give);
    return give('not found', 'text/plain', {}, 404);
  }

  /** The hosted form as the form channel draws it, cut to two fields. */
  function form(path, request, give) {
    if (path === 'embed.js') return give(readFileSync(join(forms, 'embed.js')), TYPES.js);
    if (path === 'form.css') return give(readFileSync(join(forms, 'form.css')), TYPES.css);
    const csp = `default-src 'none'; style-src 'self'; script-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'self' ${origins.join(' ')}`;
    const page = (kind, body) => give(`<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Contact</title><link rel="stylesheet" href="/channels/contact/form.css"><script src="/channels/contact/embed.js" data-origins="${origins.join(' ')}" defer></script></head><body><main data-state="${kind}">${body}</main></body></html>`, TYPES.html, { 'content-security-policy': csp, 'referrer-policy': 'same-origin' });
    if (request.method !== 'POST') return page('form', '<h1>Contact us</h1><form action="/channels/contact/submit" method="post"><label for="f-email">Email</label><input id="f-email" name="email"><label for="f-message">Message</label><textarea id="f-message" name="message" rows="8"></textarea><button>Send</button></form>');
    let body = '';
    request.on('data', (bytes) => (body += bytes)).on('end', () => {
      const fields = new URLSearchParams(body);
      if (!fields.get('email').includes('@')) return page('wrong', '<h1>Contact us</h1><div class="errors">Something is missing</div>');
      state.submitted = Object.fromEntries(fields);
      return page('sent', '<h1>Thank you</h1>');
    });
  }

  function file(pathname, request, give) {
    const visitor = /^Bearer pass-(.+)$/.exec(request.headers.authorization ?? '')?.[1];
    if (!visitor) return give('{"code":"bad_pass"}', 'application/problem+json', {}, 401);
    if (request.method === 'POST') {
      const parts = [];
      return request.on('data', (bytes) => parts.push(bytes)).on('end', () => {
        const entry = { name: decodeURIComponent(request.headers['x-file-name']), content_type: request.headers['content-type'], size_bytes: Buffer.concat(parts).length };
        const refused = state.refusing_files.shift();
        if (refused) return give(JSON.stringify({ code: refused[1] }), 'application/problem+json', { 'retry-after': '1' }, refused[0]);
        const id = `up_${state.next++}`;
        state.uploads.set(id, { ...entry, bytes: Buffer.concat(parts) });
        give(JSON.stringify({ id, ...entry }), 'application/json', {}, 201);
      });
    }
    const [conversation, message, place] = pathname.split('/').slice(-3).map(Number);
    const found = state.conversations.find((one) => one.id === conversation && one.visitor === visitor)?.messages.find((one) => one.id === message)?.held?.[place];
    return found ? give(found.bytes, found.content_type) : give('{}', 'application/problem+json', {}, 404);
  }

  const of = (client) => state.conversations.filter((one) => client.visitors.includes(one.visitor));
  const stateOf = ({ id, open: is_open, owner, position, wait, seen, read, messages }) => ({ conversation: id, open: is_open, owner, position, ...(wait && { wait_minutes: wait }), seen, read, newest: messages.at(-1)?.id ?? null });
  const wire = (conversation, { held: _held, ...message }) => ({ type: 'message', conversation: conversation.id, ...message });
  const tell = (conversation, frame, but) => {
    for (const client of clients) if (client !== but && client.visitors.includes(conversation.visitor)) client.send(frame);
  };

  /** What the first message of a stranger's conversation costs. It is the visitor's of this nonce. */
  function costs(client) {
    if (!state.bits || client.visitors.some((one) => one.startsWith('id-'))) return null;
    const challenge = randomBytes(24).toString('base64url');
    state.challenges.set(challenge, client.nonce);
    return { challenge, bits: state.bits };
  }

  function hasWorked(client, { client_id, work = '' }) {
    const [challenge, nonce] = work.split('.');
    const digest = createHash('sha256').update(`${challenge}.${client_id}.${nonce}`).digest();
    return state.challenges.get(challenge) === client.nonce && Math.clz32(digest.readUInt32BE()) >= state.bits;
  }

  function hello(client, frame) {
    state.hellos.push(frame);
    const known = frame.session && state.sessions.get(frame.session);
    client.visitors = known ? [known] : [];
    let visitor = 'anonymous';
    let identity_fault = null;
    if (frame.identity) {
      if (frame.identity.hash === signed(frame.identity.id)) {
        visitor = 'identified';
        client.visitors.unshift(`id-${frame.identity.id}`);
      } else {
        visitor = 'unverified';
        identity_fault = 'signature';
      }
    }
    if (state.requires && visitor !== 'identified') {
      client.send({ type: 'bye', code: 'identity_required', reconnect: false });
      return client.leave();
    }
    client.session = client.told = known ? frame.session : null;
    client.nonce = frame.nonce;
    const mine = of(client).sort((a, b) => b.id - a.id);
    client.send({
      type: 'welcome', protocol: 1, visitor, identity_fault, session: Boolean(known), pass: client.visitors[0] ? `pass-${client.visitors[0]}` : null, conversations: mine.map(stateOf), open: state.open, opens_at: state.opens_at, work: costs(client),
      settings: { text_length: 1000, frame_bytes: 65_536, conversations: 20, files: { allowed: files, count: 2, bytes: 100_000, types: ['image/*', '.txt'] }, prechat, topics, ...(mail && { mail }) },
    });
    const newest = mine.find((one) => one.open);
    for (const conversation of mine) {
      const after = frame.after?.[conversation.id] ?? (conversation === newest ? 0 : null);
      if (after !== null) replay(client, conversation, after);
    }
  }

  function replay(client, conversation, after) {
    for (const message of conversation.messages) if (message.id > after) client.send(wire(conversation, message));
    client.send({ type: 'replayed', conversation: conversation.id });
  }

  /** A session begins, made from the nonce, unless there is one or an account. Its token begins with what names the visitor. */
  function act(client, is_asked) {
    if (client.visitors.length === 0) {
      const seed = createHash('sha256').update(client.nonce ?? randomBytes(16)).digest('base64url').slice(0, 21);
      client.session = seed + randomBytes(24).toString('base64url');
      state.sessions.set(client.session, `anon-${seed}`);
      client.visitors.push(`anon-${seed}`);
    } else if (!is_asked) return;
    if (state.cut_before_session) return;
    const session = client.session === client.told ? null : client.session;
    client.told = client.session;
    client.send({ type: 'session', session, pass: `pass-${client.visitors[0]}` });
  }

  function message(client, frame) {
    const refuse = (code, more = {}) => client.send({ type: 'refused', client_id: frame.client_id, code, detail: code, retry: false, ...more });
    if (state.refusing) return refuse(state.refusing);
    // In a conversation that goes on an address alone is looked at.
    const unknown = frame.conversation ? [] : (frame.fields ?? []).filter(([name]) => !prechat.some((field) => field.name === name));
    if (unknown.length > 0) return refuse('bad_field', { fields: unknown.map(([name]) => ({ name, code: 'unknown' })) });
    const begins = !frame.conversation && (!frame.first || frame.first === frame.client_id);
    if (begins && state.bits && !client.visitors.some((one) => one.startsWith('id-')) && !hasWorked(client, frame)) {
      client.send({ type: 'work', ...costs(client) });
      return refuse('work', { retry: true, retry_after_s: 0 });
    }
    act(client, false);
    const mine = of(client);
    let conversation = mine.find((one) => one.id === frame.conversation);
    if (!conversation && frame.conversation) return refuse('unknown_conversation');
    // The same message is the same owner's and has the same name; so has the first one of a conversation.
    const owner = conversation?.visitor ?? client.visitors[0];
    const named = (name) => mine.filter((one) => one.visitor === owner).flatMap((one) => one.messages.map((two) => [one, two])).find(([, two]) => name && two.client_id === name);
    const twin = named(frame.client_id);
    if (twin) return client.send({ type: 'accepted', client_id: frame.client_id, conversation: twin[0].id, message: twin[1].id, at: twin[1].at });
    conversation ??= named(frame.first)?.[0];
    if (!conversation && frame.first) return refuse('unknown_conversation');
    if (!conversation) {
      conversation = { id: state.next++, visitor: owner, open: true, owner: null, position: 2, seen: null, read: null, messages: [], fields: frame.fields ?? [], topic: frame.topic };
      state.conversations.push(conversation);
    }
    const email = frame.fields?.find(([name]) => name === 'email')?.[1];
    if (email && !email.includes('@')) return refuse('bad_field', { fields: [{ name: 'email', code: 'invalid' }] });
    const held = (frame.files ?? []).map((id) => state.uploads.get(id));
    const stored = { id: state.next++, client_id: frame.client_id, author: { kind: 'visitor' }, text: frame.text, files: held.map(({ bytes: _bytes, ...entry }) => entry), at: Date.now(), held, ...(email && { email }), ...(frame.answer_by && { answer_by: frame.answer_by }) };
    conversation.messages.push(stored);
    conversation.open = true;
    // Stored, but the answer is lost: what a connection that breaks at the worst moment does.
    if (state.cut_before_answer || state.cut_before_session) {
      state.cut_before_answer = state.cut_before_session = false;
      state.silent ||= state.silent_after_cut === true;
      return client.cut();
    }
    client.send({ type: 'accepted', client_id: frame.client_id, conversation: conversation.id, message: stored.id, at: stored.at });
    tell(conversation, wire(conversation, stored), client);
    tell(conversation, { type: 'thread', ...stateOf(conversation) });
  }

  function hear(client, text) {
    if (state.held) return void state.held.push([client, text]);
    const frame = JSON.parse(text);
    state.frames.push(frame);
    if (state.silent) return;
    const conversation = frame.conversation && of(client).find((one) => one.id === frame.conversation);
    if (frame.type === 'hello') hello(client, frame);
    else if (frame.type === 'message') message(client, frame);
    else if (frame.type === 'consent') act(client, true);
    else if (frame.type === 'ping') client.send({ type: 'pong' });
    else if (frame.type === 'open' && conversation) replay(client, conversation, frame.after ?? 0);
    else if (frame.type === 'read' && conversation) conversation.read = Math.max(conversation.read ?? 0, frame.message);
  }

  const enter = (line) => {
    const client = { visitors: [], session: null, ...line };
    clients.add(client);
    return { hear: (text) => hear(client, text), gone: () => clients.delete(client) };
  };
  const plain = plainHttp(enter, { streams });

  const server = createServer(handle);
  server.on('connection', (socket) => {
    if (is_gone) return socket.destroy();
    connections.add(socket);
    socket.on('close', () => connections.delete(socket));
  });
  server.on('upgrade', (request, socket) => {
    // Whoever asked may be gone before the answer.
    socket.on('error', () => socket.destroy());
    if (!sockets || request.url !== '/channels/shop_chat/socket' || request.headers['sec-websocket-protocol'] !== 'switchboard.chat.1') return socket.end('HTTP/1.1 400 Bad Request\r\n\r\n');
    const client = { visitors: [], session: null };
    Object.assign(client, accept(request, socket, 'switchboard.chat.1', { hear: (text) => hear(client, text), gone: () => clients.delete(client) }));
    clients.add(client);
  });

  return {
    state,
    clients,
    get texts() {
      return state.conversations.flatMap((one) => one.messages.map((two) => two.text));
    },
    /** Somebody at the desk writes. */
    reply(text, name = 'Pia', conversation = state.conversations.at(-1), automatic = false) {
      const stored = { id: state.next++, author: { kind: 'agent', name, ...(automatic && { automatic }) }, text, files: [], at: Date.now() };
      conversation.messages.push(stored);
      if (!automatic) Object.assign(conversation, { owner: name, position: null });
      tell(conversation, { type: 'thread', ...stateOf(conversation) });
      tell(conversation, wire(conversation, stored));
    },
    change(values, conversation = state.conversations.at(-1)) {
      Object.assign(conversation, values);
      tell(conversation, { type: 'thread', ...stateOf(conversation) });
    },
    writes(on, name = 'Pia', conversation = state.conversations.at(-1)) {
      tell(conversation, { type: 'typing', conversation: conversation.id, name, on });
    },
    /** Cuts every connection without a word. */
    cut() {
      for (const client of clients) client.cut();
    },
    /** Hears nothing from now on, until `go` makes good for it. */
    hold() {
      state.held = [];
    },
    go() {
      const held = state.held;
      state.held = null;
      for (const [client, text] of held) if (clients.has(client)) hear(client, text);
    },
    listen: () => new Promise((done) => server.listen(0, '127.0.0.1', () => done(`http://127.0.0.1:${server.address().port}`))),
    /** Ends every connection and takes no other until `back`. The port stays taken meanwhile, so that nobody else comes by it. */
    drop() {
      is_gone = true;
      for (const client of clients) client.send({ type: 'bye', code: 'restart', reconnect: true });
      for (const socket of connections) socket.destroy();
    },
    back() {
      is_gone = false;
    },
    close() {
      is_gone = true;
      for (const socket of connections) socket.destroy();
      return new Promise((done) => server.close(done));
    },
  };
}
