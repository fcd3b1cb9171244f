//! The ways out, a file each, and `proof.rs`, which alone decides what an answer proves.
//!
//! What is sent are the credentials of a session that is already gone from this device.

mod proof;
mod request;

use crate::cancel::Cancel;
use crate::clock::Clock;
use crate::error::Fault;
use crate::http::{Client, Jar};
use crate::outbox::Outcome;
use crate::provider::{Logout, Provider};
use std::time::Duration;

/// What one attempt came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    pub outcome: Outcome,
    /// The HTTP status, where there was an answer.
    pub status: Option<u16>,
    pub retry_after: Option<Duration>,
    /// Why there was no answer.
    pub fault: Option<Fault>,
    /// In our words, for the log and the details; never the server's.
    pub reason: String,
}

/// What a way out works with.
struct Visit<'a> {
    client: &'a Client,
    provider: &'a Provider,
    jar: &'a Jar,
    clock: &'a dyn Clock,
    cancel: &'a Cancel,
}

/// Tells the server of `provider` to end the session whose cookies are in `jar`.
pub fn revoke(
    client: &Client,
    provider: &Provider,
    jar: &Jar,
    clock: &dyn Clock,
    cancel: &Cancel,
) -> Verdict {
    match &provider.logout {
        Logout::Request(logout) => {
            let visit = Visit { client, provider, jar, clock, cancel };
            request::revoke(&visit, logout)
        }
    }
}

/// The part of `jar` that revoking needs: what the logout and its probe would send.
pub fn credentials(provider: &Provider, jar: &Jar) -> Jar {
    match &provider.logout {
        Logout::Request(logout) => {
            let mut urls = vec![&logout.url];
            urls.extend(logout.probe.as_ref().map(|probe| &probe.url));
            jar.subset_for(&urls)
        }
    }
}

/// How many requests a revocation makes at most; they share the logout's deadline.
pub fn requests(provider: &Provider) -> u32 {
    match &provider.logout {
        Logout::Request(logout) => 1 + u32::from(logout.probe.is_some()),
    }
}
