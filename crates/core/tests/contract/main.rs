//! The router held to `ROUTING.md`, rule by rule, through its public interface.

mod availability;
mod distribution;
mod eligibility;
mod load;
mod marks;
mod matcher;
mod properties;
mod queue;
mod reach;
mod refusals;
mod rules;
mod skills;
mod support;
mod validation;
mod weights;
