//! The chat channel: visitors of a site connected by WebSocket. The README documents the protocol and what it promises.
