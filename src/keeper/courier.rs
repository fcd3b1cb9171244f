//! Carries the audit trail to an HTTP endpoint, beside whatever else goes on: nobody waits for it.
//!
//! How far it has come is in the vault, so a sink that was away catches up: at the next logout, drain
//! or start.

use super::Keeper;
use crate::cancel::Cancel;
use crate::cookies::Jar;
use crate::error::{Error, Kind, Result};
use crate::http::Request;
use crate::provider::Hosts;
use serde_json::json;
use std::sync::TryLockError;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{self, Receiver, TryRecvError};
use std::time::Duration;
use url::Url;

/// So many lines go in one request.
const LINES: usize = 200;

/// No delivery makes more requests than this.
const ROUNDS: usize = 60;

/// A sink that takes longer has failed.
const PATIENCE: Duration = Duration::from_secs(10);

/// A delivery that goes on beside a logout.
pub(super) struct Delivery(Option<Receiver<Result<()>>>);

impl Delivery {
    /// What is to be said about it by now.
    pub fn warning(self) -> String {
        let Some(receiver) = self.0 else { return String::new() };
        match receiver.try_recv() {
            Ok(Ok(())) => String::new(),
            Ok(Err(error)) => format!("the audit sink failed: {}", error.message()),
            Err(TryRecvError::Empty) => "the audit sink has not answered yet".to_owned(),
            Err(TryRecvError::Disconnected) => "the audit sink failed".to_owned(),
        }
    }
}

/// An address that the audit trail may be sent to.
pub fn check_address(text: &str) -> Result<Url> {
    let url = Url::parse(text)
        .map_err(|_| Error::new(Kind::InvalidInput, "the audit sink's address is none"))?;
    hosts_of(&url)?.check(&url)?;
    Ok(url)
}

fn hosts_of(url: &Url) -> Result<Hosts> {
    Ok(Hosts::new(&[url.origin().ascii_serialization()], &[])?)
}

impl Keeper {
    /// Begins a delivery on a thread of its own.
    pub(super) fn deliver_audit_beside(&self) -> Delivery {
        let Some(url) = self.audit_url.clone() else { return Delivery(None) };
        let (sender, receiver) = mpsc::sync_channel(1);
        let keeper = self.clone();
        let body = move || {
            let done = keeper.logged(|| keeper.deliver_audit(&url));
            // Nobody may listen any more.
            let _ = sender.send(done);
        };
        let thread = std::thread::Builder::new().name("sessionkeeper-audit".into()).spawn(body);
        if thread.is_err() {
            log::error!("no thread could be started for the audit sink");
        }
        Delivery(Some(receiver))
    }

    fn deliver_audit(&self, url: &Url) -> Result<()> {
        let _alone = match self.shared.courier.try_lock() {
            Ok(alone) => alone,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            // Somebody else delivers.
            Err(TryLockError::WouldBlock) => return Ok(()),
        };
        let delivered = self.send_lines(url);
        match &delivered {
            Ok(()) => self.shared.has_sink_failed.store(false, Ordering::Relaxed),
            Err(error) => self.audit_refused(error.message()),
        }
        delivered
    }

    fn send_lines(&self, url: &Url) -> Result<()> {
        let mut network = self.network.clone();
        network.total_timeout = network.total_timeout.min(PATIENCE);
        let client = self.shared.client(&network)?;
        let hosts = hosts_of(url)?;
        for _ in 0..ROUNDS {
            let lines = self.audit_since(url.as_str(), LINES)?;
            let Some(last) = lines.last().map(|line| line.seq) else { return Ok(()) };
            let request = Request::new("POST", url.clone())
                .with_body("application/json", json!({ "events": lines }).to_string())
                .without_cookies();
            let answer = client.exchange(&request, &hosts, &mut Jar::new(), &Cancel::new())?;
            if !(200..300).contains(&answer.status) {
                let message = format!("it answered with status {}", answer.status);
                return Err(Error::new(Kind::UnexpectedAnswer, message));
            }
            self.audit_taken(url.as_str(), last)?;
        }
        Ok(())
    }
}
