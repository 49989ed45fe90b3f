// The chat at work: what is on its way, and what the page around us and the server say.
import type { Facts, FromPage, Host, Identity, Init, Page, Told } from './host';
import { Outbox } from './outbox';
import { Known } from './known.svelte';
import { News } from './news.svelte';
import type { FromServer, ToServer, WireMessage } from './protocol';
import { Connection } from './socket';
import { Thread } from './thread.svelte';
import { accepted, after, drafted, merged, newClientId, type Message, type Upload } from './timeline';
import { accountOf, visitorOf, type Whose } from './whose';
import { locale, said, setLocales, t } from './words.svelte';

const TYPING_FADES_MS = 10_000;
const TYPING_EVERY_MS = 3000;
const MOST_ATTEMPTS = 4;
const MOST_OPENED = 5;
const SAID_AFTER_MS = 200;

export class Chat extends Known {
  readonly title: () => string;
  readonly greeting: () => string;
  readonly files_path: string;
  readonly news: News;
  private session = '';
  /** A new session that the page has not said to keep yet. Until it does, the first message names the visitor after a reload. */
  private is_unkept = false;
  /** A session that begins on this page is made from it, so that a first message that is repeated is one. */
  private nonce = newClientId();
  private identity: Identity | null = null;
  private page: Page | null = null;
  private consent: boolean | null = null;
  private unread = 0;
  private typed_at = 0;
  private passed: (() => void)[] = [];
  private readonly outbox: Outbox;
  private readonly connection: Connection;

  constructor(
    private readonly told: Told,
    readonly host: Host,
  ) {
    super();
    this.news = new News(told, () => (this.consent === false ? null : this.session !== '' || this.threads.some((thread) => thread.id !== null)));
    const look = told.settings?.look;
    this.title = () => said(look?.title, t('title'));
    this.greeting = () => said(look?.greeting, t('greeting'));
    this.files_path = told.settings?.files_path ?? '';
    this.outbox = new Outbox(`sb_outbox_${told.key}`);
    const url = new URL(told.socket ?? '/', location.href);
    url.protocol = url.protocol.replace('http', 'ws');
    this.connection = new Connection(url.href, {
      hello: () => this.hello(),
      receive: (frame) => this.receive(frame),
      status: (status) => (this.status = status),
    });
  }

  begin(init: Init): void {
    this.session = init.session;
    this.take(init);
    this.host.hear = (message) => this.hear(message);
    for (const event of ['online', 'focus']) addEventListener(event, () => this.connection.kick());
    document.addEventListener('visibilitychange', () => {
      if (document.hidden) return;
      this.connection.kick();
      this.seeCurrent();
    });
    this.restore();
    if (init.open) this.show();
    // Without a session or an account there is nothing to know before somebody opens the chat.
    else if (this.session || this.identity) this.connection.start();
    if (init.start) this.startWith(init.start);
  }

  /** Looks for somebody to talk to, or has it already. */
  private take(facts: Facts): void {
    this.page = facts.page;
    this.identity = facts.identity;
    this.customer = facts.customer;
    this.consent = facts.consent;
    this.topic = facts.topic;
    this.news.take(facts);
    this.theme = facts.theme ?? this.told.settings?.look?.theme ?? 'auto';
    this.color = facts.color ?? this.told.settings?.look?.color ?? '#0d6661';
  }

  private hear(message: FromPage): void {
    switch (message.type) {
      case 'open':
        return this.show();
      case 'close':
        return void (this.shown = false);
      case 'start':
        return this.startWith(message.value);
      case 'update':
        return this.update(message.value);
      case 'session':
        return this.adopt(message.value);
      case 'logout':
        this.identity = null;
        this.forget(true);
        return this.again();
    }
  }

  /** The page keeps the session; or another tab has begun, renewed or ended it. */
  private adopt(session: string): void {
    // Where nothing may be remembered, nothing that is gone was anybody's.
    if (!session && this.consent === false) return;
    if (session === this.session) {
      this.is_unkept = false;
      return this.keep();
    }
    const [before, now] = [visitorOf(this.session), visitorOf(session)];
    if (before && before !== now) this.forget();
    this.session = session;
    if (before !== now) this.again();
  }

  private update(facts: Facts): void {
    const [identity, account, page, consent] = [JSON.stringify(this.identity), accountOf(this.identity), this.page, this.consent];
    this.take(facts);
    if (account !== null && account !== accountOf(facts.identity)) {
      // Somebody else, or nobody any more: the session may be the former one's as well.
      this.forget(true);
    }
    if (account === null && facts.identity) this.restore(true);
    setLocales([...facts.locales, this.told.settings?.locale ?? 'en']).catch(() => {});
    if (JSON.stringify(facts.identity) !== identity) this.again();
    else if (facts.page && facts.page.url !== page?.url) this.connection.send({ type: 'page', ...facts.page });
    if (facts.consent && !consent) this.agree();
    this.news.remember();
  }

  /** Connects as somebody else, where the chat is connected at all or has a reason to be. */
  private again(): void {
    this.connection.stop();
    this.ended = null;
    if (this.shown || this.session || this.identity) this.connection.start();
  }

  /** Nothing of the former visitor is shown, sent or used from now on, nor kept by the page, which may not have heard yet what it was asked to keep. */
  private forget(by_page = false): void {
    this.connection.stop();
    for (const thread of this.threads) clearTimeout(thread.fade);
    this.threads = [];
    this.current = null;
    this.session = this.announced = '';
    if (by_page) this.host.store('');
    this.is_unkept = false;
    this.news.forget();
    this.nonce = newClientId();
    this.visitor = 'anonymous';
    this.typed_at = 0;
    this.pass = this.work = null;
    for (const done of this.passed.splice(0)) done();
    this.outbox.clear();
    this.tell();
    if (this.shown) this.newThread();
  }

  private show(): void {
    this.shown = true;
    this.news.end(false);
    this.connection.start();
    if (!this.current && this.threads.length < 2) this.current = this.threads[0] ?? this.newThread();
    this.agree();
    this.seeCurrent();
  }

  /** Opening the chat is acting, where the page says that the visitor agreed to being remembered. */
  private agree(): void {
    if (this.shown && this.consent === true && !this.session && this.status === 'online') this.connection.send({ type: 'consent' });
  }

  private startWith({ text, topic }: { text: string; topic: string | null }): void {
    const thread = this.newThread();
    if (topic) thread.topic = topic;
    thread.draft = text;
  }

  private hello(): ToServer {
    const pairs = this.threads.flatMap((thread) => (thread.id !== null && thread.asked ? [[String(thread.id), after(thread.messages)] as const] : []));
    return {
      type: 'hello',
      locale: locale(),
      // Also beside a session: the server may find it too old.
      ...(this.session && { session: this.session }),
      nonce: this.nonce,
      ...(this.identity && { identity: this.identity }),
      ...(this.page && { page: this.page }),
      ...(pairs.length > 0 && { after: Object.fromEntries(pairs) }),
    };
  }

  private receive(frame: FromServer): void {
    switch (frame.type) {
      case 'welcome':
        return this.welcome(frame);
      case 'session':
        this.gain(frame.pass);
        // An account needs none.
        if (!frame.session) return;
        this.is_unkept ||= visitorOf(frame.session) !== visitorOf(this.session);
        this.session = frame.session;
        this.keep();
        return this.host.store(frame.session);
      case 'work':
        return void (this.work = frame.work);
      case 'accepted':
        return this.stored(frame);
      case 'refused':
        return this.refused(frame);
      case 'message':
        return this.arrived(frame);
      case 'thread': {
        this.thread(frame.conversation).take(frame);
        return this.tell();
      }
      case 'replayed':
        this.thread(frame.conversation).loaded = true;
        return;
      case 'typing': {
        const thread = this.thread(frame.conversation);
        clearTimeout(thread.fade);
        thread.typing = frame.on ? frame.name || t('agent') : null;
        if (frame.on) thread.fade = setTimeout(() => (thread.typing = null), TYPING_FADES_MS);
        return;
      }
      case 'bye':
        if (!frame.reconnect) {
          this.ended = frame.code;
          this.host.say('event', 'error', { code: frame.code });
        }
    }
  }

  private welcome(frame: Extract<FromServer, { type: 'welcome' }>): void {
    this.settings = frame.settings;
    this.is_open = frame.open;
    this.opens_at = frame.opens_at;
    this.visitor = frame.visitor;
    this.ended = null;
    // What is being done is as good on this connection.
    const { challenge } = this.work ?? {};
    if (!frame.work || !challenge || !this.threads.some((thread) => thread.id === null && thread.proving.startsWith(challenge))) this.work = frame.work;
    if (frame.identity_fault) this.host.say('event', 'error', { code: `identity_${frame.identity_fault}` });
    if (this.session && !frame.session) {
      this.session = '';
      this.host.store('');
    }
    this.gain(frame.pass);
    this.part(frame.conversations.map((one) => one.conversation));
    const newest_open = frame.conversations.find((one) => one.open)?.conversation;
    let opened = 0;
    for (const state of frame.conversations) {
      const thread = this.thread(state.conversation);
      const is_behind = state.newest > thread.read && state.newest > state.read && state.open;
      thread.take(state);
      if (state.conversation === newest_open) thread.asked = true;
      else if (!thread.asked && is_behind && (opened += 1) <= MOST_OPENED) this.load(thread);
    }
    this.threads.sort((a, b) => (b.id ?? Infinity) - (a.id ?? Infinity));
    this.choose();
    this.seeCurrent();
    queueMicrotask(() => {
      this.agree();
      for (const { thread, message } of this.pending()) this.send(thread, message);
      if (document.activeElement?.closest('form')) this.prepare();
    });
  }

  private gain(pass: string | null): void {
    if (!pass) return;
    this.pass = pass;
    for (const done of this.passed.splice(0)) done();
  }

  /** Shows a conversation. */
  pick(thread: Thread | null): void {
    this.current = thread;
    if (thread && thread.id !== null && !thread.asked) this.load(thread);
    this.seeCurrent();
  }

  private load(thread: Thread): void {
    if (thread.id !== null && this.connection.send({ type: 'open', conversation: thread.id })) thread.asked = true;
  }

  /** Writes into the conversation that is shown; with an address it asks for the answers to go there by mail. */
  write(text: string, uploads: Upload[] = [], address?: string | null): void {
    const thread = this.current ?? this.newThread();
    const is_first = thread.id === null && thread.first === null;
    const message = drafted(text, uploads, is_first ? (thread.fields ?? []) : address ? [['email', address]] : [], is_first ? thread.topic : null, Boolean(address));
    if (is_first) thread.begin(message);
    thread.messages = [...thread.messages, message];
    this.typed_at = 0;
    this.send(thread, message);
  }

  retry(thread: Thread, message: Message): void {
    thread.replace({ ...message, state: 'sending', code: null, attempts: 0, uploads: message.uploads.map((upload) => ({ ...upload, id: message.code === 'bad_file' ? null : upload.id })) });
    const now = thread.messages.find((one) => one.key === message.key);
    if (now) this.send(thread, now);
    // What it waits for is tried again as well.
    const first = thread.messages.find((one) => one.client_id === thread.first);
    if (first?.state === 'failed' && this.work) this.retry(thread, first);
  }

  remove(thread: Thread, message: Message): void {
    thread.messages = thread.messages.filter((one) => one.key !== message.key);
    if (thread.first === message.client_id) thread.first = thread.messages[0]?.client_id ?? null;
    this.prepare(thread);
    this.keep();
  }

  send(thread: Thread, message: Message): void {
    // It was another visitor's.
    if (!this.threads.includes(thread)) return;
    this.keep();
    const missing = message.uploads.filter((upload) => upload.id === null);
    if (missing.length > 0) {
      if (missing.some((upload) => !upload.file)) return this.fail(thread, message, 'bad_file');
      void this.uploadAgain(thread, message);
      return;
    }
    if (this.holds(thread, message)) return;
    this.connection.send({
      type: 'message',
      client_id: message.client_id!,
      text: message.text,
      ...(thread.id !== null ? { conversation: thread.id } : thread.first !== message.client_id && thread.first ? { first: thread.first } : {}),
      ...(message.fields.length > 0 && { fields: message.fields }),
      ...(message.by_mail && { answer_by: 'mail' as const }),
      ...(message.topic && { topic: message.topic }),
      ...(message.uploads.length > 0 && { files: message.uploads.map((upload) => upload.id!) }),
      ...(thread.id === null && this.work && { work: thread.proof }),
    });
  }

  private async uploadAgain(thread: Thread, message: Message): Promise<void> {
    const { uploadAll } = await import('./uploads');
    const uploads = await uploadAll(this, message.uploads);
    const next = { ...message, uploads };
    thread.replace(next);
    if (uploads.every((upload) => upload.id !== null)) this.send(thread, next);
    else this.fail(thread, next, 'bad_file');
  }

  fail(thread: Thread, message: Message, code: string): void {
    // With the first message fails what waits for it.
    const waits = this.work && thread.id === null && thread.first === message.client_id;
    thread.replace({ ...message, state: 'failed', code });
    if (waits) thread.messages = thread.messages.map((one) => (one.state === 'sending' ? { ...one, state: 'failed', code } : one));
    this.keep();
    this.host.say('event', 'error', { code });
  }

  private stored(frame: Extract<FromServer, { type: 'accepted' }>): void {
    const thread = this.threads.find((one) => one.messages.some((message) => message.client_id === frame.client_id));
    if (!thread) return;
    this.ahead_ms = frame.at - Date.now();
    const is_new = thread.id === null;
    if (is_new) this.join(thread, frame.conversation);
    thread.messages = accepted(thread.messages, frame.client_id, frame.message, frame.at);
    thread.newest = Math.max(thread.newest, frame.message);
    if (is_new && thread.restored) this.load(thread);
    else thread.asked = thread.loaded = true;
    this.keep();
    if (is_new) this.host.say('event', 'conversation:start', { conversation: frame.conversation });
    this.host.say('event', 'message:sent', { conversation: frame.conversation, message: frame.message });
  }

  private refused(frame: Extract<FromServer, { type: 'refused' }>): void {
    const held = [...this.pending()].find(({ message }) => message.client_id === frame.client_id);
    if (!held) return;
    const { thread, message } = held;
    const attempts = message.attempts + 1;
    const contact = frame.fields.filter((field) => field.code === 'unknown');
    if (frame.code === 'bad_field' && contact.length > 0 && message.fields.length > 0) {
      // The site has no such field: what was answered is not lost, it stands in the text.
      const lines = message.fields.filter(([name]) => contact.some((field) => field.name === name)).map(([name, value]) => `${name}: ${value}`);
      const fields = message.fields.filter(([name]) => !contact.some((field) => field.name === name));
      const next = { ...message, attempts, fields, text: `${lines.join('\n')}\n\n${message.text}` };
      thread.replace(next);
      return this.send(thread, next);
    }
    if (!frame.retry || attempts >= MOST_ATTEMPTS) return this.fail(thread, { ...message, attempts }, frame.code);
    const next = { ...message, attempts };
    thread.replace(next);
    setTimeout(() => {
      const now = thread.messages.find((one) => one.key === next.key);
      if (now?.state === 'sending') this.send(thread, now);
    }, (frame.retry_after_s ?? 2 ** attempts) * 1000);
  }

  private arrived(wire: WireMessage): void {
    const mine = wire.client_id ? this.threads.find((one) => one.id === null && one.messages.some((message) => message.client_id === wire.client_id)) : undefined;
    if (mine) this.join(mine, wire.conversation);
    const thread = mine ?? this.thread(wire.conversation);
    const is_known = thread.messages.some((message) => message.id === wire.id);
    thread.messages = merged(thread.messages, wire);
    const is_news = !is_known && wire.author !== null && (thread.loaded || !thread.asked);
    thread.newest = Math.max(thread.newest, wire.id);
    if (mine) this.keep();
    if (wire.author !== null) thread.typing = null;
    if (is_news) {
      // A moment later, since a frame that is shown only now is read from then on.
      setTimeout(() => this.threads.includes(thread) && (this.announced = `${wire.author || t('agent')}: ${wire.text}`), SAID_AFTER_MS);
      this.news.arrived(wire, this.shown);
      this.host.say('event', 'message:received', { conversation: wire.conversation, message: wire.id });
    }
    this.seeCurrent();
  }

  /** What is on the screen has been read. */
  seeCurrent(): void {
    const thread = this.current;
    if (thread && thread.id !== null && this.shown && !document.hidden) {
      const last = thread.messages.findLast((message) => message.author !== null && message.id !== null)?.id ?? 0;
      if (last > thread.read && this.connection.send({ type: 'read', conversation: thread.id, message: last })) thread.read = last;
    }
    this.tell();
  }

  private tell(): void {
    this.news.check(this.threads);
    const unread = this.threads.reduce((sum, thread) => sum + this.unreadIn(thread), 0);
    if (unread === this.unread) return;
    this.unread = unread;
    this.host.say('unread', unread);
  }

  /** What the page says the visitor's address is. */
  address(): string {
    return this.identity?.email ?? this.customer.email ?? '';
  }

  /** The visitor writes, or stopped. */
  typing(on: boolean): void {
    const id = this.current?.id;
    const now = Date.now();
    if (typeof id !== 'number' || (on && now - this.typed_at < TYPING_EVERY_MS) || (!on && this.typed_at === 0)) return;
    this.typed_at = on ? now : 0;
    this.connection.send({ type: 'typing', conversation: id, on });
  }

  /** The secret for files; picking one is acting, so there is a session from then on. */
  async filePass(fresh = false): Promise<string | null> {
    if (this.pass && !fresh) return this.pass;
    const waiting = new Promise<void>((done) => {
      this.passed.push(done);
      setTimeout(done, 10_000);
    });
    this.pass = null;
    if (fresh && (this.session || this.identity)) this.connection.restart();
    else this.connection.send({ type: 'consent' });
    await waiting;
    return this.pass;
  }

  /** Closes the chat, or the preview, which then stays away until the chat is opened. */
  close(): void {
    if (!this.shown) this.news.end(true);
    this.shown &&= this.host.alone; // Nothing takes the focus any more while the page gives it to the launcher.
    this.host.say('close');
  }

  tryNow(): void {
    this.connection.kick();
  }

  private whose(): Whose {
    return { account: accountOf(this.identity), visitor: this.is_unkept ? '' : visitorOf(this.session) };
  }

  private keep(): void {
    this.news.remember();
    if (this.consent === false) return this.outbox.clear();
    const left = ({ messages, first }: Thread): Message[] =>
      messages.filter(({ state, client_id }) => state !== 'stored' || (this.is_unkept && client_id === first)).map((message) => (message.state === 'stored' ? { ...message, state: 'sending', id: null } : message));
    this.outbox.keep(this.whose(), this.nonce, this.threads.map((thread) => ({ id: this.is_unkept ? null : thread.id, first: thread.first, messages: left(thread) })));
  }

  /** What was on its way when the page was left; after signing in, what the account left. */
  private restore(signed_in = false): void {
    if (signed_in && this.threads.some((thread) => thread.messages.some((message) => message.state !== 'stored'))) return;
    const kept = this.outbox.kept(this.whose());
    if (!kept) return;
    if (!signed_in) this.nonce = kept.nonce;
    for (const { id, first, messages } of kept.threads) {
      const thread = id === null ? new Thread() : this.thread(id);
      thread.first = first;
      thread.restored = true;
      thread.messages = [...thread.messages, ...messages];
      if (id === null) this.threads = [thread, ...this.threads];
    }
    if (!this.current?.draft) this.current = this.threads[0] ?? null;
  }
}
