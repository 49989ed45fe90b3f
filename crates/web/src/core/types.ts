// The shapes that the API speaks, as the model crate writes them.

export type Id = number;
/** Milliseconds since 1970, UTC. */
export type Ms = number;

export type ViewName = 'unassigned' | 'mine' | 'team_unassigned' | 'team_open' | 'open' | 'closed' | 'waiting' | 'snoozed';
export type Sort = 'newest' | 'oldest' | 'waiting_longest' | 'priority';
export type ItemKind = 'conversation' | 'ticket';
export type ItemStatus = 'open' | 'snoozed' | 'closed' | 'spam';
export type Priority = 'low' | 'normal' | 'high' | 'urgent';
export type ChannelKind = 'email' | 'chat' | 'form' | 'whatsapp' | 'messenger' | 'calling' | 'custom';
export type StatusValue = 'available' | 'away' | 'finishing';
export type UnavailableCause = 'away' | 'out_of_office' | 'outside_hours';
export type Role = 'viewer' | 'agent' | 'lead' | 'admin';
export type Seat = 'none' | 'sales' | 'service';
export type Distribution = 'load_balanced' | 'round_robin' | 'random' | 'least_busy' | 'longest_idle' | 'longest_idle_total';

export type Owner = { kind: 'user'; id: Id } | { kind: 'bot' } | { kind: 'assistant' };

export type Actor =
  | { kind: 'user'; id: Id }
  | { kind: 'bot' | 'assistant' | 'workflow' | 'system' }
  | { kind: 'rule'; channel: Id }
  | { kind: 'api'; token: Id }
  | { kind: 'contact'; id: Id };

export interface Page<T> {
  rows: T[];
  next: string | null;
  total: number;
}

export interface Identity {
  kind: 'email' | 'phone' | 'whatsapp' | 'messenger' | 'cookie' | 'custom';
  value: string;
}

export interface ContactBrief {
  id: Id;
  name: string;
  identity: Identity | null;
}

export interface ContactView {
  id: Id;
  name: string | null;
  owner: Id | null;
  identities: Identity[];
  created_at: Ms;
  conversations: number;
}

export interface ItemRow {
  id: Id;
  kind: ItemKind;
  version: number;
  workspace: Id;
  channel: Id | null;
  conversation: Id | null;
  ticket: Id | null;
  contact: ContactBrief | null;
  subject: string | null;
  preview: string;
  status: ItemStatus;
  priority: Priority;
  ticket_type: 'calling' | 'messaging' | 'email_other' | null;
  owner: Owner | null;
  team: Id | null;
  owned_since: Ms | null;
  unassigned_reason: string | null;
  waiting_since: Ms | null;
  last_message_at: Ms;
  created_at: Ms;
  /** In search results: where the words were found. */
  snippet?: string | null;
}

export type HistoryChange =
  | { kind: 'created' }
  | { kind: 'owner'; owner: Owner | null; team: Id | null }
  | { kind: 'status'; status: ItemStatus }
  | { kind: 'returned'; note: string | null };

export interface History {
  at: Ms;
  actor: Actor;
  change: HistoryChange;
  decision: Id | null;
}

export interface ItemView extends ItemRow {
  linked: ItemRow | null;
  contact_detail: ContactView | null;
  last_decision: Id | null;
  history: History[];
}

export interface AttachmentView {
  id: Id;
  name: string;
  content_type: string;
  bytes: number;
  content_id: string | null;
}

export interface Delivery {
  state: 'queued' | 'sending' | 'sent' | 'failed';
  attempts: number;
  error: string | null;
  next_attempt_at: Ms | null;
}

export interface Address {
  name: string | null;
  address: string;
}

export interface MessageView {
  id: Id;
  conversation: Id;
  kind: 'inbound' | 'reply' | 'note';
  at: Ms;
  author: Actor;
  author_name: string | null;
  subject: string | null;
  text: string;
  html: string | null;
  fields: [string, string][];
  attachments: AttachmentView[];
  recipients: Address[];
  nature: 'message' | 'auto_reply' | 'bounce' | 'spam' | 'malformed';
  raw: Id | null;
  delivery: Delivery | null;
}

export type SkipReason =
  | { code: 'inactive' | 'no_seat' | 'no_access' | 'not_main_member' | 'at_capacity' | 'on_call' | 'excluded' }
  | { code: 'unavailable'; cause: UnavailableCause }
  | { code: 'lacks_skill'; skill: string };

export type Verdict = { kind: 'chosen' } | { kind: 'eligible' } | { kind: 'skipped'; reason: SkipReason };

export interface Candidate {
  user: Id;
  team: Id | null;
  load: number;
  open: number;
  limit: number | null;
  last_assigned: number | null;
  rank: number | null;
  verdict: Verdict;
}

export type Outcome =
  | { kind: 'assigned'; user: Id; team: Id | null }
  | { kind: 'team_set'; team: Id }
  | { kind: 'kept'; user: Id }
  | { kind: 'unassigned'; reason: string };

export interface Decision {
  item: Id;
  item_version: number;
  event: string;
  group: string;
  rule: { channel: Id; version: number; case: number } | null;
  outcome: Outcome;
  distribution: Distribution | null;
  load: number | null;
  tied: number;
  draw: number | null;
  candidates: number;
  eligible: number;
  fallback: boolean;
}

export interface DecisionView {
  id: Id;
  at: Ms;
  no: number;
  directory_version: number;
  decision: Decision;
  duration_us: number;
  refused: string | null;
  text?: string;
}

export interface ExplanationView {
  decision: DecisionView;
  /** Null where the log it would be rebuilt from is gone. */
  explanation: { stages: { target: string; candidates: Candidate[] }[] } | null;
  names: { users: Record<string, string>; teams: Record<string, string>; channel?: string | null };
  text: string;
}

export interface ManualStatus {
  value: StatusValue;
  reason?: string | null;
  set_at: Ms;
  origin: 'initial' | 'by_hand';
}

export interface PersonView {
  user: Id;
  status: ManualStatus | null;
  availability_version: number;
  open: number;
  open_per_type: Partial<Record<'chat' | 'mail' | 'call', number>>;
  available: boolean;
  cause: UnavailableCause | null;
  until: Ms | null;
  limit: number | null;
  limits: Partial<Record<'chat' | 'mail' | 'call', number>>;
  changed_by: Actor | null;
  /** The status before the last change, for undoing it. */
  previous?: ManualStatus | null;
}

export interface UserView {
  id: Id;
  email: string;
  name: string;
  role: Role;
  seat: Seat;
  active: boolean;
  accepted: boolean;
  ticket_access: boolean;
  team: Id | null;
  extra_teams: Id[];
  zone: string;
  hours: string[];
  language: string | null;
}

/** The person is null for whoever the router does not know, such as the deactivated. */
export type UserWithPerson = UserView & { person: PersonView | null };

export type Counts = Record<ViewName, number>;

export interface Capabilities {
  reply: boolean;
  subject: boolean;
  attachments: boolean;
  html: boolean;
  copies: boolean;
}

export interface Me {
  user: UserView;
  permissions: string[];
  person: PersonView;
  counts: Counts;
  last_event: number;
  settings: { company: string | null; channels: Record<string, Capabilities>; languages: string[] };
}

export interface Team {
  id: Id;
  slug: string;
  name: string;
  parent: Id | null;
}

export interface Workspace {
  id: Id;
  slug: string;
  name: string;
  kind: 'inbox' | 'help_desk';
}

export type Member = { user: Id } | { team: Id };

export type Fallback = { kind: 'nobody' } | { kind: 'user'; user: Id } | { kind: 'users_and_teams'; members: Member[] };

export type Target =
  | { kind: 'nobody' }
  | { kind: 'users_and_teams'; members: Member[] }
  | { kind: 'team_only'; team: Id }
  | { kind: 'contact_owner'; require_cookie: boolean; fallback: Fallback }
  | { kind: 'assistant'; if_cannot_answer: Fallback };

export type Condition =
  | { all: Condition[] }
  | { any: Condition[] }
  | { not: Condition }
  | { is: { field: string; values: string[] } }
  | { contains: { field: string; values: string[] } };

export interface Case {
  when?: Condition | null;
  target: Target;
  distribution?: Distribution | null;
  only_available: boolean;
  when_nobody: 'unassigned' | 'wait' | 'keep';
  outside_hours: 'route' | 'unassigned' | 'assistant';
}

export interface Rule {
  on: boolean;
  version: number;
  cases: Case[];
}

export interface ChannelView {
  id: Id;
  slug: string;
  name: string;
  kind: ChannelKind;
  workspace: Id;
  on: boolean;
  zone: string;
  hours: string[];
  reopen_owner: 'keep' | 'route' | 'unassign';
  rule: Rule | null;
  capabilities: Capabilities;
  state: { running: boolean; error: string | null; last_event_at: Ms | null };
  stale: { case: number; member: Member; reason: SkipReason | null }[];
}

export interface Assignable {
  users: {
    user: Id;
    name: string;
    available: boolean;
    cause: UnavailableCause | null;
    load: number;
    open: number;
    limit: number | null;
    allowed: boolean;
    reason?: string | null;
  }[];
  teams: Team[];
}

export interface TokenView {
  id: Id;
  name: string;
  scopes: string[];
  created_at: Ms;
  expires_at: Ms | null;
  last_used_at: Ms | null;
  token?: string;
}

export type LiveKind = 'item' | 'message' | 'person' | 'directory' | 'notice';

export interface LiveEvent {
  id: number;
  at: Ms;
  kind: LiveKind;
  workspace: Id | null;
  item: Id | null;
  conversation: Id | null;
  version: number | null;
  message: Id | null;
  user: Id | null;
}

export interface Problem {
  type?: string;
  title?: string;
  status: number;
  detail?: string;
  code?: string;
  errors?: { key: string; message: string }[];
  current?: ItemRow;
}
