// The protocol `switchboard.chat.1`: what goes over the socket, and a reader that lets nothing else through.

export const SUBPROTOCOL = 'switchboard.chat.1';
export type Labels = Record<string, string>;

export interface Field {
  name: string;
  kind: string;
  required: boolean;
  label: Labels;
  options: { value: string; label: Labels }[];
  topics: string[] | null;
  known: boolean;
}
export interface FileRules {
  allowed: boolean;
  count: number;
  bytes: number;
  types: string[];
}
export interface Settings {
  text_length: number;
  files: FileRules;
  prechat: Field[];
  topics: { value: string; label: Labels }[];
}
/** What the first message of a conversation costs. */
export interface Work {
  challenge: string;
  bits: number;
}
export interface ThreadState {
  conversation: number;
  open: boolean;
  owner: string | null;
  position: number | null;
  seen: number;
  read: number;
  newest: number;
}
export interface FileEntry {
  name: string;
  content_type: string;
  size_bytes: number;
}
export interface WireMessage {
  conversation: number;
  id: number;
  client_id: string | null;
  /** Name of the one who wrote, or null for the visitor. */
  author: string | null;
  text: string;
  files: FileEntry[];
  at: number;
}
export type FromServer =
  | { type: 'welcome'; visitor: string; identity_fault: string | null; session: boolean; pass: string | null; conversations: ThreadState[]; settings: Settings; open: boolean; opens_at: number | null; work: Work | null }
  | { type: 'work'; work: Work | null }
  | { type: 'session'; session: string; pass: string | null }
  | { type: 'accepted'; client_id: string; conversation: number; message: number; at: number }
  | { type: 'refused'; client_id: string | null; code: string; retry: boolean; retry_after_s: number | null; fields: { name: string; code: string }[] }
  | ({ type: 'message' } & WireMessage)
  | { type: 'replayed'; conversation: number }
  | ({ type: 'thread' } & ThreadState)
  | { type: 'typing'; conversation: number; name: string; on: boolean }
  | { type: 'pong' }
  | { type: 'bye'; code: string; reconnect: boolean; retry_after_s: number | null };

export interface Outgoing {
  type: 'message';
  client_id: string;
  conversation?: number;
  first?: string;
  text: string;
  fields?: [string, string][];
  topic?: string;
  files?: string[];
  work?: string;
}
export type ToServer =
  | { type: 'hello'; session?: string; nonce?: string; identity?: object; locale?: string; page?: object; after?: Record<string, number> }
  | Outgoing
  | { type: 'consent' | 'ping' }
  | { type: 'open'; conversation: number; after?: number }
  | { type: 'typing'; conversation: number; on: boolean }
  | { type: 'read'; conversation: number; message: number }
  | { type: 'page'; url: string; title: string };

type Loose = Record<string, unknown>;
const loose = (value: unknown): Loose => (typeof value === 'object' && value !== null ? (value as Loose) : {});
const list = (value: unknown): Loose[] => (Array.isArray(value) ? value.map(loose) : []);
const text = (value: unknown): string => (typeof value === 'string' ? value : '');
const textOrNull = (value: unknown): string | null => (typeof value === 'string' && value !== '' ? value : null);
const number = (value: unknown): number => (typeof value === 'number' && Number.isFinite(value) ? value : 0);
const numberOrNull = (value: unknown): number | null => (typeof value === 'number' && Number.isFinite(value) ? value : null);
const texts = (value: unknown): string[] => (Array.isArray(value) ? value.filter((one): one is string => typeof one === 'string') : []);
const labels = (value: unknown): Labels =>
  typeof value === 'string' ? { '*': value } : Object.fromEntries(Object.entries(loose(value)).filter((pair): pair is [string, string] => typeof pair[1] === 'string'));

const work = ({ challenge, bits }: Loose): Work | null => (challenge ? { challenge: text(challenge), bits: number(bits) } : null);
const thread = (value: Loose): ThreadState => ({
  conversation: number(value.conversation),
  open: value.open !== false,
  owner: textOrNull(value.owner),
  position: numberOrNull(value.position),
  seen: number(value.seen),
  read: number(value.read),
  newest: number(value.newest),
});

function settings(value: unknown): Settings {
  const given = loose(value);
  const files = loose(given.files);
  return {
    text_length: number(given.text_length) || 10_000,
    files: { allowed: files.allowed === true, count: number(files.count) || 5, bytes: number(files.bytes) || 10_485_760, types: texts(files.types) },
    prechat: list(given.prechat).map((field) => ({
      name: text(field.name),
      kind: text(field.kind) || 'text',
      required: field.required === true,
      label: labels(field.label),
      options: list(field.options).map((option) => ({ value: text(option.value), label: labels(option.label) })),
      topics: texts(field.topics).length > 0 ? texts(field.topics) : null,
      known: field.known === true,
    })),
    topics: list(given.topics).map((topic) => ({ value: text(topic.value), label: labels(topic.label) })),
  };
}

/** A frame of the server, or null for what is not understood, which newer servers may send. */
export function parse(data: unknown): FromServer | null {
  let given: Loose;
  try {
    given = loose(JSON.parse(text(data)));
  } catch {
    return null;
  }
  switch (given.type) {
    case 'welcome':
      return {
        type: 'welcome', visitor: text(given.visitor), identity_fault: textOrNull(given.identity_fault), session: given.session === true, pass: textOrNull(given.pass),
        conversations: list(given.conversations).map(thread), settings: settings(given.settings), open: given.open !== false, opens_at: numberOrNull(given.opens_at), work: work(loose(given.work)),
      };
    case 'work':
      return { type: 'work', work: work(given) };
    case 'session':
      return { type: 'session', session: text(given.session), pass: textOrNull(given.pass) };
    case 'accepted':
      return { type: 'accepted', client_id: text(given.client_id), conversation: number(given.conversation), message: number(given.message), at: number(given.at) };
    case 'refused':
      return {
        type: 'refused', client_id: textOrNull(given.client_id), code: text(given.code), retry: given.retry === true, retry_after_s: numberOrNull(given.retry_after_s),
        fields: list(given.fields).map((field) => ({ name: text(field.name), code: text(field.code) })),
      };
    case 'message': {
      const author = loose(given.author);
      return {
        type: 'message', conversation: number(given.conversation), id: number(given.id), client_id: textOrNull(given.client_id),
        author: author.kind === 'visitor' ? null : text(author.name), text: text(given.text), at: number(given.at),
        files: list(given.files).map((file) => ({ name: text(file.name), content_type: text(file.content_type), size_bytes: number(file.size_bytes) })),
      };
    }
    case 'replayed':
      return { type: 'replayed', conversation: number(given.conversation) };
    case 'thread':
      return { type: 'thread', ...thread(given) };
    case 'typing':
      return { type: 'typing', conversation: number(given.conversation), name: text(given.name), on: given.on === true };
    case 'pong':
      return { type: 'pong' };
    case 'bye':
      return { type: 'bye', code: text(given.code), reconnect: given.reconnect !== false, retry_after_s: numberOrNull(given.retry_after_s) };
    default:
      return null;
  }
}
