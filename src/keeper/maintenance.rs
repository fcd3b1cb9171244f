//! Maintenance: what is due next, and forgetting everything.

use super::handle::Keeper;
use super::report::{Forgotten, Schedule};
use crate::audit::{Event, NewAuditEvent};
use crate::cancel::Cancel;
use crate::error::Result;
use crate::provider::{self, Given, Provider};
use crate::session::{Revocation, Session};

impl Keeper {
    /// When the service should renew and drain next.
    pub fn schedule(&self) -> Result<Schedule> {
        let session = self.shared.session(&self.provider.key)?;
        let renew_at = session
            .as_ref()
            .filter(|session| self.way_to_renew(session).is_some() || self.has_lapsed(session))
            .and_then(|session| self.renewal_time(session));
        let is_due = self.has_tasks()? || self.has_lost_logins()?;
        let drain_at = if is_due { Some(self.shared.clock.now()) } else { self.next_drain()? };
        Ok(Schedule { renew_at, drain_at })
    }

    /// Logs out of everything and tries the servers once, then erases the key, the sessions and
    /// the outbox of this data directory. What a server has not been told by then, it never will
    /// be.
    pub fn forget(&self, cancel: &Cancel) -> Result<Forgotten> {
        log::info!("forgetting this device's key and sessions");
        let commit_lock = self.shared.commit_lock();
        self.shared.running.cancel_all();
        let vault = self.shared.vault()?;
        let revocation = |session: &Session| {
            let provider = if session.provider == self.provider.key {
                self.provider.clone()
            } else {
                provider::find(&session.provider, &Given::new())
                    .or_else(|_| Provider::from_source(&session.definition))
                    .ok()?
            };
            let Session { id, account, credentials, .. } = session;
            let entry = self.revocation_by(&provider, id, &account.id, credentials).ok()?;
            Some(Revocation { provider: session.provider.clone(), ..entry })
        };
        let ended = vault.transact(|tx| {
            let stored = tx.sessions().list(None)?;
            for session in stored.iter().map(|stored| &stored.session) {
                tx.sessions().delete(session)?;
                if let Some(revocation) = revocation(session) {
                    tx.outbox().enqueue(&revocation)?;
                }
                let (event, account) = (Event::Logout, &session.account.id);
                let event = NewAuditEvent::new(event, &session.provider, account, "cleared");
                tx.audit().append(&event)?;
            }
            Ok(stored.len() as u64)
        });
        drop(commit_lock);
        if let Err(error) = self.drain(false, cancel) {
            log::warn!("the outbox could not be drained: {error}");
        }
        let (left, pending) = vault.forget()?;
        self.shared.clear();
        self.shared.publish(&self.event(Event::Forgotten, "", "ok"));
        let sessions = ended.unwrap_or(0) + left;
        Ok(Forgotten { forgotten: true, sessions, pending_revocations: pending })
    }
}
