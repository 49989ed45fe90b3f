// The shapes that the API speaks, by the names that the desk uses. They come from the OpenAPI document through
// `npm run types`; what the document says more loosely than the server behaves is said precisely here.
import type { components } from './api.gen';

type Schemas = components['schemas'];

export type Id = number;
/** Milliseconds since 1970, UTC. */
export type Ms = number;

export type ViewName = 'unassigned' | 'mine' | 'team_unassigned' | 'team_open' | 'open' | 'closed' | 'waiting' | 'snoozed';
export type Sort = 'newest' | 'oldest' | 'waiting_longest' | 'priority';
export type ItemKind = Schemas['ItemKind'];
export type ItemStatus = Schemas['ItemStatus'];
export type Priority = Schemas['Priority'];
export type ChannelKind = Schemas['ChannelKind'];
export type StatusValue = Schemas['StatusValue'];
export type UnavailableCause = Schemas['UnavailableCause'];
export type Role = Schemas['Role'];
export type Seat = Schemas['Seat'];
export type Distribution = Schemas['Distribution'];
export type WorkType = 'chat' | 'mail' | 'call';

export type Owner = Schemas['Owner'];
export type Actor = Schemas['Actor'];
export type Identity = Schemas['Identity'];
export type ContactBrief = Schemas['ContactBrief'];
export type ContactView = Schemas['ContactView'];
export type History = Schemas['History'];
export type HistoryChange = Schemas['HistoryChange'];
export type AttachmentView = Schemas['AttachmentView'];
export type Delivery = Schemas['Delivery'];
export type Address = Schemas['Address'];
export type SkipReason = Schemas['SkipReason'];
export type Verdict = Schemas['Verdict'];
export type Candidate = Schemas['Candidate'];
export type Outcome = Schemas['Outcome'];
export type Decision = Schemas['Decision'];
export type DecisionView = Schemas['DecisionView'];
export type ExplanationView = Schemas['Explained'];
export type Names = Schemas['Names'];
export type WaitingAnswer = Schemas['WaitingAnswer'];
export type WhyWaiting = Schemas['WhyWaiting'];
export type LaneLack = Schemas['LaneLack'];
export type Remedy = Schemas['Remedy'];
export type Change = Schemas['Change'];
export type WhyNotAnswer = Schemas['WhyNotAnswer'];
export type WhyNot = Schemas['WhyNot'];
export type CapacityUse = Schemas['CapacityUse'];
export type ManualStatus = Schemas['ManualStatus'];
export type UserView = Schemas['User'];
export type Counts = Schemas['Counts'];
export type Capabilities = Schemas['Capabilities'];
export type Team = Schemas['Team'];
export type Workspace = Schemas['Workspace'];
export type Member = Schemas['Member'];
export type Fallback = Schemas['Fallback'];
export type Target = Schemas['Target'];
export type Case = Schemas['Case'];
export type Rule = Schemas['Rule'];
export type ChannelView = Schemas['ChannelRow'];
export type Assignable = Schemas['Assignable'];
export type TokenView = Schemas['TokenView'] & { token?: string | null };
export type MergeReport = Schemas['MergeReport'];
export type LiveEvent = Schemas['LiveEvent'];
export type LiveKind = Schemas['LiveEventKind'];
export type Attention = Schemas['Attention'];
export type PersonAttention = Schemas['PersonAttention'];
export type ConversationPresence = Schemas['ConversationPresence'];
export type MessageView = Schemas['MessageView'];
export type PersonView = Schemas['PersonView'];
export type UserWithPerson = Schemas['UserRow'];
export type Me = Schemas['Me'];
export type Condition = Schemas['Condition'];
/** In search results with where the words were found. */
export type ItemRow = Schemas['ItemRow'] & { snippet?: string | null };
export type ItemView = Schemas['ItemView'];

export interface Page<T> {
  rows: T[];
  /** Opaque; null on the last page. */
  next: string | null;
  total: number;
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
