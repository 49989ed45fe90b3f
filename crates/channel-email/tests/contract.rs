//! The channel contract over real sockets.
