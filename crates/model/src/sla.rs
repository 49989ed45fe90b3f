//! Service targets of a workspace and the clock they run by (ROUTING 14.3).

use crate::hours::WeeklyHours;
use serde::{Deserialize, Serialize};

/// How soon work of a workspace is to be answered and closed. Targets are in working minutes of its clock; absent is
/// no target.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Sla {
    /// From the creation of an item to our first reply.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_reply_min: Option<u32>,
    /// From the oldest unanswered message of the contact to our reply, once there was a first reply.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_reply_min: Option<u32>,
    /// From the creation of an item to its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub close_min: Option<u32>,
    /// IANA time zone of the clock; not asked where it has neither hours nor holidays.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub zone: String,
    /// Weekly hours in which the clock runs; empty is always.
    #[serde(default)]
    pub hours: WeeklyHours,
    /// Holiday calendars, on whose dates in `zone` the clock stands.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub holidays: Vec<String>,
}
