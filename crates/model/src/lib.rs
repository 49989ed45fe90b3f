//! The vocabulary of Switchboard: ids, identities, messages, the directory, and what goes into and comes
//! out of the router. Plain data with its parsing and printing; no IO, no clock, no decisions.

mod answer;
mod chatflow;
mod condition;
mod details;
mod directory;
mod fault;
mod hours;
mod id;
mod identity;
mod kind;
mod message;
mod record;
mod routing;
mod rule;
mod signal;
mod skill;
mod sla;
mod state;
mod time;
mod view;
mod widget;

pub use answer::{CapacityUse, Change, Lack, LaneLack, Preference, Remedy, WhyNot, WhyWaiting};
pub use chatflow::{CasePlace, Chatflow, Chatflows};
pub use condition::{Condition, FactField, Facts};
pub use details::{Authentication, CheckResult, DeliveryFailure, Invitation, InvitationMethod, MessageDetails};
pub use directory::{
    Capacity, CapacityWeights, ChannelEntry, ChatSettings, Directory, InvalidDirectory, LeaveOut, OutOfOffice, Presence,
    QueueOrder, ReopenOwner, Role, Seat, Team, Transcript, User, Workspace, WorkspaceAccess, WorkspaceKind, ZoneData,
};
pub use fault::{Fault, nearest};
pub use hours::{CivilDate, HoursSpan, InvalidDate, InvalidHours, Weekday, WeeklyHours};
pub use id::{
    BlobId, ChannelId, ContactId, ConversationId, DecisionId, ItemId, MessageId, SkillId, TeamId, TicketId, TokenId, UserId,
    WorkspaceId,
};
pub use identity::{Identity, IdentityKind, Proof, fold};
pub use kind::{ChannelKind, ItemKind, LoadGroup, TicketType, WorkType};
pub use message::{
    Address, Attachment, Capabilities, Delivered, InboundMessage, Nature, OutboundMessage, RawSource, Receipt, RefusedRecipient,
    Sender, ThreadHints,
};
pub use record::{
    Candidate, Decision, Explanation, Outcome, RuleRef, SkipReason, Stage, StageTarget, UnassignedReason, UnavailableCause,
    Verdict, mark,
};
pub use routing::{
    Actor, Arrival, BEHAVIOUR_VERSION, ContactFacts, Effect, Input, ItemChange, ItemState, ItemStatus, ManualStatus, Owner,
    Priority, QueueFacts, Refusal, RefusalReason, Revision, RouteEvent, StatusChange, StatusOrigin, StatusValue,
};
pub use rule::{
    Case, Distribution, Fallback, HandBack, Member, MemberWeight, OutsideHours, OverflowStep, Rule, Target, WhenNobody,
};
pub use signal::{Attention, ConversationPresence, PersonAttention, VisitedPage, VisitorPresence};
pub use skill::{Demand, SKILL_LEVELS, Skill, SkillRule, Spoken, UserSkill, Wanted};
pub use sla::Sla;
pub use state::{AssignedMark, IdleTotal, OwnedItem, RouterState, TurnState, Undone, UndoneMark, UndoneTurn, WaitingItem};
pub use time::Timestamp;
pub use view::{
    AttachmentView, ContactBrief, ContactView, DecisionView, Delivery, DeliveryState, History, HistoryChange, ItemRow, ItemSort,
    ItemView, LiveEvent, LiveEventKind, MessageKind, MessageView, Page, PersonLoad, View,
};
pub use widget::Widget;
