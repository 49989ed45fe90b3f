//! Ids, allocated in memory out of blocks that a host reserves for itself.
