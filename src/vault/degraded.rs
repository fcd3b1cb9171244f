//! Logging out when the disk refuses: no space, no new file, no journal.
//!
//! First the same transaction with its journal in memory, which needs no new file and may use the
//! reserved pages. If that fails too, the sealed session is overwritten where it lies.

use super::busy::{self, BusyTimeout};
use super::error::{VaultError, VaultResult};
use super::file::{Open, read_meta};
use super::sessions::{Retire, Successors, end};
use super::{Ended, SessionSelector, State, Vault};
use crate::audit::NewAuditEvent;
use crate::clock::Clock;
use crate::error::Result;
use crate::session::Session;
use rusqlite::{Connection, TransactionBehavior, params};

/// How the session was ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InPlace {
    /// As by `end`, though the audit line may be missing, and the tasks too. `entry` is `None` as well
    /// when nobody was signed in.
    Ended { entry: Option<i64> },
    /// The session cannot be read any more, but there is no outbox entry.
    Overwritten,
}

impl Vault {
    /// Ends the session after `end` has failed because of the disk. An error means that nothing
    /// worked: the session is still stored.
    pub fn end_without_journal(
        &self,
        provider: &str,
        whom: SessionSelector<'_>,
        retire: &mut Retire<'_>,
        record: &NewAuditEvent,
    ) -> Result<InPlace> {
        let mut state = self.state();
        // `end` has waited already.
        let _patience = BusyTimeout::of(busy::SHORT);
        let whose = (provider, whom);
        let outcome = match self.try_in_place(&mut state, whose, retire, record) {
            // Another file is there by now; this one counts.
            Err(VaultError::Stale) => {
                state.open = None;
                self.try_in_place(&mut state, whose, retire, record)
            }
            outcome => outcome,
        };
        outcome.map_err(|failure| failure.explain(&self.directories.data))
    }

    fn try_in_place(
        &self,
        state: &mut State,
        whose: (&str, SessionSelector<'_>),
        retire: &mut Retire<'_>,
        record: &NewAuditEvent,
    ) -> VaultResult<InPlace> {
        let guard = self.enter(state)?;
        let State { open: Some(open), mark, .. } = state else { return Err(VaultError::Stale) };
        let outcome = force(open, self.clock(), whose, retire, record);
        // If this is refused now, the next opening sets it again.
        let _ = open.connection.execute_batch("PRAGMA journal_mode = DELETE");
        *mark += 1;
        drop(guard);
        outcome
    }
}

/// With less and less to be written, for as long as it is the disk that refuses.
fn force(
    open: &mut Open,
    clock: &dyn Clock,
    whose: (&str, SessionSelector<'_>),
    retire: &mut Retire<'_>,
    record: &NewAuditEvent,
) -> VaultResult<InPlace> {
    for (record, with_tasks) in [(Some(record), true), (None, true), (None, false)] {
        let mut retire = |session: &Session| {
            let retired = retire(session);
            if with_tasks { retired } else { Successors { tasks: Vec::new(), ..retired } }
        };
        match in_memory(open, clock, whose, &mut retire, record) {
            Ok(entry) => return Ok(InPlace::Ended { entry }),
            Err(VaultError::Stale) => return Err(VaultError::Stale),
            // Somebody else writes: no trouble of the disk, and nothing to be forced.
            Err(failure) if failure.is_busy() => return Err(failure),
            Err(_) => {}
        }
    }
    overwrite(&open.connection, whose).map(|()| InPlace::Overwritten)
}

fn in_memory(
    open: &mut Open,
    clock: &dyn Clock,
    whose: (&str, SessionSelector<'_>),
    retire: &mut Retire<'_>,
    record: Option<&NewAuditEvent>,
) -> VaultResult<Option<i64>> {
    open.connection.execute_batch("PRAGMA journal_mode = MEMORY")?;
    let transaction = open.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    if read_meta(&transaction)?.0 != open.keys.vault() {
        return Err(VaultError::Stale);
    }
    transaction.execute("DELETE FROM reserve", [])?;
    let ended = end(&transaction, &open.keys, clock, whose, retire, record)?;
    transaction.commit()?;
    match ended {
        Ended::Gone => Ok(None),
        Ended::Ended { entry } => Ok(entry),
    }
}

/// The same length, so the same place: no page is added, and no other row is moved.
fn overwrite(
    connection: &Connection,
    (provider, whom): (&str, SessionSelector<'_>),
) -> VaultResult<()> {
    let (column, value) = whom.column();
    let mut last = VaultError::Damaged;
    for journal in ["MEMORY", "OFF"] {
        let written =
            connection.execute_batch(&format!("PRAGMA journal_mode = {journal}")).and_then(|()| {
                connection.execute(
                    &format!(
                        "UPDATE sessions SET sealed = zeroblob(length(sealed))
                         WHERE provider = ?1 AND {column} = ?2"
                    ),
                    params![provider, value],
                )
            });
        match written {
            Ok(_) => return Ok(()),
            Err(error) => last = error.into(),
        }
    }
    Err(last)
}
