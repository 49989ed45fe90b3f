//! The router held to `ROUTING.md`, rule by rule, through its public interface.

mod answers;
mod availability;
mod chatflows;
mod distribution;
mod eligibility;
mod gcmu;
mod idle;
mod leave_out;
mod load;
mod marks;
mod matcher;
mod never;
mod presence;
mod properties;
mod queue;
mod reach;
mod refusals;
mod retries;
mod rules;
mod skills;
mod sla;
mod support;
mod validation;
mod wait_range;
mod weights;
mod why;
