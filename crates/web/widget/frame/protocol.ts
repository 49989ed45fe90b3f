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
  /** Absent where nothing is mailed. The address is one that the site has proven. */
  mail: { after_minutes: number; address: string | null } | null;
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
  /** The shortest and the longest wait, in minutes; empty while nobody can tell. */
  wait_minutes: number[];
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
  /** A program wrote it. */
  automatic: boolean;
  text: string;
  files: FileEntry[];
  /** The address that the visitor gave with it. */
  email: string | null;
  /** The visitor asked with it for answers by mail. */
  by_mail: boolean;
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
  answer_by?: 'mail';
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
const text = (value: unknown): string => (typeof value === 'string' ? value : '');
const textOrNull = (value: unknown): string | null => text(value) || null;
const numberOrNull = (value: unknown): number | null => (typeof value === 'number' && Number.isFinite(value) ? value : null);
const number = (value: unknown): number => numberOrNull(value) ?? 0;
const yes = (value: unknown): boolean => value === true;
const unlessNo = (value: unknown): boolean => value !== false;
const array = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);
const texts = (value: unknown): string[] => array(value).filter((one): one is string => typeof one === 'string');
const labels = (value: unknown): Labels =>
  typeof value === 'string' ? { '*': value } : Object.fromEntries(Object.entries(loose(value)).filter((pair): pair is [string, string] => typeof pair[1] === 'string'));

type Read<T> = (value: unknown) => T;
/** Reads an object of which these fields are wanted, each by its reader. */
const shape =
  <T extends object>(fields: { [K in keyof T]: Read<T[K]> }): Read<T> =>
  (value) =>
    Object.fromEntries(Object.entries<Read<unknown>>(fields).map(([name, read]) => [name, read(loose(value)[name])])) as T;
const list =
  <T>(read: Read<T>): Read<T[]> =>
  (value) =>
    array(value).map(read);
const or =
  <T>(read: Read<T>, usual: T): Read<T> =>
  (value) =>
    read(value) || usual;

const choices = list(shape({ value: text, label: labels }));
const thread = shape<ThreadState>({ conversation: number, open: unlessNo, owner: textOrNull, position: numberOrNull, wait_minutes: list(number), seen: number, read: number, newest: number });
const cost = shape<Work>({ challenge: text, bits: number });
const work = (value: unknown): Work | null => (loose(value).challenge ? cost(value) : null);
const offer = shape<NonNullable<Settings['mail']>>({ after_minutes: number, address: textOrNull });
const settings = shape<Settings>({
  text_length: or(number, 10_000),
  files: shape<FileRules>({ allowed: yes, count: or(number, 5), bytes: or(number, 10_485_760), types: texts }),
  prechat: list(
    shape<Field>({
      name: text,
      kind: or(text, 'text'),
      required: yes,
      label: labels,
      options: choices,
      topics: (value) => (texts(value).length > 0 ? texts(value) : null),
      known: yes,
    }),
  ),
  topics: choices,
  mail: (value) => (value ? offer(value) : null),
});
const written = shape({
  conversation: number,
  id: number,
  client_id: textOrNull,
  author: (value) => {
    const { kind, name, automatic } = loose(value);
    return { name: kind === 'visitor' ? null : text(name), automatic: yes(automatic) };
  },
  text,
  files: list(shape<FileEntry>({ name: text, content_type: text, size_bytes: number })),
  email: textOrNull,
  answer_by: text,
  at: number,
});

type Body<K> = Omit<Extract<FromServer, { type: K }>, 'type'>;
const FRAMES: { [K in FromServer['type']]: Read<Body<K>> } = {
  welcome: shape({ visitor: text, identity_fault: textOrNull, session: yes, pass: textOrNull, conversations: list(thread), settings, open: unlessNo, opens_at: numberOrNull, work }),
  work: (value) => ({ work: work(value) }),
  session: shape({ session: text, pass: textOrNull }),
  accepted: shape({ client_id: text, conversation: number, message: number, at: number }),
  refused: shape({ client_id: textOrNull, code: text, retry: yes, retry_after_s: numberOrNull, fields: list(shape({ name: text, code: text })) }),
  message: (value) => {
    const { author, answer_by, ...rest } = written(value);
    return { ...rest, author: author.name, automatic: author.automatic, by_mail: answer_by === 'mail' };
  },
  replayed: shape({ conversation: number }),
  thread,
  typing: shape({ conversation: number, name: text, on: yes }),
  pong: shape({}),
  bye: shape({ code: text, reconnect: unlessNo, retry_after_s: numberOrNull }),
};

/** A frame of the server, or null for what is not understood, which newer servers may send. */
export function parse(data: unknown): FromServer | null {
  let given: unknown;
  try {
    given = JSON.parse(text(data));
  } catch {
    return null;
  }
  const type = text(loose(given).type) as FromServer['type'];
  return Object.hasOwn(FRAMES, type) ? ({ type, ...FRAMES[type](given) } as FromServer) : null;
}
