//! The outbox's rows: revocations that the server has not confirmed yet.
//!
//! When an entry is tried, and how often, is decided elsewhere; here it is stored, found when due,
//! and removed exactly once. The sealed part has its own key: nothing here restores a session.

use super::failure::{Failure, Work};
use super::seal::{Keys, Place, Purpose, is_overwritten};
use super::{Vault, trail};
use crate::audit::Record;
use crate::clock::UnixTime;
use crate::error::Result;
use crate::session::Revocation;
use rusqlite::{Connection, OptionalExtension, Row, ToSql, Transaction, params};

/// A revocation that waits for the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub id: i64,
    pub revocation: Revocation,
    pub attempts: u32,
    pub next_attempt_at: UnixTime,
    pub last_outcome: String,
}

/// No delay is as long as this, in seconds: such a time is damage, or the clock was set since.
const ABSURD: i64 = 2 * 24 * 3600;

const COLUMNS: &str = "SELECT row, id, provider, account, attempts, next_attempt_at, last_outcome,
    sealed FROM outbox";

impl Vault {
    /// Puts a revocation into the outbox. Where the session has an entry already, that entry gets
    /// the newer credentials and keeps its schedule.
    pub fn enqueue(&self, revocation: &Revocation) -> Result<i64> {
        self.write(|transaction, keys| insert(transaction, keys, revocation))
    }

    /// All entries, oldest first.
    pub fn entries(&self) -> Result<Vec<Entry>> {
        self.read(|transaction, keys| {
            load(transaction, keys, &format!("{COLUMNS} ORDER BY row"), &[])
        })
    }

    pub fn entry(&self, id: i64) -> Result<Option<Entry>> {
        self.read(|transaction, keys| {
            Ok(load(transaction, keys, &format!("{COLUMNS} WHERE row = ?1"), &[&id])?.pop())
        })
    }

    /// How many entries wait, of one provider or of all.
    pub fn pending(&self, provider: Option<&str>) -> Result<u64> {
        self.read(|transaction, _| {
            let count: i64 = transaction.query_row(
                "SELECT count(*) FROM outbox WHERE ?1 IS NULL OR provider = ?1",
                [provider],
                |row| row.get(0),
            )?;
            Ok(u64::try_from(count).unwrap_or(0))
        })
    }

    /// What is due now, the longest overdue first.
    pub fn due(&self, now: UnixTime, limit: usize) -> Result<Vec<Entry>> {
        let absurd = now.saturating_add(ABSURD);
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        self.read(|transaction, keys| {
            let statement = format!(
                "{COLUMNS} WHERE next_attempt_at <= ?1 OR next_attempt_at > ?2
                 ORDER BY next_attempt_at, row LIMIT ?3"
            );
            load(transaction, keys, &statement, &[&now, &absurd, &limit])
        })
    }

    /// When the next entry is due; in the past if one is overdue.
    pub fn next_due(&self) -> Result<Option<UnixTime>> {
        let now = self.clock().now();
        self.read(|transaction, _| {
            Ok(transaction.query_row(
                "SELECT min(iif(next_attempt_at > ?2, ?1, next_attempt_at)) FROM outbox",
                [now, now.saturating_add(ABSURD)],
                |row| row.get(0),
            )?)
        })
    }

    /// Removes an entry and writes its line; false, and no line, when somebody else has done so.
    pub fn settle(&self, id: i64, record: &Record) -> Result<bool> {
        self.write(|transaction, _| {
            if transaction.execute("DELETE FROM outbox WHERE row = ?1", [id])? == 0 {
                return Ok(false);
            }
            trail::append(transaction, self.clock(), record)?;
            Ok(true)
        })
    }

    /// Notes an attempt, and when the next one is due. Nothing happens if the entry is gone.
    pub fn postpone(
        &self,
        id: i64,
        attempts: u32,
        next_attempt_at: UnixTime,
        outcome: &str,
    ) -> Result<()> {
        self.write(|transaction, _| {
            transaction.execute(
                "UPDATE outbox SET attempts = ?2, next_attempt_at = ?3, last_outcome = ?4
                 WHERE row = ?1",
                params![id, attempts, next_attempt_at, outcome],
            )?;
            Ok(())
        })
    }
}

/// Inserts an entry that is due when it says so, or renews the credentials of the session's entry.
pub fn insert(transaction: &Transaction<'_>, keys: &Keys, revocation: &Revocation) -> Work<i64> {
    let sealed = keys.seal(
        revocation,
        Place {
            purpose: Purpose::Outbox,
            provider: &revocation.provider,
            account: &revocation.account,
            row: &revocation.session_id,
        },
    )?;
    let Revocation { session_id, provider, account, .. } = revocation;
    let there: Option<i64> = transaction
        .query_row("SELECT row FROM outbox WHERE id = ?1", [session_id], |row| row.get(0))
        .optional()?;
    if let Some(row) = there {
        transaction.execute(
            "UPDATE outbox SET provider = ?2, account = ?3, sealed = ?4 WHERE row = ?1",
            params![row, provider, account, sealed],
        )?;
        return Ok(row);
    }
    transaction.execute(
        "INSERT INTO outbox (id, provider, account, attempts, next_attempt_at, last_outcome, sealed)
         VALUES (?1, ?2, ?3, 0, ?4, '', ?5)",
        params![session_id, provider, account, revocation.first_attempt_at, sealed],
    )?;
    Ok(transaction.last_insert_rowid())
}

pub fn delete_unreadable(transaction: &Transaction<'_>, keys: &Keys) -> Work<()> {
    let mut bad = Vec::new();
    let mut statement = transaction.prepare(COLUMNS)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        if !matches!(open(row, keys), Ok(Some(_))) {
            bad.push(row.get::<_, i64>(0)?);
        }
    }
    for row in bad {
        transaction.execute("DELETE FROM outbox WHERE row = ?1", [row])?;
    }
    Ok(())
}

fn load(
    connection: &Connection,
    keys: &Keys,
    statement: &str,
    arguments: &[&dyn ToSql],
) -> Work<Vec<Entry>> {
    let mut statement = connection.prepare_cached(statement)?;
    let mut rows = statement.query(arguments)?;
    let mut entries = Vec::new();
    while let Some(row) = rows.next()? {
        entries.extend(open(row, keys)?);
    }
    Ok(entries)
}

fn open(row: &Row<'_>, keys: &Keys) -> Work<Option<Entry>> {
    let (session, provider, account): (String, String, String) =
        (row.get(1)?, row.get(2)?, row.get(3)?);
    let sealed = row.get_ref(7)?.as_blob().map_err(|_| Failure::Damaged)?;
    if is_overwritten(sealed) {
        return Ok(None);
    }
    let place =
        Place { purpose: Purpose::Outbox, provider: &provider, account: &account, row: &session };
    let revocation: Revocation = keys.open(sealed, place).ok_or(Failure::BadRow)?;
    if revocation.session_id != session || revocation.provider != provider {
        return Err(Failure::BadRow);
    }
    Ok(Some(Entry {
        id: row.get(0)?,
        revocation,
        attempts: u32::try_from(row.get::<_, i64>(4)?).unwrap_or(u32::MAX),
        next_attempt_at: row.get(5)?,
        last_outcome: row.get(6)?,
    }))
}
