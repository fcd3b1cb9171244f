//! The integration tests: the core against a server on loopback that plays whatever a test writes.
//!
//! `server` is that server; `service` and `issuer` are the two providers it stands for; `fixture`
//! is the device that logs in there, and the only place that knows how a keeper is set up.

mod child;
mod connections;
mod fixture;
mod issuer;
mod server;
mod service;

mod http;
mod kill;
#[cfg(unix)]
mod locks;
mod login;
mod logout;
mod logout_answers;
mod oauth;
mod outbox;
mod password;
mod renewal;
mod request;
mod scripted_answers;
mod together;
