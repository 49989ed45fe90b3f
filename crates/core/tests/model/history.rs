//! A history as data: a directory and what happened, one entry per number.

use serde_json::json;
use std::sync::Arc;
use switchboard_model::{Arrival, Decision, Directory, Input, ItemState, Refusal, RefusalReason, Timestamp};

/// What happens at one number.
#[derive(Clone, Debug)]
pub enum Event {
    /// A directory version.
    Directory(Arc<Directory>),
    /// Anything else but a refusal.
    Input(Input),
    /// The database refuses what was decided at an earlier number of this same history: the number, and the place
    /// among the decisions made at it.
    Refused { of: (u64, u32), reason: RefusalReason, state: ItemState, retry: Option<Arrival> },
}

/// One entry: the time and the event.
#[derive(Clone, Debug)]
pub struct Entry {
    pub now: Timestamp,
    pub event: Event,
}

/// A whole history. Entry `i` has the number `i + 1`.
#[derive(Clone, Debug)]
pub struct History {
    pub seed: u64,
    pub start: Timestamp,
    pub directory: Arc<Directory>,
    pub entries: Vec<Entry>,
}

impl Event {
    /// The input that the router gets; a tick where the refused decision was never made.
    pub fn input(&self, decisions: &[Decision]) -> Input {
        match self {
            Self::Directory(directory) => Input::Directory { version: directory.version, directory: Some(directory.clone()) },
            Self::Input(input) => input.clone(),
            Self::Refused { of, reason, state, retry } => {
                let made =
                    decisions.iter().find(|decision| (decision.no, decision.place, decision.item) == (of.0, of.1, state.item));
                made.map_or(Input::Tick, |decision| {
                    let (decision, state) = (Box::new(decision.clone()), state.clone());
                    Input::Refused(Refusal { decision, reason: *reason, state, retry: retry.clone() })
                })
            }
        }
    }

    /// Whether it is nothing but time.
    pub const fn is_tick(&self) -> bool {
        matches!(self, Self::Input(Input::Tick))
    }
}

impl History {
    /// The history as lines of JSON, ticks left out; the directory without its zone data.
    pub fn as_lines(&self) -> String {
        let mut lines = vec![format!("start {} directory {}", self.start.0, plain(&self.directory))];
        for (index, entry) in self.entries.iter().enumerate().filter(|(_, entry)| !entry.event.is_tick()) {
            let event = match &entry.event {
                Event::Directory(directory) => format!("directory {}", plain(directory)),
                Event::Input(input) => json!(input).to_string(),
                Event::Refused { of, reason, state, retry } => {
                    let (no, place) = of;
                    format!("refused no {no} place {place}, {reason}, state {}, retry {}", json!(state), json!(retry))
                }
            };
            lines.push(format!("no {} now {} {event}", index + 1, entry.now.0));
        }
        lines.join("\n")
    }
}

fn plain(directory: &Directory) -> String {
    let mut directory = directory.clone();
    directory.zones.clear();
    json!(directory).to_string()
}
