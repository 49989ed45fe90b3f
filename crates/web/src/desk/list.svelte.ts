// The list of the view that is shown: pages of 200 by cursor, live changes, holding, ghosts.
import { ApiError, load, query } from '../core/api';
import { append, EMPTY, expire, explainGhost, first, patch, refresh, release, type Rows } from '../core/rows';
import type { ItemRow, LiveEvent, Page, Sort, ViewName } from '../core/types';

const PAGE = 200;
/** Rows kept at most; further scrolling asks to narrow the view instead. */
const MOST_PAGES = 5;
const REFRESH_PAUSE_MS = 250;
const EXPLAINED_GHOSTS = 10;

export interface Wanted {
  view: ViewName;
  workspace: number | null;
  sort: Sort;
}

export class ItemList {
  state = $state.raw<Rows>(EMPTY);
  loading = $state(true);
  loading_more = $state(false);
  error = $state.raw<ApiError | null>(null);
  /** Ids that came with live events since the list was opened, for the mark of new rows. */
  private wanted: Wanted | null = null;
  private abort = new AbortController();
  private held = false;
  private dirty = false;
  private asking = false;
  private timer: ReturnType<typeof setTimeout> | null = null;

  constructor(private readonly arrived: (count: number) => void) {}

  open(wanted: Wanted): void {
    this.wanted = wanted;
    this.abort.abort();
    this.abort = new AbortController();
    this.state = EMPTY;
    this.loading = true;
    this.error = null;
    void this.fetchFirst(wanted, this.abort.signal);
  }

  retry(): void {
    if (this.wanted) this.open(this.wanted);
  }

  hold(held: boolean): void {
    if (this.held === held) return;
    this.held = held;
    if (!held) this.state = release(this.state, Date.now());
  }

  show(): void {
    this.state = release(this.state, Date.now());
  }

  tick(): void {
    if (!this.held) this.state = expire(this.state, Date.now());
  }

  event(event: LiveEvent): void {
    if (event.kind === 'item' || event.kind === 'message') this.refreshSoon();
  }

  /** Asks for the first page again, once for everything that happens within a moment. */
  refreshSoon(): void {
    this.dirty = true;
    if (this.timer !== null || this.asking) return;
    this.timer = setTimeout(() => {
      this.timer = null;
      void this.refreshNow();
    }, REFRESH_PAUSE_MS);
  }

  patch(row: ItemRow): void {
    this.state = patch(this.state, row);
  }

  async more(): Promise<void> {
    const { next, rows } = this.state;
    const wanted = this.wanted;
    if (next === null || wanted === null || this.loading_more || rows.length >= PAGE * MOST_PAGES) return;
    this.loading_more = true;
    const signal = this.abort.signal;
    try {
      const page = await this.fetch(wanted, next, signal);
      if (!signal.aborted) this.state = append(this.state, page);
    } catch {
      // The rows that are there stay; scrolling on asks again.
    } finally {
      this.loading_more = false;
    }
  }

  private fetch(wanted: Wanted, cursor: string | null, signal: AbortSignal): Promise<Page<ItemRow>> {
    const ask = query({ view: wanted.view, workspace: wanted.workspace, sort: wanted.sort, cursor, limit: PAGE });
    return load<Page<ItemRow>>(`/items${ask}`, signal);
  }

  private async fetchFirst(wanted: Wanted, signal: AbortSignal): Promise<void> {
    try {
      const page = await this.fetch(wanted, null, signal);
      if (signal.aborted) return;
      this.state = first(page);
      this.loading = false;
    } catch (error) {
      if (signal.aborted) return;
      this.error = error instanceof ApiError ? error : new ApiError(0, { status: 0, detail: String(error) });
      this.loading = false;
    }
  }

  private async refreshNow(): Promise<void> {
    const wanted = this.wanted;
    if (wanted === null || this.loading) return;
    if (this.error) return this.retry();
    const signal = this.abort.signal;
    this.asking = true;
    this.dirty = false;
    try {
      const page = await this.fetch(wanted, null, signal);
      if (signal.aborted) return;
      const before = new Set(this.state.rows.map((row) => row.id));
      this.state = refresh(this.state, page, this.held, Date.now());
      const count = page.rows.filter((row) => !before.has(row.id)).length;
      if (count > 0) this.arrived(count);
      await this.explainGhosts(signal);
    } catch {
      this.dirty = !signal.aborted;
    } finally {
      this.asking = false;
      if (this.dirty && !signal.aborted) this.refreshSoon();
    }
  }

  private async explainGhosts(signal: AbortSignal): Promise<void> {
    const unknown = [...this.state.ghosts].filter(([, ghost]) => ghost.now === null).slice(0, EXPLAINED_GHOSTS);
    const found = await Promise.allSettled(unknown.map(([id]) => load<ItemRow>(`/items/${id}`, signal)));
    if (signal.aborted) return;
    found.forEach((result, index) => {
      const id = unknown[index]![0];
      if (result.status === 'fulfilled') this.state = explainGhost(this.state, id, result.value);
    });
  }
}
