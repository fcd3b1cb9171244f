//! Logging out when the disk refuses: no space, no new file, no journal.
//!
//! First the same transaction with its journal in memory, which needs no new file and may use the
//! reserve; each try writes less. If they all fail, the sealed session is overwritten in place.

use super::busy::{self, BusyTimeout};
use super::error::{VaultError, VaultResult};
use super::file::Open;
use super::outbox::OutboxEntry;
use super::sessions::{SessionSelector, Sessions};
use super::store::{State, Vault};
use super::tasks::Task;
use super::transaction::Transaction;
use crate::audit::NewAuditEvent;
use crate::clock::Clock;
use crate::error::Error;
use crate::session::{Revocation, Session};
use rusqlite::TransactionBehavior;

/// What a logout achieved on this device.
#[derive(Debug)]
#[allow(clippy::large_enum_variant, reason = "there is one at a time")]
pub enum LocalOutcome {
    /// Nobody was logged in, or no such session is stored.
    NobodyThere,
    /// The session is gone. If there is something to revoke, the entry waits in the outbox.
    Cleared(Option<OutboxEntry>),
    /// The session can no longer be read, but the disk took no outbox entry.
    Overwritten,
    /// The disk refused everything: the session is still stored.
    Kept(Error),
}

/// What a logout leaves behind. A full disk first does without the event, then without the tasks.
pub struct Remains {
    pub revocation: Option<Revocation>,
    pub tasks: Vec<Task>,
    pub event: NewAuditEvent,
}

/// What the logout of the session that was found leaves behind; asked again at each try.
type RemainsOf<'a> = dyn FnMut(&Session) -> Remains + 'a;

impl Vault {
    /// Ends the session that is found, after the disk has refused the ordinary transaction.
    pub fn end_degraded(
        &self,
        provider: &str,
        selector: SessionSelector<'_>,
        remains_of: &mut RemainsOf<'_>,
    ) -> LocalOutcome {
        let mut state = self.state();
        // That transaction has already waited.
        let _timeout = BusyTimeout::of(busy::SHORT);
        let mut outcome = self.try_degraded(&mut state, provider, selector, remains_of);
        if matches!(outcome, Err(VaultError::Stale)) {
            // The file has been replaced; the new one counts.
            state.open = None;
            outcome = self.try_degraded(&mut state, provider, selector, remains_of);
        }
        outcome
            .unwrap_or_else(|failure| LocalOutcome::Kept(failure.explain(&self.directories.data)))
    }

    fn try_degraded(
        &self,
        state: &mut State,
        provider: &str,
        selector: SessionSelector<'_>,
        remains_of: &mut RemainsOf<'_>,
    ) -> VaultResult<LocalOutcome> {
        let (_guard, open, mark) = self.enter(state)?;
        let outcome = force(open, self.clock(), provider, selector, remains_of);
        // If this is refused, the next opening sets it again.
        let _ = open.connection.execute_batch("PRAGMA journal_mode = DELETE");
        *mark += 1;
        outcome
    }
}

fn force(
    open: &mut Open,
    clock: &dyn Clock,
    provider: &str,
    selector: SessionSelector<'_>,
    remains_of: &mut RemainsOf<'_>,
) -> VaultResult<LocalOutcome> {
    for (with_event, with_tasks) in [(true, true), (false, true), (false, false)] {
        let outcome = in_memory(open, clock, |tx| {
            let Some(session) = tx.sessions().find(provider, selector)? else {
                return Ok(LocalOutcome::NobodyThere);
            };
            let Remains { revocation, tasks, event } = remains_of(&session);
            // The session goes first and leaves its pages to the rest.
            tx.sessions().delete(&session)?;
            let entry =
                revocation.map(|revocation| tx.outbox().enqueue(&revocation)).transpose()?;
            for task in tasks.into_iter().filter(|_| with_tasks) {
                tx.tasks().add(task)?;
            }
            if with_event {
                tx.audit().append(&event)?;
            }
            Ok(LocalOutcome::Cleared(entry))
        });
        match outcome {
            // Somebody else is writing: the disk is fine, and nothing needs forcing.
            Err(failure) if failure.is_busy() => return Err(failure),
            Err(_) => {}
            done => return done,
        }
    }
    Sessions::new(&open.connection, &open.keys).overwrite(provider, selector)?;
    Ok(LocalOutcome::Overwritten)
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
