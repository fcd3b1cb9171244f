//! The outbox's rows: revocations that the server has not confirmed yet.
//!
//! When an entry is tried, and how often, is decided elsewhere; here it is stored, found when due,
//! and removed exactly once. The sealed part has its own key: nothing here restores a session.

use super::definitions::Definitions;
use super::error::{VaultError, VaultResult};
use super::seal::{Keys, Place, Purpose, is_overwritten};
use super::{Vault, audit, definitions};
use crate::audit::NewAuditEvent;
use crate::clock::UnixTime;
use crate::error::Result;
use crate::session::Revocation;
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};

/// A revocation that waits for the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutboxEntry {
    pub id: i64,
    pub revocation: Revocation,
    pub attempts: u32,
    /// How many of them the server has answered with a refusal that will not change.
    pub refusals: u32,
    pub next_attempt_at: UnixTime,
    pub last_outcome: String,
}

const COLUMNS: &str = "SELECT row, id, provider, account, attempts, refusals, next_attempt_at,
    last_outcome, sealed FROM outbox";

impl Vault {
    /// Puts a revocation into the outbox. Where the session has an entry already, that entry gets
    /// the newer credentials and keeps its schedule.
    pub fn enqueue(&self, revocation: &Revocation) -> Result<i64> {
        self.write(|transaction, keys| insert(transaction, keys, revocation))
    }

    /// All entries, oldest first.
    pub fn entries(&self) -> Result<Vec<OutboxEntry>> {
        self.entries_as(|entry| entry)
    }

    /// What `make` makes of each entry, oldest first; for when there may be a great many.
    pub fn entries_as<T>(&self, mut make: impl FnMut(OutboxEntry) -> T) -> Result<Vec<T>> {
        self.read(|transaction, keys| {
            let mut definitions = Definitions::new(transaction, keys);
            let mut statement = transaction.prepare_cached(&format!("{COLUMNS} ORDER BY row"))?;
            let mut rows = statement.query([])?;
            let mut entries = Vec::new();
            while let Some(row) = rows.next()? {
                entries.extend(complete(row, keys, &mut definitions)?.map(&mut make));
            }
            Ok(entries)
        })
    }

    pub fn entry(&self, id: i64) -> Result<Option<OutboxEntry>> {
        self.read(|transaction, keys| Ok(load_rows(transaction, keys, &[id])?.pop()))
    }

    /// How many entries wait, of one provider or of all.
    pub fn pending(&self, provider: Option<&str>) -> Result<u64> {
        self.read(|transaction, _| {
            // Both are answered from an index, without a look at the sealed columns.
            let count: i64 = match provider {
                Some(provider) => transaction.query_row(
                    "SELECT count(*) FROM outbox WHERE provider = ?1",
                    [provider],
                    |row| row.get(0),
                )?,
                None => transaction
                    .query_row("SELECT count(provider) FROM outbox", [], |row| row.get(0))?,
            };
            Ok(u64::try_from(count).unwrap_or(0))
        })
    }

    /// Removes an entry that was answered for, and writes its line. False, and no line, when
    /// somebody else has done so; also when the entry has got newer credentials meanwhile, which
    /// the answer was not about: they are due now.
    pub fn settle(&self, entry: &OutboxEntry, record: &NewAuditEvent) -> Result<bool> {
        self.write(|transaction, keys| {
            let Some(stored) = load_rows(transaction, keys, &[entry.id])?.pop() else {
                return Ok(false);
            };
            if stored.revocation != entry.revocation {
                transaction.execute(
                    "UPDATE outbox SET attempts = 0, refusals = 0, next_attempt_at = ?2
                     WHERE row = ?1",
                    [entry.id, self.clock().now()],
                )?;
                return Ok(false);
            }
            transaction.execute("DELETE FROM outbox WHERE row = ?1", [entry.id])?;
            definitions::sweep(transaction)?;
            audit::append(transaction, self.clock(), record)?;
            Ok(true)
        })
    }

    /// Notes an attempt, and when the next one is due. Nothing happens if the entry is gone.
    pub fn postpone(
        &self,
        id: i64,
        attempts: u32,
        refusals: u32,
        next_attempt_at: UnixTime,
        outcome: &str,
    ) -> Result<()> {
        self.write(|transaction, _| {
            transaction.execute(
                "UPDATE outbox
                 SET attempts = ?2, refusals = ?3, next_attempt_at = ?4, last_outcome = ?5
                 WHERE row = ?1",
                params![id, attempts, refusals, next_attempt_at, outcome],
            )?;
            Ok(())
        })
    }
}

/// Inserts an entry that is due when it says so, or renews the credentials of the session's entry.
pub fn insert(
    transaction: &Transaction<'_>,
    keys: &Keys,
    revocation: &Revocation,
) -> VaultResult<i64> {
    let definition = definitions::store(transaction, keys, &revocation.definition)?;
    let stored = Revocation { definition, ..revocation.clone() };
    let sealed = keys.seal(&stored, place(&stored))?;
    let Revocation { session_id, provider, account, definition, .. } = &stored;
    let there: Option<i64> = transaction
        .query_row("SELECT row FROM outbox WHERE id = ?1", [session_id], |row| row.get(0))
        .optional()?;
    if let Some(row) = there {
        transaction.execute(
            "UPDATE outbox SET provider = ?2, account = ?3, definition = ?4, sealed = ?5
             WHERE row = ?1",
            params![row, provider, account, definition, sealed],
        )?;
        definitions::sweep(transaction)?;
        return Ok(row);
    }
    let mut statement = transaction.prepare_cached(
        "INSERT INTO outbox (id, provider, account, definition, attempts, refusals,
             next_attempt_at, last_outcome, sealed)
         VALUES (?1, ?2, ?3, ?4, 0, 0, ?5, '', ?6)",
    )?;
    let first = stored.first_attempt_at;
    statement.execute(params![session_id, provider, account, definition, first, sealed])?;
    Ok(transaction.last_insert_rowid())
}

/// The entries of these rows, in this order, as far as they are there.
pub fn load_rows(
    connection: &Connection,
    keys: &Keys,
    numbers: &[i64],
) -> VaultResult<Vec<OutboxEntry>> {
    let mut definitions = Definitions::new(connection, keys);
    let mut statement = connection.prepare_cached(&format!("{COLUMNS} WHERE row = ?1"))?;
    let mut entries = Vec::new();
    for number in numbers {
        let mut rows = statement.query([number])?;
        if let Some(row) = rows.next()? {
            entries.extend(complete(row, keys, &mut definitions)?);
        }
    }
    Ok(entries)
}

pub fn delete_unreadable(transaction: &Transaction<'_>, keys: &Keys) -> VaultResult<()> {
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
    definitions::delete_unreadable(transaction, keys)?;
    definitions::sweep(transaction)
}

fn complete(
    row: &Row<'_>,
    keys: &Keys,
    definitions: &mut Definitions<'_>,
) -> VaultResult<Option<OutboxEntry>> {
    let Some(mut entry) = open(row, keys)? else { return Ok(None) };
    entry.revocation.definition = definitions.find(&entry.revocation.definition)?;
    Ok(Some(entry))
}

/// The entry with its definition's hash in the definition's place.
fn open(row: &Row<'_>, keys: &Keys) -> VaultResult<Option<OutboxEntry>> {
    let (session, provider, account): (String, String, String) =
        (row.get(1)?, row.get(2)?, row.get(3)?);
    let sealed = row.get_ref(8)?.as_blob().map_err(|_| VaultError::Damaged)?;
    if is_overwritten(sealed) {
        return Ok(None);
    }
    let place =
        Place { purpose: Purpose::Outbox, provider: &provider, account: &account, row: &session };
    let revocation: Revocation = keys.open(sealed, place).ok_or(VaultError::BadRow)?;
    if revocation.session_id != session || revocation.provider != provider {
        return Err(VaultError::BadRow);
    }
    Ok(Some(OutboxEntry {
        id: row.get(0)?,
        revocation,
        attempts: u32::try_from(row.get::<_, i64>(4)?).unwrap_or(u32::MAX),
        refusals: u32::try_from(row.get::<_, i64>(5)?).unwrap_or(u32::MAX),
        next_attempt_at: row.get(6)?,
        last_outcome: row.get(7)?,
    }))
}

fn place(revocation: &Revocation) -> Place<'_> {
    Place {
        purpose: Purpose::Outbox,
        provider: &revocation.provider,
        account: &revocation.account,
        row: &revocation.session_id,
    }
}
