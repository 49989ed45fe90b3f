//! Faults of the chatflows of a channel: whose they are, and that each can be reached (ROUTING 1, 7.7).

use super::repeated;
use super::rules::{MAX_CASES, comparisons, condition};
use switchboard_model::{ChannelEntry, ChannelKind, Condition, Fault};

/// The most chatflows that a channel can have.
const MAX_CHATFLOWS: usize = 50;

pub(super) fn all(channel: &ChannelEntry) -> Vec<Fault> {
    let Some(chatflows) = &channel.chatflows else { return Vec::new() };
    let at = format!("channels.{}.chatflows", channel.slug);
    let list = &chatflows.list;
    let mut faults = Vec::new();
    if channel.kind != ChannelKind::Chat {
        faults.push(Fault::new(&at, format!("belong to channels of kind `chat`; this one is of kind `{}`", channel.kind)));
    }
    if list.len() > MAX_CHATFLOWS {
        faults.push(Fault::new(&at, format!("{} chatflows, {MAX_CHATFLOWS} at most", list.len())));
    }
    for place in repeated(list.iter().map(|flow| flow.slug.as_str())) {
        let slug = &list[place].slug;
        faults.push(Fault::new(
            format!("{at}[{place}].slug"),
            format!("`{slug}` is named twice; give each chatflow a slug of its own"),
        ));
    }
    for flow in list {
        if let Some(when) = &flow.when {
            condition(&format!("{at}.{}.when", flow.slug), when, &mut faults);
        }
    }
    if let Some(taker) = list.iter().position(|flow| flow.when.is_none()) {
        let name = &list[taker].slug;
        faults.extend(list.iter().skip(taker + 1).map(|flow| {
            let message = format!("`{name}` before it has no condition and takes every chat, so it can never be reached");
            Fault::new(format!("{at}.{}", flow.slug), message)
        }));
    }
    faults.extend(too_much(channel, &at));
    faults
}

/// What the chatflows come to has the bounds of a rule.
fn too_much(channel: &ChannelEntry, at: &str) -> Vec<Fault> {
    let cases = channel.rule.as_ref().map_or(&[][..], |rule| &rule.cases);
    let compared: usize = cases.iter().filter_map(|case| case.when.as_ref()).map(comparisons).sum();
    let mut faults = Vec::new();
    if cases.len() > MAX_CASES {
        faults
            .push(Fault::new(at, format!("{} cases in all chatflows and the channel's rule, {MAX_CASES} at most", cases.len())));
    }
    if compared > Condition::MAX_COMPARISONS {
        let most = Condition::MAX_COMPARISONS;
        let message = format!("{compared} comparisons, a chatflow's condition counted with each of its cases; {most} at most");
        faults.push(Fault::new(at, message));
    }
    faults
}
