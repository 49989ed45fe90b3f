//! The API over a real engine on a SQLite file: what programs and the desk meet.

mod access;
mod answers;
mod conformance;
mod house;
mod live;
mod logs;
mod moving;
mod permissions;
mod programs;
mod settings;
mod work;
