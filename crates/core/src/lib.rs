//! The router: who gets an item, and why.
//!
//! [`Router::step`] is the only mutation: it consumes one [`Input`](switchboard_model::Input) at a stated time
//! under a stated number and answers with effects. There is no clock, no randomness and no IO in here, so the
//! same state, number, time and input give the same effects, bit for bit. `ROUTING.md` in this folder is the
//! contract; comments name its rules by number.

mod absence;
mod answers;
mod availability;
mod blank;
mod calendar;
mod decide;
mod distribution;
mod eligibility;
mod explain;
mod idle;
mod ladder;
mod ladders;
mod lanes;
mod matching;
mod opening;
mod pace;
mod passing;
mod people;
mod place;
mod plan;
mod pool;
mod queue;
mod random;
mod router;
mod skills;
mod sla;
mod turns;
mod undone;
mod usage;
mod validate;
mod work;

pub use answers::Subject;
pub use eligibility::{
    AssignRefusal, NotSelectable, StaleMember, default_distribution, may_assign_by_hand, may_edit_rules, selectable,
    stale_members, team_selectable,
};
pub use matching::Stranded;
pub use opening::{ChannelHours, channel_hours};
pub use pace::{Paces, WaitRange};
pub use router::{Availability, CoreError, Router};
pub use sla::{Pause, SlaClock, SlaFacts, due_at};
pub use validate::{never, skill_uses, validate, validate_people, validate_rule, validate_structure};
