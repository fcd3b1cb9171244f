//! The sessions: stored at login, fenced when renewed, and moved into the outbox when ended.
//!
//! Each change of a session is one transaction with its audit line, its outbox entry and what is left
//! to do after it. `retire`, where it is asked for, runs inside that transaction: it must not use the
//! vault.

use super::accounts::{SessionSelector, column, find, load, mark_active};
use super::error::{VaultError, VaultResult};
use super::seal::{Keys, Place, Purpose};
use super::tasks::{self, Task};
use super::{Vault, audit, outbox};
use crate::audit::NewAuditEvent;
use crate::clock::Clock;
use crate::error::Result;
use crate::session::{Revocation, Session};
use rusqlite::{OptionalExtension, Transaction, params};

/// What the logout found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    /// Nobody was signed in, or no such session is stored.
    Gone,
    /// The session is deleted; `entry` is the outbox entry, if there is something to revoke.
    Ended { entry: Option<i64> },
}

/// What stays of a session that has ended.
#[derive(Clone, Debug, Default)]
pub struct Successors {
    /// What is needed to revoke it; `None` where nothing can be revoked.
    pub revocation: Option<Revocation>,
    /// What is left to do on this device, in this order.
    pub tasks: Vec<Task>,
}

impl From<Option<Revocation>> for Successors {
    fn from(revocation: Option<Revocation>) -> Self {
        Successors { revocation, tasks: Vec::new() }
    }
}

/// Makes of a session what stays of it. It may be asked again for the same session.
pub type Retire<'a> = dyn FnMut(&Session) -> Successors + 'a;

impl Vault {
    /// Stores a new session and makes it the active one. The account's older session, if one is
    /// stored, is deleted and retired; the provider's other accounts stay, inactive.
    pub fn log_in(
        &self,
        session: Session,
        retire: &mut Retire<'_>,
        record: &NewAuditEvent,
    ) -> Result<Session> {
        let mut session = session;
        self.write(|transaction, keys| {
            for old in load(transaction, keys, Some(&session.provider))? {
                let is_itself = old.session.id == session.id;
                if !is_itself && old.session.account.id != session.account.id {
                    continue;
                }
                transaction.execute("DELETE FROM sessions WHERE row = ?1", [old.row])?;
                if !is_itself {
                    keep_retired(transaction, keys, &old.session, retire(&old.session))?;
                }
            }
            session.generation = next_generation(transaction)?;
            let sealed = keys.seal(&session, place(&session))?;
            transaction.execute(
                "INSERT INTO sessions (id, provider, account, generation, sealed, active)
                 VALUES (?1, ?2, ?3, ?4, ?5, 0)",
                params![
                    session.id,
                    session.provider,
                    session.account.id,
                    column(session.generation),
                    sealed
                ],
            )?;
            mark_active(transaction, &session.provider, transaction.last_insert_rowid())?;
            audit::append(transaction, self.clock(), record)
        })?;
        Ok(session)
    }

    /// Stores a renewed session, if the one it was made from is still there and unchanged. Whether
    /// it is active does not change.
    pub fn renew(
        &self,
        session: Session,
        record: Option<&NewAuditEvent>,
    ) -> Result<Option<Session>> {
        let mut session = session;
        let from = session.generation;
        let renewed = self.write(|transaction, keys| {
            let whom = SessionSelector::Session(&session.id);
            let found = find(transaction, keys, &session.provider, whom)?;
            let Some(stored) = found.filter(|stored| stored.session.generation == from) else {
                return Ok(false);
            };
            session.generation = next_generation(transaction)?;
            let sealed = keys.seal(&session, place(&session))?;
            transaction.execute(
                "UPDATE sessions SET account = ?2, generation = ?3, sealed = ?4 WHERE row = ?1",
                params![stored.row, session.account.id, column(session.generation), sealed],
            )?;
            if let Some(record) = record {
                audit::append(transaction, self.clock(), record)?;
            }
            Ok(true)
        })?;
        Ok(renewed.then_some(session))
    }

    /// Logs out: deletes the session that is meant, and stores what `retire` makes of it. After this
    /// nothing brings the session back, and if it was the active one, nobody is active.
    pub fn end(
        &self,
        provider: &str,
        whom: SessionSelector<'_>,
        retire: &mut Retire<'_>,
        record: &NewAuditEvent,
    ) -> Result<Ended> {
        self.write(|transaction, keys| {
            end(transaction, keys, self.clock(), (provider, whom), retire, Some(record))
        })
    }

    /// Logs out everywhere on this device: ends each stored session as `end` does, all of them in one
    /// transaction. Gives their number.
    pub fn end_every(
        &self,
        retire: &mut Retire<'_>,
        record_for: &mut dyn FnMut(&Session) -> NewAuditEvent,
    ) -> Result<u64> {
        self.write(|transaction, keys| {
            let stored = load(transaction, keys, None)?;
            transaction.execute("DELETE FROM sessions", [])?;
            for session in stored.iter().map(|stored| &stored.session) {
                keep_retired(transaction, keys, session, retire(session))?;
                audit::append(transaction, self.clock(), &record_for(session))?;
            }
            Ok(stored.len() as u64)
        })
    }
}

/// The logout inside a transaction. The session goes first: its pages serve for what stays.
pub fn end(
    transaction: &Transaction<'_>,
    keys: &Keys,
    clock: &dyn Clock,
    (provider, whom): (&str, SessionSelector<'_>),
    retire: &mut Retire<'_>,
    record: Option<&NewAuditEvent>,
) -> VaultResult<Ended> {
    let Some(found) = find(transaction, keys, provider, whom)? else {
        return Ok(Ended::Gone);
    };
    transaction.execute("DELETE FROM sessions WHERE row = ?1", [found.row])?;
    let entry = keep_retired(transaction, keys, &found.session, retire(&found.session))?;
    if let Some(record) = record {
        audit::append(transaction, clock, record)?;
    }
    Ok(Ended::Ended { entry })
}

/// Gives the outbox entry.
fn keep_retired(
    transaction: &Transaction<'_>,
    keys: &Keys,
    session: &Session,
    retired: Successors,
) -> VaultResult<Option<i64>> {
    let entry = match retired.revocation {
        Some(revocation) => Some(outbox::insert(transaction, keys, &revocation)?),
        None => None,
    };
    for task in &retired.tasks {
        tasks::insert(transaction, keys, session, task)?;
    }
    Ok(entry)
}

fn place(session: &Session) -> Place<'_> {
    Place {
        purpose: Purpose::Session,
        provider: &session.provider,
        account: &session.account.id,
        row: &session.id,
    }
}

/// Counts up across all sessions, and never down.
fn next_generation(transaction: &Transaction<'_>) -> VaultResult<u64> {
    let generation: i64 = transaction
        .query_row("UPDATE meta SET generation = generation + 1 RETURNING generation", [], |row| {
            row.get(0)
        })
        .optional()?
        .ok_or(VaultError::Damaged)?;
    u64::try_from(generation).map_err(|_| VaultError::Damaged)
}
