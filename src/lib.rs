//! Sessionkeeper logs in to a streaming service, stays logged in, and logs out on the server too.
//!
//! The floors, top down; each uses only the floors below it, and rooms on one floor do not know
//! each other. tests/python/test_floors.py holds the code against this list.

#[cfg(any(test, feature = "fuzz"))]
pub mod fuzz;
#[cfg(test)]
mod schema_test;

#[cfg(feature = "python")]
mod python;

pub mod registry;

mod background;

pub mod catalogue;
pub mod command;
pub mod open_options;

pub mod operation;

pub mod keeper;

mod login;
mod logout;

mod oauth;

mod steps;

mod backoff;
mod context;
mod user_files;

pub mod http;
mod vault;

pub mod session;

pub mod cookies;

pub mod provider;

pub mod audit;
pub mod events;
pub mod log;
pub mod redact;

pub mod cancel;
pub mod clock;
pub mod error;
mod fork;
pub mod lock;
mod memory;
pub mod secret;
pub mod wire;
