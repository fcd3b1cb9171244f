//! The integration tests: the core against a server on loopback that plays whatever a test writes.
//!
//! `server` is that server; `service`, `issuer` and `tokens` are the providers it stands for; `fixture`
//! is the device that logs in there, and the only place that knows how a keeper is set up.

mod child;
mod connections;
#[cfg(all(target_os = "linux", target_env = "gnu", target_pointer_width = "64"))]
mod disk;
#[cfg(all(target_os = "linux", target_env = "gnu", target_pointer_width = "64"))]
mod faults;
mod fixture;
mod grants;
mod issuer;
mod server;
mod service;
mod tokens;

mod adopt;
mod clocks;
mod everywhere;
mod handover;
mod hosts;
mod http;
mod kill;
#[cfg(unix)]
mod locks;
mod login;
mod logout;
mod logout_all;
mod logout_answers;
mod logout_by_renewal;
mod logout_steps;
mod oauth;
mod outbox;
mod password;
mod permissions;
mod poll;
mod question;
mod register;
mod renewal;
mod request;
mod scripted_answers;
mod sources;
mod steps;
mod streams;
mod together;
mod upkeep;
mod waiting;
mod withdrawn;
