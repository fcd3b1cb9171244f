//! The sessions: stored at login, fenced when renewed, and moved into the outbox when ended.
//!
//! Each change of a session is one transaction with its audit line and its outbox entry. `retire`,
//! where it is asked for, runs inside that transaction: it must not use the vault.

use super::failure::{Failure, Work};
use super::seal::{Keys, Place, Purpose, is_overwritten};
use super::{Vault, entries, trail};
use crate::audit::Record;
use crate::clock::Clock;
use crate::error::Result;
use crate::session::{Revocation, Session};
use rusqlite::{Connection, OptionalExtension, Transaction, params};

/// What the logout found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    /// Nobody was signed in.
    Gone,
    /// The session is deleted; `entry` is the outbox entry, if there is something to revoke.
    Ended { entry: Option<i64> },
}

/// Makes of a session what is needed to revoke it; `None` where nothing can be revoked.
pub type Retire<'a> = dyn FnMut(&Session) -> Option<Revocation> + 'a;

impl Vault {
    /// The provider's active session.
    pub fn session(&self, provider: &str) -> Result<Option<Session>> {
        self.read(|transaction, keys| Ok(find(transaction, keys, provider, None)?.map(|f| f.1)))
    }

    /// All sessions of all providers.
    #[cfg(test)]
    pub fn sessions(&self) -> Result<Vec<Session>> {
        self.read(|transaction, keys| {
            Ok(load(transaction, keys)?.into_iter().map(|(_, session)| session).collect())
        })
    }

    /// Stores a new session and makes it the active one. The provider's other sessions go into the
    /// outbox, as far as `retire` says so, and are deleted.
    pub fn log_in(
        &self,
        session: Session,
        retire: &mut Retire<'_>,
        record: &Record,
    ) -> Result<Session> {
        let mut session = session;
        self.write(|transaction, keys| {
            for (row, old) in load(transaction, keys)? {
                if old.provider != session.provider {
                    continue;
                }
                transaction.execute("DELETE FROM sessions WHERE row = ?1", [row])?;
                if old.id != session.id {
                    if let Some(revocation) = retire(&old) {
                        entries::insert(transaction, keys, &revocation)?;
                    }
                }
            }
            session.generation = next_generation(transaction)?;
            let sealed = keys.seal(&session, place(&session))?;
            transaction.execute(
                "INSERT INTO sessions (id, provider, account, generation, sealed)
                 VALUES (?1, ?2, ?3, ?4, ?5)",
                params![
                    session.id,
                    session.provider,
                    session.account.id,
                    column(session.generation),
                    sealed
                ],
            )?;
            trail::append(transaction, self.clock(), record)
        })?;
        Ok(session)
    }

    /// Stores a renewed session, if the one it was made from is still there and unchanged.
    pub fn renew(&self, session: Session, record: Option<&Record>) -> Result<Option<Session>> {
        let mut session = session;
        let from = session.generation;
        let renewed = self.write(|transaction, keys| {
            let found = find(transaction, keys, &session.provider, Some(&session.id))?;
            let Some((row, _)) = found.filter(|(_, stored)| stored.generation == from) else {
                return Ok(false);
            };
            session.generation = next_generation(transaction)?;
            let sealed = keys.seal(&session, place(&session))?;
            transaction.execute(
                "UPDATE sessions SET account = ?2, generation = ?3, sealed = ?4 WHERE row = ?1",
                params![row, session.account.id, column(session.generation), sealed],
            )?;
            if let Some(record) = record {
                trail::append(transaction, self.clock(), record)?;
            }
            Ok(true)
        })?;
        Ok(renewed.then_some(session))
    }

    /// Logs out: deletes the newest stored session of the provider (or the one named), and puts
    /// into the outbox what `retire` makes of it. After this nothing brings the session back.
    pub fn end(
        &self,
        provider: &str,
        session_id: Option<&str>,
        retire: &mut Retire<'_>,
        record: &Record,
    ) -> Result<Ended> {
        self.write(|transaction, keys| {
            end(transaction, keys, self.clock(), (provider, session_id), retire, Some(record))
        })
    }

    /// Logs out everywhere on this device: ends each stored session as `end` does, all of them in one
    /// transaction. Gives their number.
    pub fn end_every(
        &self,
        retire: &mut Retire<'_>,
        record_for: &mut dyn FnMut(&Session) -> Record,
    ) -> Result<u64> {
        self.write(|transaction, keys| {
            let sessions = load(transaction, keys)?;
            transaction.execute("DELETE FROM sessions", [])?;
            for (_, session) in &sessions {
                if let Some(revocation) = retire(session) {
                    entries::insert(transaction, keys, &revocation)?;
                }
                trail::append(transaction, self.clock(), &record_for(session))?;
            }
            Ok(sessions.len() as u64)
        })
    }
}

/// The logout inside a transaction. The session goes first: its pages serve for the entry.
pub fn end(
    transaction: &Transaction<'_>,
    keys: &Keys,
    clock: &dyn Clock,
    (provider, session_id): (&str, Option<&str>),
    retire: &mut Retire<'_>,
    record: Option<&Record>,
) -> Work<Ended> {
    let Some((row, session)) = find(transaction, keys, provider, session_id)? else {
        return Ok(Ended::Gone);
    };
    transaction.execute("DELETE FROM sessions WHERE row = ?1", [row])?;
    let entry = match retire(&session) {
        Some(revocation) => Some(entries::insert(transaction, keys, &revocation)?),
        None => None,
    };
    if let Some(record) = record {
        trail::append(transaction, clock, record)?;
    }
    Ok(Ended::Ended { entry })
}

/// Deletes what does not open, in both tables.
pub fn delete_unreadable(transaction: &Transaction<'_>, keys: &Keys) -> Work<()> {
    let mut bad = Vec::new();
    let mut statement = transaction
        .prepare("SELECT row, id, provider, account, sealed, generation FROM sessions")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        if !matches!(open(row, keys), Ok(Some(_))) {
            bad.push(row.get::<_, i64>(0)?);
        }
    }
    for row in bad {
        transaction.execute("DELETE FROM sessions WHERE row = ?1", [row])?;
    }
    entries::delete_unreadable(transaction, keys)
}

/// The newest session of the provider, or the one named.
fn find(
    connection: &Connection,
    keys: &Keys,
    provider: &str,
    session_id: Option<&str>,
) -> Work<Option<(i64, Session)>> {
    let mut statement = connection.prepare_cached(
        "SELECT row, id, provider, account, sealed, generation FROM sessions
         WHERE provider = ?1 AND (?2 IS NULL OR id = ?2) ORDER BY generation DESC",
    )?;
    let mut rows = statement.query(params![provider, session_id])?;
    while let Some(row) = rows.next()? {
        if let Some(session) = open(row, keys)? {
            return Ok(Some((row.get(0)?, session)));
        }
    }
    Ok(None)
}

fn load(connection: &Connection, keys: &Keys) -> Work<Vec<(i64, Session)>> {
    let mut statement = connection.prepare_cached(
        "SELECT row, id, provider, account, sealed, generation FROM sessions
         ORDER BY provider, generation DESC",
    )?;
    let mut rows = statement.query([])?;
    let mut sessions = Vec::new();
    while let Some(row) = rows.next()? {
        if let Some(session) = open(row, keys)? {
            sessions.push((row.get(0)?, session));
        }
    }
    Ok(sessions)
}

/// `None` for a session that was overwritten in place: it is ended, and no damage.
fn open(row: &rusqlite::Row<'_>, keys: &Keys) -> Work<Option<Session>> {
    let (id, provider, account): (String, String, String) = (row.get(1)?, row.get(2)?, row.get(3)?);
    let sealed = row.get_ref(4)?.as_blob().map_err(|_| Failure::Damaged)?;
    if is_overwritten(sealed) {
        return Ok(None);
    }
    let place =
        Place { purpose: Purpose::Session, provider: &provider, account: &account, row: &id };
    let session: Session = keys.open(sealed, place).ok_or(Failure::BadRow)?;
    let generation: i64 = row.get(5)?;
    if session.id == id && session.provider == provider && column(session.generation) == generation
    {
        Ok(Some(session))
    } else {
        Err(Failure::BadRow)
    }
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
fn next_generation(transaction: &Transaction<'_>) -> Work<u64> {
    let generation: i64 = transaction
        .query_row("UPDATE meta SET generation = generation + 1 RETURNING generation", [], |row| {
            row.get(0)
        })
        .optional()?
        .ok_or(Failure::Damaged)?;
    u64::try_from(generation).map_err(|_| Failure::Damaged)
}

fn column(generation: u64) -> i64 {
    i64::try_from(generation).unwrap_or(i64::MAX)
}
