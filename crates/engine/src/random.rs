//! Random values from the operating system.

/// A seed for one decision.
pub(crate) fn seed() -> u64 {
    u64::from_le_bytes(bytes())
}

/// Bytes for secrets.
pub(crate) fn bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the operating system gives random bytes");
    bytes
}
