//! Ending a session on this device, also where the disk refuses.
//!
//! Always in a transaction with its journal: nothing is written that a later opening could not
//! finish or take back. On a full disk, first the reserve makes room, then less and less is
//! written. What was done is believed only when a second connection has seen it.

use super::busy::Waiting;
use super::error::{VaultError, VaultResult};
use super::outbox::OutboxEntry;
use super::schema;
use super::sessions::SessionSelector;
use super::store::Vault;
use super::tasks::Task;
use super::transaction::Transaction;
use crate::audit::NewAuditEvent;
use crate::error::{Error, Result};
use crate::provider::service_of;
use crate::session::{Revocation, Session};
use rusqlite::params;

/// What a logout achieved on this device.
#[derive(Debug)]
#[allow(clippy::large_enum_variant, reason = "there is one at a time")]
pub enum LocalOutcome {
    /// Nobody was logged in, or no such session is stored.
    NobodyThere,
    /// The session is gone. If there is something to revoke, the entry waits in the outbox.
    Cleared(Option<OutboxEntry>),
    /// The session is gone, but the disk took no outbox entry.
    Unqueued,
    /// The disk refused everything, or others held the vault until the time was up: the session is
    /// still stored.
    Kept(Error),
}

/// Which session is to end.
pub struct Ending<'a> {
    pub provider: &'a str,
    pub selector: SessionSelector<'a>,
    /// The session as it was last seen, where damage took its row.
    pub lost: Option<Session>,
    /// True: logins that are under way at the provider, in any process, come too late.
    pub ends_logins: bool,
}

impl<'a> Ending<'a> {
    pub fn of(provider: &'a str, selector: SessionSelector<'a>) -> Self {
        Ending { provider, selector, lost: None, ends_logins: false }
    }
}

/// What a logout leaves behind. A full disk first does without the event, then without the tasks,
/// then without the revocation.
#[derive(Clone)]
pub struct Remains {
    pub revocation: Option<Revocation>,
    pub tasks: Vec<Task>,
    pub event: NewAuditEvent,
}

/// How much of the remains is written.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Share {
    Nothing,
    Revocation,
    Tasks,
    Everything,
}

impl Vault {
    /// Ends the session that is found. `remains_of` says what its logout leaves behind, and is
    /// asked again at each try.
    pub fn end(
        &self,
        ending: &Ending<'_>,
        remains_of: &mut dyn FnMut(&Session) -> Remains,
    ) -> LocalOutcome {
        let mut last = None;
        let mut try_with = |share| self.try_end(ending, remains_of, share, &mut last);
        let mut ended = try_with(Share::Everything);
        if is_refused(&ended) && self.store.directories.release_reserve() {
            ended = try_with(Share::Everything);
        }
        for share in [Share::Tasks, Share::Revocation, Share::Nothing] {
            if is_refused(&ended) {
                ended = try_with(share);
            }
        }
        self.explained(ended).unwrap_or_else(LocalOutcome::Kept)
    }

    /// Logins that are under way in any process, at any provider, come too late.
    pub fn end_logins(&self) -> Result<()> {
        // Whoever has not noted a login yet begins it afterwards.
        if self.has_logins() { self.transact(|tx| tx.eras().begin_everywhere()) } else { Ok(()) }
    }

    fn try_end(
        &self,
        ending: &Ending<'_>,
        remains_of: &mut dyn FnMut(&Session) -> Remains,
        share: Share,
        last: &mut Option<Session>,
    ) -> VaultResult<LocalOutcome> {
        let outcome = self.write(&mut |tx| {
            let stored = tx.sessions().find(ending.provider, ending.selector)?;
            let is_stored = stored.is_some();
            if let (None, Some(last)) = (&stored, &*last) {
                // An earlier try came further than the disk said.
                return Ok(LocalOutcome::Cleared(tx.outbox().of(last)?));
            }
            let found = stored.or_else(|| ending.lost.clone());
            // Where nobody is logged in and no login is under way, nothing is written.
            if ending.ends_logins && (found.is_some() || self.has_logins()) {
                tx.eras().begin(ending.provider)?;
            }
            let Some(session) = found else { return Ok(LocalOutcome::NobodyThere) };
            // The session goes first and leaves its pages to the rest.
            if tx.sessions().delete(&session)? != is_stored {
                return Err(VaultError::Unseen);
            }
            // Who may use the account is asked anew after the next login.
            tx.permissions().remove_all(service_of(&session.provider), &session.account.id)?;
            let outcome = leave(tx, remains_of(&session), share)?;
            if let Some(fingerprint) =
                session.adopted_from.as_ref().filter(|_| share >= Share::Tasks)
            {
                tx.handovers().end(fingerprint)?;
            }
            *last = Some(session);
            Ok(outcome)
        })?;
        match last {
            Some(session) if !self.is_gone(session)? => Err(VaultError::Unseen),
            _ => Ok(outcome),
        }
    }

    /// True if the session is gone for a connection that has not written itself.
    fn is_gone(&self, session: &Session) -> VaultResult<bool> {
        self.retry(|state, waiting: &Waiting<'_>| {
            let _guard = self.enter(state, waiting)?;
            let second = schema::look(&self.store.directories.vault())?;
            let select = "SELECT count(*) = 0 FROM sessions WHERE provider = ?1 AND session = ?2";
            let ids = params![session.provider, session.id];
            Ok(second.query_row(select, ids, |row| row.get(0))?)
        })
    }
}

fn leave(tx: &Transaction<'_>, remains: Remains, share: Share) -> VaultResult<LocalOutcome> {
    let Remains { revocation, tasks, event } = remains;
    let outcome = match revocation {
        Some(_) if share < Share::Revocation => LocalOutcome::Unqueued,
        Some(revocation) => LocalOutcome::Cleared(Some(tx.outbox().enqueue(&revocation)?)),
        None => LocalOutcome::Cleared(None),
    };
    for task in tasks.into_iter().filter(|_| share >= Share::Tasks) {
        tx.tasks().add(task)?;
    }
    if share >= Share::Everything {
        tx.audit().append(&event)?;
    }
    Ok(outcome)
}

/// True if writing less may help. Where somebody else is writing, the disk is fine.
fn is_refused(ended: &VaultResult<LocalOutcome>) -> bool {
    ended.as_ref().is_err_and(|failure| {
        matches!(failure, VaultError::Sql(_) | VaultError::Unseen) && !failure.is_busy()
    })
}
