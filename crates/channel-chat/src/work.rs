//! Proof of work: what the first message of a stranger's conversation costs, so that a program cannot begin thousands.
//! Nothing of it is kept anywhere: a challenge says when it was made and is signed for one visitor, and its answer is good
//! for one message.

use crate::token::{Owner, Signer};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use switchboard_model::Timestamp;

/// How long a challenge is good.
const GOOD_MS: i64 = 60 * 60 * 1_000;
/// Another host's clock may run ahead by so much.
const AHEAD_MS: i64 = 10 * 60 * 1_000;
/// The time and what signs it, and the same as letters.
const CHALLENGE_BYTES: usize = 8 + 16;
const CHALLENGE_LETTERS: usize = CHALLENGE_BYTES / 3 * 4;
/// The longest number that a client adds.
const LONGEST_NONCE: usize = 64;

/// A challenge for one visitor.
pub(crate) fn challenge(signer: &Signer, visitor: Owner, now: Timestamp) -> String {
    let issued_at = now.0.to_be_bytes();
    URL_SAFE_NO_PAD.encode([issued_at.as_slice(), &signature(signer, visitor, issued_at)].concat())
}

/// Whether this is the work for one message of one visitor: `CHALLENGE.NONCE`, the challenge being the visitor's and not too
/// old, and SHA-256 of `CHALLENGE.CLIENT_ID.NONCE` beginning with so many zero bits. None of the parts can hold the dot.
pub(crate) fn is_done(signer: &Signer, visitor: Owner, client_id: &str, work: Option<&str>, bits: u32, now: Timestamp) -> bool {
    let Some((challenge, nonce)) = work.and_then(|work| work.split_once('.')) else { return false };
    let is_nonce = (1..=LONGEST_NONCE).contains(&nonce.len()) && nonce.bytes().all(|b| b.is_ascii_alphanumeric());
    if !is_nonce || !is_for(signer, visitor, challenge, now) {
        return false;
    }
    let digest = Sha256::digest(format!("{challenge}.{client_id}.{nonce}"));
    let first = digest.first_chunk().expect("a digest of 32 bytes has a first 8");
    u64::from_be_bytes(*first).leading_zeros() >= bits
}

fn is_for(signer: &Signer, visitor: Owner, challenge: &str, now: Timestamp) -> bool {
    if challenge.len() != CHALLENGE_LETTERS {
        return false;
    }
    let bytes = URL_SAFE_NO_PAD.decode(challenge).unwrap_or_default();
    let Some((issued_at, signed)) = bytes.split_first_chunk::<8>() else { return false };
    let is_ours = bool::from(signature(signer, visitor, *issued_at).ct_eq(signed));
    let age_ms = now.ms_since(Timestamp(i64::from_be_bytes(*issued_at)));
    is_ours && (-AHEAD_MS..=GOOD_MS).contains(&age_ms)
}

fn signature(signer: &Signer, visitor: Owner, issued_at: [u8; 8]) -> [u8; 16] {
    signer.derived("work", &[visitor.to_string().as_bytes(), &issued_at].concat())
}

#[cfg(test)]
mod tests {
    use super::{AHEAD_MS, GOOD_MS, challenge, is_done};
    use crate::token::{Owner, Signer};
    use proptest::prelude::{any, proptest};
    use secrecy::SecretSlice;
    use sha2::{Digest, Sha256};
    use std::sync::Arc;
    use switchboard_model::Timestamp;

    const NOW: Timestamp = Timestamp(1_795_262_400_000);
    const BITS: u32 = 8;

    fn signer(secret: u8) -> Signer {
        Signer::new(Arc::new(SecretSlice::from(vec![secret; 32])), "chat")
    }

    fn visitor(nonce: &str) -> Owner {
        signer(1).session_owner(&signer(1).begin(Some(nonce), NOW))
    }

    /// Counts until the digest begins with exactly so many zero bits, or with more.
    fn solved(challenge: &str, client_id: &str, exactly: bool) -> String {
        let zeros = |nonce: &u64| {
            let digest: [u8; 32] = Sha256::digest(format!("{challenge}.{client_id}.{nonce}")).into();
            digest[0].leading_zeros() + if digest[0] == 0 { digest[1].leading_zeros() } else { 0 }
        };
        let found = (0_u64..).find(|nonce| if exactly { zeros(nonce) == BITS } else { zeros(nonce) >= BITS });
        format!("{challenge}.{}", found.expect("it ends"))
    }

    #[test]
    fn work_is_good_for_its_visitor_and_message_for_an_hour() {
        let (kari, given) = (visitor("kari"), challenge(&signer(1), visitor("kari"), NOW));
        let work = solved(&given, "message-1", true);
        let check = |secret, owner, client_id: &str, bits, after_ms| {
            is_done(&signer(secret), owner, client_id, Some(&work), bits, NOW.plus_ms(after_ms))
        };
        assert!(check(1, kari, "message-1", BITS, 0) && check(1, kari, "message-1", BITS, GOOD_MS));
        assert!(check(1, kari, "message-1", BITS, -AHEAD_MS), "the clocks of hosts differ");
        assert!(!check(1, kari, "message-1", BITS, GOOD_MS + 1), "too old");
        assert!(!check(1, kari, "message-1", BITS, -AHEAD_MS - 1), "from a future that no clock error explains");
        assert!(!check(1, kari, "message-1", BITS + 1, 0), "too little");
        let mut others = (2..10).map(|number| format!("message-{number}"));
        assert!(others.any(|other| !check(1, kari, &other, BITS, 0)), "for another message");
        assert!(!check(1, visitor("ola"), "message-1", BITS, 0), "another visitor's");
        assert!(!check(2, kari, "message-1", BITS, 0), "another installation's");
    }

    #[test]
    fn letters_cannot_wander_between_message_and_nonce() {
        let given = challenge(&signer(1), visitor("kari"), NOW);
        let work = solved(&given, "message-1", false);
        let nonce = work.rsplit_once('.').expect("a nonce").1.to_owned();
        for (client_id, work) in [
            (format!("message-1{}", &nonce[..1]), format!("{given}.{}", &nonce[1..])),
            ("message-".to_owned(), format!("{given}.1{nonce}")),
            ("message-".to_owned(), format!("{given}.1.{nonce}")),
        ] {
            let done = is_done(&signer(1), visitor("kari"), &client_id, Some(&work), BITS, NOW);
            // One in 256 digests of another text is good by chance; with this secret and time none of these is.
            assert!(!done, "{client_id} {work}");
        }
    }

    #[test]
    fn what_is_no_work_is_none() {
        let given = challenge(&signer(1), visitor("kari"), NOW);
        let long = format!("{given}.{}", "1".repeat(65));
        for work in
            [None, Some(""), Some("."), Some(&given), Some(&format!("{given}.")), Some(&format!("{given}.é")), Some(&long)]
        {
            assert!(!is_done(&signer(1), visitor("kari"), "message-1", work, 0, NOW), "{work:?}");
        }
    }

    proptest! {
        #[test]
        fn a_challenge_that_was_not_made_here_is_none(text in "[A-Za-z0-9_-]{0,40}", flip in any::<usize>()) {
            let check = |challenge: &str| is_done(&signer(1), visitor("kari"), "message-1", Some(&format!("{challenge}.1")), 0, NOW);
            assert!(!check(&text));
            let mut made = challenge(&signer(1), visitor("kari"), NOW).into_bytes();
            let place = flip % made.len();
            made[place] = if made[place] == b'A' { b'B' } else { b'A' };
            assert!(!check(&String::from_utf8(made).expect("still ASCII")));
        }
    }
}
