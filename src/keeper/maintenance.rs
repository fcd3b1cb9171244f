//! Maintenance: what is due next, and forgetting everything.

use super::handed_out::HandedOut;
use super::handle::Keeper;
use super::handover::HandedOver;
use super::logout::LogoutOptions;
use super::report::{Forgotten, Schedule};
use crate::audit::{Event, NewAuditEvent};
use crate::cancel::Cancel;
use crate::clock::{Rest, UnixTime};
use crate::error::{Error, Kind, Result};
use crate::provider::Provider;
use crate::session::{Revocation, Session};
use crate::vault::{LocalOutcome, Remains, StoredSession};

impl Keeper {
    /// When the service should renew and drain next.
    pub fn schedule(&self) -> Result<Schedule> {
        let session = self.seen()?.session;
        let renew_at = session.and_then(|session| self.next_attempt(&session));
        Ok(Schedule { renew_at, drain_at: self.next_delivery()? })
    }

    /// When the session is to be renewed, or found to be over; not while it rests after a failure.
    pub(super) fn next_attempt(&self, session: &Session) -> Option<UnixTime> {
        let is_possible = self.way_to_renew(session).is_some() || self.has_lapsed(session);
        let at = self.renewal_time(session).filter(|_| is_possible)?;
        Some(at.max(Rest::of(self.shared.clock.now(), self.renewal_rest(session)).until))
    }

    /// When a drain has something to do.
    pub(super) fn next_delivery(&self) -> Result<Option<UnixTime>> {
        let is_due = self.has_tasks()? || self.has_lost_logins()?;
        if is_due { Ok(Some(self.shared.clock.now())) } else { self.next_drain() }
    }

    /// Logs out of everything and tries the servers once, then erases the key, the sessions and
    /// the outbox of this data directory. What a server has not been told by then, it never will
    /// be. What was handed over ends as well. Not for an add-on: the accounts are the viewer's.
    pub fn forget(&self, handed_over: &[HandedOver], cancel: &Cancel) -> Result<Forgotten> {
        if self.caller.is_some() {
            let message = "an add-on cannot forget the accounts of this device";
            return Err(Error::new(Kind::InvalidInput, message).with_hint(
                "Log out instead. The viewer can forget them all in Sessionkeeper's settings.",
            ));
        }
        log::info!("forgetting this device's key and sessions");
        let commit_lock = self.shared.commit_lock(&self.timeout)?;
        self.shared.running.cancel_all();
        let vault = self.vault()?;
        let stored = vault.read(|tx| tx.sessions().list(None)).unwrap_or_default();
        let mut untold = Vec::new();
        let handing =
            LogoutOptions { handed_over: handed_over.to_vec(), ..LogoutOptions::default() };
        let handed = self.end_handed_over(&handing, &self.timeout);
        let sessions = (stored.len() + handed.len()) as u64;
        for HandedOut { leaving, entry } in handed {
            if let (Ok(revocation), None) = (leaving.revocation, entry) {
                untold.push((Provider::clone(&self.provider), revocation));
            }
        }
        for StoredSession { session, .. } in &stored {
            let revocation = self.last_revocation(session);
            if !self.end_for_good(session, revocation.as_ref()) {
                untold.extend(revocation);
            }
        }
        drop(commit_lock);
        if let Err(error) = self.drain(false, cancel) {
            log::warn!("the outbox could not be drained: {error}");
        }
        untold.retain(|(provider, revocation)| {
            let mut revocation = revocation.clone();
            !self.send_revocation(&mut revocation, provider, None, None, cancel).outcome.is_final()
        });
        let (_, pending) = vault.forget()?;
        self.shared.clear();
        self.shared.publish(&self.event(Event::Forgotten, "", "ok"));
        Ok(Forgotten {
            forgotten: true,
            sessions,
            pending_revocations: pending + untold.len() as u64,
        })
    }

    /// What ends this session of any provider at its server, and the definition to do it by.
    fn last_revocation(&self, session: &Session) -> Option<(Provider, Revocation)> {
        let newest = self.shared.sessions.newest(session.clone());
        Some((self.definition_of(&newest).ok()?, self.revocation(&newest).ok()?))
    }

    /// False where the outbox has not taken what is left to tell the server.
    pub(super) fn end_for_good(
        &self,
        session: &Session,
        revocation: Option<&(Provider, Revocation)>,
    ) -> bool {
        let (event, account) = (Event::Logout, &session.account.id);
        let remains = Remains {
            revocation: revocation.map(|(_, revocation)| revocation.clone()),
            tasks: Vec::new(),
            event: NewAuditEvent::new(event, &session.provider, account, "cleared"),
        };
        self.shared.end_session(session);
        let ended = self.end_stored(&session.provider, &session.id, &remains);
        matches!(ended, LocalOutcome::Cleared(_) | LocalOutcome::NobodyThere)
    }
}
