//! Logging out when the disk refuses: no space, no new file, no journal.
//!
//! First the same transaction with its journal in memory, which needs no new file and may use the
//! reserved pages; with less and less to be written. If that fails too, the sealed session is
//! overwritten where it lies.

use super::busy::{self, BusyTimeout};
use super::error::{VaultError, VaultResult};
use super::file::Open;
use super::outbox::OutboxEntry;
use super::sessions::{SessionSelector, StoredSession};
use super::store::{State, Vault};
use super::table::Table;
use super::tasks::Task;
use super::transaction::Transaction;
use crate::audit::NewAuditEvent;
use crate::clock::Clock;
use crate::error::Error;
use crate::session::Revocation;
use rusqlite::{TransactionBehavior, params};

/// What the disk made of a logout.
#[derive(Debug)]
pub enum LocalOutcome {
    /// Nobody was logged in, or no such session is stored.
    NobodyThere,
    /// The session is gone. The entry waits in the outbox, if there is something to revoke.
    Cleared(Option<OutboxEntry>),
    /// The session cannot be read any more, but the disk took no outbox entry.
    Overwritten,
    /// The disk refused everything: the session is still stored.
    Kept(Error),
}

/// What a logout leaves behind. Where the disk refuses, the audit event goes without, then the
/// tasks.
pub struct Remains<'a> {
    pub revocation: Option<&'a Revocation>,
    pub tasks: &'a [Task],
    pub event: &'a NewAuditEvent,
}

impl Vault {
    /// Ends a session after the transaction that should has failed because of the disk.
    pub fn end_degraded(
        &self,
        provider: &str,
        selector: SessionSelector<'_>,
        remains: &Remains<'_>,
    ) -> LocalOutcome {
        let mut state = self.state();
        // That transaction has waited already.
        let _timeout = BusyTimeout::of(busy::SHORT);
        let mut outcome = self.try_degraded(&mut state, provider, selector, remains);
        if matches!(outcome, Err(VaultError::Stale)) {
            // Another file is there by now; that one counts.
            state.open = None;
            outcome = self.try_degraded(&mut state, provider, selector, remains);
        }
        outcome
            .unwrap_or_else(|failure| LocalOutcome::Kept(failure.explain(&self.directories.data)))
    }

    fn try_degraded(
        &self,
        state: &mut State,
        provider: &str,
        selector: SessionSelector<'_>,
        remains: &Remains<'_>,
    ) -> VaultResult<LocalOutcome> {
        let guard = self.enter(state)?;
        let State { open: Some(open), mark, .. } = state else { return Err(VaultError::Stale) };
        let outcome = force(open, self.clock(), provider, selector, remains);
        // If this is refused now, the next opening sets it again.
        let _ = open.connection.execute_batch("PRAGMA journal_mode = DELETE");
        *mark += 1;
        drop(guard);
        outcome
    }
}

fn force(
    open: &mut Open,
    clock: &dyn Clock,
    provider: &str,
    selector: SessionSelector<'_>,
    remains: &Remains<'_>,
) -> VaultResult<LocalOutcome> {
    for (with_event, with_tasks) in [(true, true), (false, true), (false, false)] {
        let outcome = in_memory(open, clock, |tx| {
            let Some(session) = tx.sessions().find(provider, selector)? else {
                return Ok(LocalOutcome::NobodyThere);
            };
            // The session goes first: its pages serve for what stays.
            tx.sessions().delete(&session)?;
            let entry = remains.revocation.map(|revocation| tx.outbox().enqueue(revocation));
            let entry = entry.transpose()?;
            for task in remains.tasks.iter().filter(|_| with_tasks) {
                tx.tasks().add(task.clone())?;
            }
            if with_event {
                tx.audit().append(remains.event)?;
            }
            Ok(LocalOutcome::Cleared(entry))
        });
        match outcome {
            // Somebody else is writing: the disk is fine, and nothing has to be forced.
            Err(failure) if failure.is_busy() => return Err(failure),
            Err(_) => {}
            done => return done,
        }
    }
    overwrite(open, provider, selector)
}

fn in_memory<T>(
    open: &mut Open,
    clock: &dyn Clock,
    work: impl FnOnce(&Transaction<'_>) -> VaultResult<T>,
) -> VaultResult<T> {
    open.connection.execute_batch("PRAGMA journal_mode = MEMORY")?;
    let transaction = open.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    transaction.execute("DELETE FROM reserve", [])?;
    let done = work(&Transaction::new(&transaction, &open.keys, clock))?;
    transaction.commit()?;
    Ok(done)
}

/// No page is added, and no other row is moved.
fn overwrite(
    open: &Open,
    provider: &str,
    selector: SessionSelector<'_>,
) -> VaultResult<LocalOutcome> {
    let (column, value) = selector.column();
    let sessions = Table::<StoredSession>::new(&open.connection, &open.keys);
    let mut last = VaultError::Damaged;
    for journal in ["MEMORY", "OFF"] {
        let pragma = format!("PRAGMA journal_mode = {journal}");
        let written =
            open.connection.execute_batch(&pragma).map_err(VaultError::from).and_then(|()| {
                let condition = format!("provider = ?1 AND {column} = ?2");
                sessions.overwrite(&condition, params![provider, value])
            });
        match written {
            Ok(()) => return Ok(LocalOutcome::Overwritten),
            Err(error) => last = error,
        }
    }
    Err(last)
}
