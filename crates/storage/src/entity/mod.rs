//! Entities of the tables of sign-in, which are read and written a row at a time. The tables of the hot path are
//! written by hand-made SQL in the files of their topics.

pub(crate) mod api_token;
pub(crate) mod credential;
pub(crate) mod session;
