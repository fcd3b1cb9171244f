//! Sessionkeeper signs in to a streaming service, stays signed in, and signs out on the server too.
//!
//! The floors, top down; each uses only the floors below it, and rooms on one floor do not know each
//! other. tests/python/test_floors.py holds the code against this list.

pub mod audit;
pub mod cancel;
pub mod clock;
pub mod error;
pub mod events;
pub mod gate;
pub mod http;
pub mod keeper;
pub mod logbook;
mod login;
mod logout;
mod outbox;
pub mod plain;
pub mod provider;
pub mod redact;
pub mod secret;
pub mod session;
pub mod token;
mod vault;
