//! Reading rows out of a damaged database, and writing those that are sound into a new one.
//!
//! A sealed row is sound when it opens with the key. The audit trail is carried over as it can be
//! read, with a new chain: the line that tells of the damage marks the place.

use super::error::VaultResult;
use super::seal::{Keys, Place, Purpose};
use super::tasks::Task;
use super::{audit, definitions};
use crate::session::{Revocation, Session};
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};
use serde::de::DeserializeOwned;
use std::collections::{BTreeSet, HashSet};

/// How many rows are looked for one by one in the gap that a bad page leaves.
const PROBES: i64 = 100_000;

/// Carries over what opens; false when the tables could not be read at all.
pub fn carry_over(source: &Connection, new: &Transaction<'_>, keys: &Keys) -> VaultResult<bool> {
    let Some(rows) = rows_of(source, SESSION_ROWS) else {
        return Ok(false);
    };
    let mut ended = carry_outbox(source, new, keys)?;
    ended.extend(carry_tasks(source, new, keys)?);
    carry_definitions(source, new, keys)?;
    let statement = if source.prepare(SESSION).is_ok() { SESSION } else { SESSION_OF_VERSION_1 };
    let mut generation = 0;
    let mut seen = HashSet::new();
    for row in rows {
        let Some((found, active)) =
            read(source, statement, row, |row| Ok((StoredRow::read(row)?, row.get::<_, bool>(4)?)))
        else {
            continue;
        };
        let Some(session) = found.open::<Session>(keys, Purpose::Session) else { continue };
        // A session that is in the outbox, or has left a task, was logged out: it does not come back
        // (I1).
        if ended.contains(&session.id) || !seen.insert(session.id.clone()) {
            continue;
        }
        let stored = i64::try_from(session.generation).unwrap_or(i64::MAX - 1);
        generation = generation.max(stored);
        new.execute(
            "INSERT INTO sessions (row, id, provider, account, generation, sealed, active)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            params![row, found.id, found.provider, found.account, stored, found.sealed, active],
        )?;
    }
    new.execute(ONE_ACTIVE, [])?;
    let counted: i64 = source
        .query_row("SELECT generation FROM meta WHERE one = 1", [], |row| row.get(0))
        .unwrap_or(0);
    new.execute("UPDATE meta SET generation = ?1", [generation.max(counted)])?;
    carry_trail(source, new)?;
    carry_sinks(source, new)?;
    Ok(true)
}

/// True when at least one row opens: the key is right, whatever else is damaged.
pub fn opens_any(source: &Connection, keys: &Keys) -> bool {
    let any = |rows: &str, statement: &str, opens: fn(&StoredRow, &Keys) -> bool| {
        rows_of(source, rows)
            .unwrap_or_default()
            .into_iter()
            .filter_map(|row| read(source, statement, row, StoredRow::read))
            .any(|found| opens(&found, keys))
    };
    any(SESSION_ROWS, SESSION, |found, keys| {
        found.open::<Session>(keys, Purpose::Session).is_some()
    }) || any(ENTRY_ROWS, ENTRY, |found, keys| {
        found.open::<Revocation>(keys, Purpose::Outbox).is_some()
    }) || any(TASK_ROWS, TASK, |found, keys| found.open::<Task>(keys, Purpose::Task).is_some())
}

// Not by an index: it may be the index that is damaged.
const SESSION_ROWS: &str = "SELECT row FROM sessions NOT INDEXED ORDER BY row";
const ENTRY_ROWS: &str = "SELECT row FROM outbox NOT INDEXED ORDER BY row";
const DEFINITION_ROWS: &str = "SELECT row FROM definitions NOT INDEXED ORDER BY row";
const TASK_ROWS: &str = "SELECT row FROM tasks NOT INDEXED ORDER BY row";
const SINK_ROWS: &str = "SELECT row FROM sinks NOT INDEXED ORDER BY row";
const SESSION: &str = "SELECT id, provider, account, sealed, active FROM sessions WHERE row = ?1";
const SESSION_OF_VERSION_1: &str =
    "SELECT id, provider, account, sealed, 1 FROM sessions WHERE row = ?1";
const ENTRY: &str = "SELECT id, provider, account, sealed, attempts, refusals, next_attempt_at,
    last_outcome FROM outbox WHERE row = ?1";
const TASK: &str = "SELECT session, provider, account, sealed, taken_at FROM tasks WHERE row = ?1";
const SINK: &str = "SELECT name, seq FROM sinks WHERE row = ?1";
const DEFINITION: &str = "SELECT hash, sealed FROM definitions WHERE row = ?1";

/// The newest, as in version 1; in a later one there are not several.
const ONE_ACTIVE: &str = "UPDATE sessions SET active = 0 WHERE active = 1 AND generation <
    (SELECT max(generation) FROM sessions AS other
     WHERE other.provider = sessions.provider AND other.active = 1)";

/// The columns that all three tables have.
struct StoredRow {
    id: String,
    provider: String,
    account: String,
    sealed: Vec<u8>,
}

impl StoredRow {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(StoredRow {
            id: row.get(0)?,
            provider: row.get(1)?,
            account: row.get(2)?,
            sealed: row.get(3)?,
        })
    }

    fn open<T: DeserializeOwned>(&self, keys: &Keys, purpose: Purpose) -> Option<T> {
        let StoredRow { id, provider, account, sealed } = self;
        keys.open(sealed, Place { purpose, provider, account, row: id })
    }
}

struct StoredEntry {
    row: StoredRow,
    attempts: i64,
    refusals: i64,
    next_attempt_at: i64,
    last_outcome: String,
}

impl StoredEntry {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(StoredEntry {
            row: StoredRow::read(row)?,
            attempts: row.get(4)?,
            refusals: row.get(5)?,
            next_attempt_at: row.get(6)?,
            last_outcome: row.get(7)?,
        })
    }
}

/// Gives the ids of the sessions that are in the outbox.
fn carry_outbox(
    source: &Connection,
    new: &Transaction<'_>,
    keys: &Keys,
) -> VaultResult<HashSet<String>> {
    let mut ended = HashSet::new();
    for row in rows_of(source, ENTRY_ROWS).unwrap_or_default() {
        let Some(entry) = read(source, ENTRY, row, StoredEntry::read) else { continue };
        let found = entry.row;
        let Some(revocation) = found.open::<Revocation>(keys, Purpose::Outbox) else { continue };
        if !ended.insert(found.id.clone()) {
            continue;
        }
        new.prepare_cached(
            "INSERT INTO outbox (row, id, provider, account, definition, attempts, refusals,
                 next_attempt_at, last_outcome, sealed)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
        )?
        .execute(params![
            row,
            found.id,
            found.provider,
            found.account,
            // Sealed, it is the hash.
            revocation.definition,
            entry.attempts,
            entry.refusals,
            entry.next_attempt_at,
            entry.last_outcome,
            found.sealed
        ])?;
    }
    skip_numbers(new, "outbox")?;
    Ok(ended)
}

/// Gives the ids of the sessions that have left something to do. What was handed out stays so.
fn carry_tasks(
    source: &Connection,
    new: &Transaction<'_>,
    keys: &Keys,
) -> VaultResult<HashSet<String>> {
    let mut ended = HashSet::new();
    for row in rows_of(source, TASK_ROWS).unwrap_or_default() {
        let Some((found, taken_at)) = read(source, TASK, row, |row| {
            Ok((StoredRow::read(row)?, row.get::<_, Option<i64>>(4)?))
        }) else {
            continue;
        };
        let Some(task) = found.open::<Task>(keys, Purpose::Task) else { continue };
        new.execute(
            "INSERT INTO tasks (row, session, provider, account, kind, name, taken_at, sealed)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            params![
                row,
                found.id,
                found.provider,
                found.account,
                task.kind,
                task.name,
                taken_at,
                found.sealed
            ],
        )?;
        ended.insert(found.id);
    }
    skip_numbers(new, "tasks")?;
    Ok(ended)
}

/// A row's number is not given again, even if the newest rows were lost.
fn skip_numbers(new: &Transaction<'_>, table: &str) -> VaultResult<()> {
    new.execute("UPDATE sqlite_sequence SET seq = seq + 1000 WHERE name = ?1", [table])?;
    Ok(())
}

fn carry_definitions(source: &Connection, new: &Transaction<'_>, keys: &Keys) -> VaultResult<()> {
    for row in rows_of(source, DEFINITION_ROWS).unwrap_or_default() {
        let found = read(source, DEFINITION, row, |row| {
            Ok((row.get::<_, String>(0)?, row.get::<_, Vec<u8>>(1)?))
        });
        let Some((hash, sealed)) = found else { continue };
        if definitions::open(keys, &hash, &sealed).is_some() {
            new.execute(
                "INSERT OR IGNORE INTO definitions (hash, sealed) VALUES (?1, ?2)",
                params![hash, sealed],
            )?;
        }
    }
    definitions::sweep(new)
}

/// After the trail: no sink has taken what is not there, else it would miss what comes next.
fn carry_sinks(source: &Connection, new: &Transaction<'_>) -> VaultResult<()> {
    let newest = audit::newest(new)?;
    for row in rows_of(source, SINK_ROWS).unwrap_or_default() {
        let found =
            read(source, SINK, row, |row| Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?)));
        if let Some((name, seq)) = found {
            new.execute(
                "INSERT OR IGNORE INTO sinks (row, name, seq) VALUES (?1, ?2, ?3)",
                params![row, name, seq.clamp(0, newest)],
            )?;
        }
    }
    Ok(())
}

fn carry_trail(source: &Connection, new: &Transaction<'_>) -> VaultResult<()> {
    let rows = rows_of(source, "SELECT row FROM audit ORDER BY row").unwrap_or_default();
    let statement = format!("{} WHERE row = ?1", audit::COLUMNS);
    for row in rows.into_iter().filter(|row| *row > 0) {
        if let Some(line) = read(source, &statement, row, audit::Stored::read) {
            audit::insert(new, &line)?;
        }
    }
    Ok(())
}

fn read<T>(
    source: &Connection,
    statement: &str,
    row: i64,
    read: fn(&Row<'_>) -> rusqlite::Result<T>,
) -> Option<T> {
    source.prepare_cached(statement).ok()?.query_row([row], read).optional().ok().flatten()
}

/// The numbers of the rows that can be reached: from the start, from the end, and one by one in
/// the gap between. `None` when the table is not there.
fn rows_of(source: &Connection, ascending: &str) -> Option<BTreeSet<i64>> {
    let (mut rows, whole) = scan(source, ascending)?;
    if whole {
        return Some(rows);
    }
    let low = rows.last().copied().unwrap_or(0);
    let (end, _) = scan(source, &format!("{ascending} DESC"))?;
    let high = end.first().copied().unwrap_or(low.saturating_add(1_000));
    rows.extend(end);
    rows.extend(low.saturating_add(1)..high.min(low.saturating_add(PROBES)));
    Some(rows)
}

/// The rows up to the first that cannot be read, and whether that was all of them.
fn scan(source: &Connection, statement: &str) -> Option<(BTreeSet<i64>, bool)> {
    let mut statement = source.prepare(statement).ok()?;
    let mut found = statement.query([]).ok()?;
    let mut rows = BTreeSet::new();
    loop {
        match found.next() {
            Ok(Some(row)) => match row.get::<_, i64>(0) {
                // The same number again: a page that leads back to itself.
                Ok(number) if !rows.insert(number) => return Some((rows, false)),
                Ok(_) => {}
                Err(_) => return Some((rows, false)),
            },
            Ok(None) => return Some((rows, true)),
            Err(_) => return Some((rows, false)),
        }
    }
}
