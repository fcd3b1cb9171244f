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
use crate::error::Error;
use crate::session::{Revocation, Session};
use rusqlite::params;

/// What a logout achieved on this device.
#[derive(Debug)]
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
        provider: &str,
        selector: SessionSelector<'_>,
        remains_of: &mut dyn FnMut(&Session) -> Remains,
    ) -> LocalOutcome {
        let mut last = None;
        let mut try_with = |share| self.try_end(provider, selector, remains_of, share, &mut last);
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

    fn try_end(
        &self,
        provider: &str,
        selector: SessionSelector<'_>,
        remains_of: &mut dyn FnMut(&Session) -> Remains,
        share: Share,
        last: &mut Option<Session>,
    ) -> VaultResult<LocalOutcome> {
        let outcome = self.write(&mut |tx| {
            let Some(session) = tx.sessions().find(provider, selector)? else {
                // An earlier try may have come further than the disk said.
                let Some(last) = &*last else { return Ok(LocalOutcome::NobodyThere) };
                return Ok(LocalOutcome::Cleared(tx.outbox().of(last)?));
            };
            let outcome = leave(tx, &session, remains_of(&session), share)?;
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

fn leave(
    tx: &Transaction<'_>,
    session: &Session,
    remains: Remains,
    share: Share,
) -> VaultResult<LocalOutcome> {
    let Remains { revocation, tasks, event } = remains;
    // The session goes first and leaves its pages to the rest.
    if !tx.sessions().delete(session)? {
        return Err(VaultError::Unseen);
    }
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
