//! The program as its users meet it: mail and forms come in, people work, hosts are killed, disks fill up.

mod arrival;
mod chat;
mod crashes;
mod demo;
mod desk;
mod hosts;
mod imap;
mod pickup;
mod race;
mod replay;
mod replies;
mod simulate;
mod support;
mod trouble;
mod widget;
mod work;
