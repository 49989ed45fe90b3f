//! Opening connections: addresses, pragmas, session limits and the lock beside a SQLite file.
