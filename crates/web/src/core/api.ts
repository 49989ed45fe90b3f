// Requests to the API: JSON in and out, problems as one error type.
import type { Problem } from './types';

export class ApiError extends Error {
  constructor(
    /** HTTP status; 0 when the server was not reached. */
    readonly status: number,
    readonly problem: Problem,
    /** Seconds after which trying again makes sense, where the server says so. */
    readonly retry_after_s: number | null = null,
  ) {
    super(problem.detail ?? problem.title ?? `HTTP ${status}`);
    this.name = 'ApiError';
  }

  get unreachable(): boolean {
    return this.status === 0 || this.status === 502 || this.status === 503 || this.status === 504;
  }
}

type Listener = () => void;
let on_signed_out: Listener = () => {};

/** Called whenever the server says that there is no session. */
export function whenSignedOut(listener: Listener): void {
  on_signed_out = listener;
}

/** A key under which the server recognises a repeated request. */
export function newKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

export interface RequestOptions {
  body?: unknown;
  signal?: AbortSignal;
  /** Kept over retries of the same intent; every POST gets one. */
  key?: string;
  /** Goes out even if the page is left. */
  keepalive?: boolean;
}

export async function request<T>(method: string, path: string, options: RequestOptions = {}): Promise<T> {
  const headers: Record<string, string> = { accept: 'application/json' };
  if (options.body !== undefined) headers['content-type'] = 'application/json';
  if (method === 'POST') headers['idempotency-key'] = options.key ?? newKey();
  let response: Response;
  try {
    response = await fetch(`/api/v1${path}`, {
      method,
      headers,
      credentials: 'same-origin',
      signal: options.signal ?? null,
      keepalive: options.keepalive ?? false,
      body: options.body === undefined ? null : JSON.stringify(options.body),
    });
  } catch (error) {
    if (options.signal?.aborted) throw error;
    throw new ApiError(0, { status: 0, code: 'unreachable' });
  }
  if (response.status === 204) return undefined as T;
  const text = await response.text();
  const parsed = parse(text);
  if (response.ok) return parsed as T;
  const problem: Problem =
    parsed !== null && typeof parsed === 'object' ? { ...(parsed as Problem), status: response.status } : { status: response.status };
  if (response.status === 401 && path !== '/session') on_signed_out();
  const wait = Number(response.headers.get('retry-after'));
  throw new ApiError(response.status, problem, Number.isFinite(wait) && wait > 0 ? wait : null);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

export const load = <T>(path: string, signal?: AbortSignal): Promise<T> => request<T>('GET', path, signal ? { signal } : {});
export const post = <T>(path: string, body: unknown, key?: string): Promise<T> => request<T>('POST', path, key ? { body, key } : { body });
export const put = <T>(path: string, body: unknown): Promise<T> => request<T>('PUT', path, { body });
export const remove = <T = void>(path: string): Promise<T> => request<T>('DELETE', path);

/** A query string of the values that are set, `?` included; empty when none is. */
export function query(values: Record<string, string | number | null | undefined>): string {
  const parts = new URLSearchParams();
  for (const [name, value] of Object.entries(values)) {
    if (value !== null && value !== undefined && value !== '') parts.set(name, String(value));
  }
  const text = parts.toString();
  return text === '' ? '' : `?${text}`;
}
