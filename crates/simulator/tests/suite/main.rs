//! Traffic, comparison, report, and test cases of rules.

mod compare;
mod history;
mod house;
mod report;
mod rule_tests;
mod runs;
mod traffic;
