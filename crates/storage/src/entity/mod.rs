//! Entities of the tables that are read and written a row at a time.
