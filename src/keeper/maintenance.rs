//! Looking after what is shared: what is due next, the audit trail, and forgetting everything.

use super::Keeper;
use super::report::{Forgotten, Schedule};
use crate::audit::{AuditEvent, Event, NewAuditEvent};
use crate::cancel::Cancel;
use crate::error::Result;
use crate::provider::{self, Given, Provider, id_of};
use crate::session::{Revocation, Session};
use std::sync::atomic::Ordering;
use std::time::Duration;

impl Keeper {
    /// When the service should renew and drain next.
    pub fn schedule(&self) -> Result<Schedule> {
        let session = self.shared.session(&self.provider.key)?;
        let renew_at = session
            .as_ref()
            .filter(|session| self.way_to_renew(session).is_some() || self.has_lapsed(session))
            .and_then(|session| self.renewal_time(session));
        let drain_at =
            if self.has_tasks()? { Some(self.shared.clock.now()) } else { self.next_drain()? };
        Ok(Schedule { renew_at, drain_at })
    }

    /// The last `limit` lines of the audit trail, oldest first.
    pub fn audit(&self, limit: usize) -> Result<Vec<AuditEvent>> {
        Ok(shown(self.shared.vault()?.read(|tx| tx.audit().list(limit))?))
    }

    /// The lines of the trail that an audit sink has not taken, oldest first.
    pub fn audit_since(&self, sink: &str, limit: usize) -> Result<Vec<AuditEvent>> {
        let lines = self.shared.vault()?.read(|tx| {
            let seq = tx.audit().acknowledged(sink)?;
            tx.audit().after(seq, limit)
        })?;
        Ok(shown(lines))
    }

    /// Notes that an audit sink has taken the lines up to `seq`, and gives the last that it has.
    pub fn audit_taken(&self, sink: &str, seq: i64) -> Result<i64> {
        self.shared.vault()?.transact(|tx| tx.audit().acknowledge(sink, seq))
    }

    /// Notes that an audit sink did not take its lines; once, until it does again.
    pub fn audit_refused(&self, reason: &str) {
        let is_news = !self.shared.has_sink_failed.swap(true, Ordering::Relaxed);
        if is_news {
            log::warn!("the audit sink failed: {reason}");
            let audit_event = self.audit_event(Event::AuditSinkFailed, "", "failed", reason);
            self.append(&audit_event);
        }
    }

    /// Logs out of everything and tries the servers once, then erases the key, the sessions and the
    /// outbox of this data directory. What a server has not been told by then, it never will be.
    pub fn forget(&self, cancel: &Cancel) -> Result<Forgotten> {
        log::info!("forgetting this device's key and sessions");
        let commit_lock = self.shared.commit_lock();
        self.shared.running.cancel_all();
        let vault = self.shared.vault()?;
        let revocation = |session: &Session| {
            let other = provider::find(&session.provider, &Given::new())
                .or_else(|_| Provider::from_source(&session.definition))
                .ok();
            let own = (session.provider == self.provider.key).then(|| self.provider.clone());
            let whose = (session.id.as_str(), session.account.id.as_str());
            let entry = self
                .revocation_of(&own.or(other)?, &session.credentials, whose, Duration::ZERO)
                .ok()?;
            Some(Revocation { provider: session.provider.clone(), ..entry })
        };
        let ended = vault.transact(|tx| {
            let stored = tx.sessions().list(None)?;
            for session in stored.iter().map(|stored| &stored.session) {
                tx.sessions().delete(session)?;
                if let Some(revocation) = revocation(session) {
                    tx.outbox().enqueue(&revocation)?;
                }
                tx.audit().append(&NewAuditEvent {
                    provider: session.provider.clone(),
                    ..self.audit_event(Event::Logout, &session.account.id, "cleared", "")
                })?;
            }
            Ok(stored.len() as u64)
        });
        drop(commit_lock);
        if let Err(error) = self.drain(false, cancel) {
            log::warn!("the outbox could not be drained: {error}");
        }
        let (left, pending) = vault.forget()?;
        self.shared.clear();
        self.publish(Event::Forgotten, "", "ok");
        let sessions = ended.unwrap_or(0) + left;
        Ok(Forgotten { forgotten: true, sessions, pending_revocations: pending })
    }
}

/// With the providers' ids, as everybody knows them.
fn shown(mut lines: Vec<AuditEvent>) -> Vec<AuditEvent> {
    for line in &mut lines {
        line.provider = id_of(&line.provider).to_owned();
    }
    lines
}
