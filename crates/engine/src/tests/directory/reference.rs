//! The reference names every key that is read, and no other.

use super::faults;
use crate::directory::{REFERENCE, ReferenceSection};
use std::collections::BTreeSet;

/// A key that is near to none.
const ODD: &str = "zzzzzzzzzzzzzzzz = 1";

/// Files with an odd key in each table of a section, and what stands before the keys of that table.
fn odd_files(table: &str) -> Vec<(String, &'static str)> {
    let within = |head: &str, inner: &[(&'static str, &str)]| {
        let own = (format!("{head}\n{ODD}\n"), "");
        let nested = inner.iter().map(|(prefix, value)| (format!("{head}\n{}\n", value.replace("ODD", ODD)), *prefix));
        std::iter::once(own).chain(nested).collect::<Vec<_>>()
    };
    match table {
        "the file itself" => within("", &[]),
        "[[skills]]" | "[[holidays]]" => within(table, &[]),
        "[[teams]]" => within(table, &[("presence.", "presence = { ODD }")]),
        "[[users]]" => within(
            table,
            &[
                ("capacity.", "capacity = { ODD }"),
                ("capacity.weights.", "capacity = { weights = { ODD } }"),
                ("capacity.leave_out.", "capacity = { leave_out = { ODD } }"),
                ("skills.", "skills = [{ ODD }]"),
            ],
        ),
        "[[workspaces]]" => within(table, &[("sla.", "sla = { ODD }")]),
        "[[workspaces.skill_rules]]" => {
            within("[[workspaces]]\n[[workspaces.skill_rules]]", &[("demands.", "demands = [{ ODD }]")])
        }
        "[[channels]]" => within(table, &[("chat.", "chat = { ODD }"), ("rule.", "rule = { ODD }")]),
        "[[channels.rule.cases]]" => within(
            "[[channels]]\n[[channels.rule.cases]]",
            &[("hand_back.", "hand_back = { ODD }"), ("overflow.", "overflow = [{ ODD }]")],
        ),
        "[[channels.chatflows]]" => within("[[channels]]\n[[channels.chatflows]]", &[("rule.", "rule = { ODD }")]),
        other => panic!("the section {other} is not read by this test"),
    }
}

/// The keys that reading a section knows, as its faults name them.
fn read_keys(section: &ReferenceSection) -> BTreeSet<String> {
    let mut keys = BTreeSet::new();
    for (text, prefix) in odd_files(section.table) {
        let found = faults(&text);
        let mut known = found.iter().filter_map(|fault| fault.split_once("unknown key `zzzzzzzzzzzzzzzz`; known are "));
        let (_, known) = known.next_back().unwrap_or_else(|| panic!("{text}: {found:?}"));
        keys.extend(known.split(", ").map(|key| format!("{prefix}{key}")));
    }
    keys
}

#[test]
fn the_reference_names_every_key_of_a_directory_file_and_no_other() {
    for section in REFERENCE.iter().filter(|section| section.table != "[[tests]]") {
        let named: BTreeSet<String> = section.keys.iter().map(|(key, ..)| (*key).to_owned()).collect();
        let tables = named.iter().flat_map(|key| key.match_indices('.').map(|(at, _)| key[..at].to_owned()));
        let with_tables: BTreeSet<String> = named.iter().cloned().chain(tables).collect();
        assert_eq!(with_tables, read_keys(section), "{}", section.table);
    }
}
