//! Checks of the way in: the same twice is once, nothing is acknowledged early, nothing a stranger sends breaks.

use super::message_is_sound;
use crate::harness::{Answer, Harness, Intake};
use std::time::Duration;
use switchboard_channel::InboxErrorKind;

/// Longest wait for an answer. Far above what any answer takes, so that only a hang meets it.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(20);

/// The same payload gives the same message on two installations with the same settings, secret and time.
///
/// # Panics
/// When it is not accepted, records nothing, or differs.
pub async fn same_payload_same_message(one: &Harness, other: &Harness, intake: &dyn Intake, payload: &[u8]) {
    for harness in [one, other] {
        let answer = deliver(harness, intake, payload).await;
        assert_eq!(answer, Answer::Accepted, "a good payload was not accepted");
    }
    let (first, second) = (one.inbox.messages(), other.inbox.messages());
    assert!(!first.is_empty(), "an accepted payload was not recorded");
    assert!(first == second, "the same payload gave two different messages");
    first.iter().for_each(|message| message_is_sound(&one.context.slug, message));
}

/// A payload that the source repeats, because it never saw the answer, is accepted again and changes nothing
/// (ROUTING 12.1).
///
/// # Panics
/// When a repeat is refused or recorded.
pub async fn repeats_change_nothing(harness: &Harness, intake: &dyn Intake, payload: &[u8]) {
    let before = harness.inbox.messages().len();
    assert_eq!(deliver(harness, intake, payload).await, Answer::Accepted, "a good payload was not accepted");
    let recorded = harness.inbox.messages();
    assert_eq!(recorded.len(), before + 1, "one payload is one message");
    for _ in 0..2 {
        assert_eq!(deliver(harness, intake, payload).await, Answer::Accepted, "a repeat was not accepted");
    }
    assert!(harness.inbox.messages() == recorded, "a repeat changed what was recorded");
}

/// The source hears *accepted* only after the commit: while the inbox refuses, it hears *try again*, and once
/// the inbox is back the same payload is recorded exactly once. A lost answer of the inbox does not make two
/// messages.
///
/// # Panics
/// When a refusal is answered as accepted, or the payload is lost or doubled.
pub async fn acknowledged_only_after_the_commit(harness: &Harness, intake: &dyn Intake, payload: &[u8]) {
    let before = harness.inbox.messages().len();
    for kind in [InboxErrorKind::Unavailable, InboxErrorKind::Busy, InboxErrorKind::Unknown] {
        harness.inbox.fail_with(kind);
        let answer = deliver(harness, intake, payload).await;
        assert_eq!(answer, Answer::TryAgain, "the inbox said {kind:?}, which is worth another try");
    }
    for kind in [InboxErrorKind::Closed, InboxErrorKind::Invalid] {
        harness.inbox.fail_with(kind);
        let answer = deliver(harness, intake, payload).await;
        assert_ne!(answer, Answer::Accepted, "the inbox said {kind:?} and the source heard that all is well");
    }
    harness.inbox.recover();
    assert_eq!(harness.inbox.messages().len(), before, "a refused payload was recorded");
    harness.inbox.lose_next_answer();
    let answer = deliver(harness, intake, payload).await;
    assert_eq!(answer, Answer::TryAgain, "the commit is uncertain, so the source must keep its copy");
    let answer = deliver(harness, intake, payload).await;
    assert_eq!(answer, Answer::Accepted, "the inbox is back and the payload was not accepted");
    assert_eq!(harness.inbox.messages().len(), before + 1, "the payload was lost or doubled");
}

/// A sample cut short, with bytes changed or put in between, or replaced by garbage, is answered within its
/// time; nothing panics; and whatever is recorded all the same is a sound message. A good payload is accepted
/// afterwards.
///
/// # Panics
/// When the channel hangs, records an unsound message, or is broken afterwards.
pub async fn damaged_payloads_are_answered(harness: &Harness, intake: &dyn Intake, sample: &[u8]) {
    for damaged in damage(sample) {
        deliver(harness, intake, &damaged).await;
    }
    for message in harness.inbox.messages() {
        message_is_sound(&harness.context.slug, &message);
    }
    let answer = deliver(harness, intake, sample).await;
    assert_eq!(answer, Answer::Accepted, "after damaged payloads a good one is no longer accepted");
}

/// A payload beyond the configured limit is refused for good and leaves nothing behind; a good one is accepted
/// afterwards.
///
/// # Panics
/// When it is accepted, recorded, or breaks the channel.
pub async fn oversized_is_refused(harness: &Harness, intake: &dyn Intake, oversized: &[u8], good: &[u8]) {
    let before = harness.inbox.messages().len();
    assert_eq!(deliver(harness, intake, oversized).await, Answer::Refused, "an oversized payload must be refused for good");
    assert_eq!(harness.inbox.messages().len(), before, "an oversized payload was recorded");
    assert_eq!(deliver(harness, intake, good).await, Answer::Accepted, "a good payload was not accepted afterwards");
}

/// A payload whose parts lie within one another thousands of times is answered, and whatever is recorded of it is a sound
/// message; a good one is accepted afterwards.
///
/// # Panics
/// When the channel hangs, records an unsound message, or is broken afterwards.
pub async fn nested_is_answered(harness: &Harness, intake: &dyn Intake, nested: &[u8], good: &[u8]) {
    deliver(harness, intake, nested).await;
    for message in harness.inbox.messages() {
        message_is_sound(&harness.context.slug, &message);
    }
    assert_eq!(deliver(harness, intake, good).await, Answer::Accepted, "after a nested payload a good one is no longer accepted");
}

/// Payloads whose signature is wrong, missing, or of another time are not accepted and leave nothing behind, while a good
/// one is accepted. For channels whose source signs what it sends.
///
/// # Panics
/// When a forged payload is accepted or recorded, or the good one is not.
pub async fn forged_is_refused(harness: &Harness, intake: &dyn Intake, forged: &[Vec<u8>], good: &[u8]) {
    assert!(!forged.is_empty(), "no forged payload proves nothing");
    let before = harness.inbox.messages().len();
    for (place, payload) in forged.iter().enumerate() {
        assert_ne!(deliver(harness, intake, payload).await, Answer::Accepted, "forged payload {place} was accepted");
        assert_eq!(harness.inbox.messages().len(), before, "forged payload {place} was recorded");
    }
    assert_eq!(deliver(harness, intake, good).await, Answer::Accepted, "the good payload was not accepted");
}

pub(super) async fn deliver(harness: &Harness, intake: &dyn Intake, payload: &[u8]) -> Answer {
    let answer = tokio::time::timeout(ANSWER_TIMEOUT, intake.deliver(harness, payload)).await;
    answer.unwrap_or_else(|_| panic!("no answer to a payload of {} bytes", payload.len()))
}

/// Damaged forms of a sample, the same on every run.
pub(super) fn damage(sample: &[u8]) -> Vec<Vec<u8>> {
    const STEPS: usize = 24;
    let mut damaged = vec![Vec::new(), vec![0], vec![b'\n'; 3], vec![0xff; 64], b"{".to_vec(), (0..=255).collect()];
    let mut noise = 0x9e37_79b9_7f4a_7c15_u64;
    for step in 0..STEPS {
        let place = sample.len() * step / STEPS;
        damaged.push(sample[..place].to_vec());
        let mut changed = sample.to_vec();
        for _ in 0..4 {
            noise = noise.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let [first, second, .., value] = noise.to_be_bytes();
            if !changed.is_empty() {
                let at = (usize::from(first) << 8 | usize::from(second)) % changed.len();
                changed[at] = value;
            }
        }
        damaged.push(changed);
        let mut spliced = sample[..place].to_vec();
        spliced.extend_from_slice(&[0, 0xc3, 0x28, b'\r', b'\n']);
        spliced.extend_from_slice(&sample[place..]);
        damaged.push(spliced);
    }
    damaged.push([sample, sample].concat());
    damaged
}
