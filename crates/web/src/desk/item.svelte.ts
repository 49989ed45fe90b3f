// The opened item: its details, its thread, and everything that can be done with it.
import { ApiError, load, post, put, query, newKey } from '../core/api';
import { say } from '../core/announce.svelte';
import type { People } from '../core/drafts.svelte';
import { t } from '../core/i18n.svelte';
import type { ItemRow, ItemStatus, ItemView, LiveEvent, MergeReport, MessageView, Owner, Page, Priority } from '../core/types';
import { Company } from './company.svelte';
import { Waiting } from './waiting.svelte';

const PAGE = 50;
const REFRESH_PAUSE_MS = 150;

export interface OutgoingFile {
  name: string;
  content_type: string;
  base64: string;
  bytes: number;
}

export interface Outgoing {
  kind: 'reply' | 'note';
  text: string;
  people: People;
  /** How long it waits, so that it can be taken back. */
  undo_seconds: number;
  files: OutgoingFile[];
  /** Send although something new has come. */
  anyway: boolean;
  /** Kept over attempts of the same text, so that a repeated press sends once. */
  key: string;
}

const listed = (name: 'to' | 'cc' | 'bcc', addresses: string[]): Record<string, { address: string }[]> =>
  addresses.length > 0 ? { [name]: addresses.map((address) => ({ address })) } : {};

export class OpenItem {
  view = $state.raw<ItemView | null>(null);
  messages = $state.raw<MessageView[]>([]);
  older = $state<string | null>(null);
  loading = $state(true);
  loading_older = $state(false);
  error = $state.raw<ApiError | null>(null);
  /** An action is on its way. */
  busy = $state(false);
  /** The newest message that the reader has had before the eyes, for the check when sending. */
  seen = $state<number | null>(null);
  /** What it waits for while nobody has it. */
  readonly waiting: Waiting;
  /** Who else is here. */
  readonly company: Company;
  private readonly abort = new AbortController();
  private timer: ReturnType<typeof setTimeout> | null = null;

  constructor(
    readonly id: number,
    private readonly changed: (row: ItemRow) => void,
  ) {
    this.waiting = new Waiting(id, this.abort.signal);
    this.company = new Company(id, () => this.seen);
    void this.start();
  }

  close(): void {
    this.abort.abort();
    this.company.close();
    if (this.timer !== null) clearTimeout(this.timer);
  }

  retry(): void {
    this.loading = true;
    this.error = null;
    void this.start();
  }

  event(event: LiveEvent): void {
    this.waiting.event(event);
    const conversation = this.view?.conversation;
    const ours = event.item === this.id || (event.conversation !== null && event.conversation === conversation);
    if (ours || (event.item !== null && event.item === this.view?.linked?.id)) this.refreshSoon();
  }

  refreshSoon(): void {
    if (this.timer !== null) return;
    this.timer = setTimeout(() => {
      this.timer = null;
      void this.refresh();
    }, REFRESH_PAUSE_MS);
  }

  async refresh(): Promise<void> {
    try {
      const [view, page] = await Promise.all([this.fetchView(), this.fetchMessages(null)]);
      if (this.abort.signal.aborted) return;
      this.view = view;
      this.waiting.follow(view);
      this.changed(view);
      this.merge(page);
    } catch (error) {
      if (error instanceof ApiError && error.status === 404) this.error = error;
    }
  }

  async loadOlder(): Promise<void> {
    if (this.older === null || this.loading_older) return;
    this.loading_older = true;
    try {
      const page = await this.fetchMessages(this.older);
      const known = new Set(this.messages.map((message) => message.id));
      this.messages = [...page.rows.filter((message) => !known.has(message.id)), ...this.messages];
      this.older = page.next;
    } finally {
      this.loading_older = false;
    }
  }

  /** What is on the screen now counts as read. */
  markSeen(): void {
    const seen = this.messages.at(-1)?.id ?? null;
    if (seen === this.seen) return;
    this.seen = seen;
    this.company.saw();
  }

  async send(outgoing: Outgoing): Promise<MessageView> {
    const body = {
      kind: outgoing.kind,
      text: outgoing.text,
      ...listed('to', outgoing.people.to),
      ...listed('cc', outgoing.people.cc),
      ...listed('bcc', outgoing.people.bcc),
      ...(outgoing.undo_seconds > 0 ? { undo_seconds: outgoing.undo_seconds } : {}),
      ...(outgoing.files.length > 0
        ? { attachments: outgoing.files.map(({ name, content_type, base64 }) => ({ name, content_type, base64 })) }
        : {}),
      ...(outgoing.kind === 'reply' && !outgoing.anyway && this.seen !== null ? { seen_message: this.seen } : {}),
    };
    const message = await post<MessageView>(`/items/${this.id}/messages`, body, outgoing.key);
    if (!this.messages.some((known) => known.id === message.id)) this.messages = [...this.messages, message];
    this.markSeen();
    this.refreshSoon();
    return message;
  }

  /** Takes a reply back that waits to be sent. */
  async recall(message: number): Promise<void> {
    await post(`/messages/${message}/recall`, {}, newKey());
    this.messages = this.messages.filter((known) => known.id !== message);
    this.markSeen();
    this.refreshSoon();
  }

  /** Mails what was said in a chat to its contact. */
  async sendTranscript(): Promise<void> {
    await post(`/items/${this.id}/transcript`, {}, newKey());
  }

  async retryDelivery(message: number): Promise<void> {
    await post(`/messages/${message}/retry`, {}, newKey());
    await this.refresh();
  }

  setOwner(owner: Owner | null, team: number | null | undefined): Promise<ItemRow | null> {
    const version = this.view?.version ?? 0;
    const body = team === undefined ? { version, owner } : { version, owner, team };
    return this.act(() => put<ItemRow>(`/items/${this.id}/owner`, body));
  }

  setStatus(status: ItemStatus, until: number | null = null): Promise<ItemRow | null> {
    const version = this.view?.version ?? 0;
    return this.act(() => put<ItemRow>(`/items/${this.id}/status`, until === null ? { version, status } : { version, status, until }));
  }

  setPriority(priority: Priority): Promise<ItemRow | null> {
    return this.act(() => put<ItemRow>(`/items/${this.id}/priority`, { version: this.view?.version ?? 0, priority }));
  }

  giveBack(note: string): Promise<ItemRow | null> {
    return this.act(() => post<ItemRow>(`/items/${this.id}/return`, { version: this.view?.version ?? 0, note }));
  }

  routeAgain(): Promise<ItemRow | null> {
    return this.act(() => post<ItemRow>(`/items/${this.id}/route`, { version: this.view?.version ?? 0 }));
  }

  /** Answers with what is the work item there, which may be another one. */
  moveTo(workspace: number, route: boolean): Promise<ItemRow | null> {
    return this.act(() => post<ItemRow>(`/items/${this.id}/move`, { version: this.view?.version ?? 0, workspace, route }));
  }

  /** Answers with the one that stays. */
  mergeWith(other: ItemRow): Promise<ItemRow | null> {
    const body = { version: this.view?.version ?? 0, with: other.id, with_version: other.version };
    return this.act(async () => (await post<MergeReport>(`/items/${this.id}/merge`, body)).survivor);
  }

  /** One action at a time; whatever the server answers replaces what is shown, conflicts too. */
  private async act(run: () => Promise<ItemRow>): Promise<ItemRow | null> {
    if (this.busy) return null;
    this.busy = true;
    try {
      const row = await run();
      this.take(row);
      return row;
    } catch (error) {
      if (error instanceof ApiError && error.problem.current) this.take(error.problem.current);
      this.refreshSoon();
      throw error;
    } finally {
      this.busy = false;
    }
  }

  private take(row: ItemRow): void {
    if (this.view && row.id === this.id) this.view = { ...this.view, ...row };
    this.changed(row);
    this.refreshSoon();
  }

  private async start(): Promise<void> {
    try {
      const [view, page] = await Promise.all([this.fetchView(), this.fetchMessages(null)]);
      if (this.abort.signal.aborted) return;
      this.view = view;
      this.waiting.follow(view);
      this.changed(view);
      this.messages = page.rows;
      this.older = page.next;
      this.markSeen();
    } catch (error) {
      if (this.abort.signal.aborted) return;
      this.error = error instanceof ApiError ? error : new ApiError(0, { status: 0, detail: String(error) });
    } finally {
      this.loading = false;
    }
  }

  private merge(page: Page<MessageView>): void {
    const known = new Set(this.messages.map((message) => message.id));
    const added = page.rows.filter((message) => !known.has(message.id));
    const fresh = new Map(page.rows.map((message) => [message.id, message]));
    this.messages = [...this.messages.map((message) => fresh.get(message.id) ?? message), ...added];
    const inbound = added.filter((message) => message.kind === 'inbound').length;
    if (inbound > 0) say(t('thread.jump_new', { n: inbound }));
  }

  private fetchView(): Promise<ItemView> {
    return load<ItemView>(`/items/${this.id}`, this.abort.signal);
  }

  private fetchMessages(before: string | null): Promise<Page<MessageView>> {
    return load<Page<MessageView>>(`/items/${this.id}/messages${query({ before, limit: PAGE })}`, this.abort.signal);
  }
}
