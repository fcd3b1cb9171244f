//! Reads a damaged vault and writes the sound rows into a new one.
//!
//! A sealed row is sound if it opens with the key. The audit trail is carried over as far as it can
//! be read; the line about the damage then marks the place. A copy is read, so that the file itself
//! stays as it was found. The caller holds the directory's lock exclusively.

use super::error::{VaultError, VaultResult, explain_io};
use super::files::{Directories, create_file, journal_of};
use super::seal::Keys;
use super::transaction::sealed_tables;
use super::{files, schema};
use crate::error::Result;
use crate::lock::open_file;
use rusqlite::types::Value;
use rusqlite::{Connection, Transaction, params_from_iter};
use std::collections::BTreeSet;
use std::io;
use std::path::Path;

/// The tables that are not sealed, except `meta`: name and columns.
const PLAIN: [(&str, &str); 6] = [
    ("audit", "row, at, clock_known, event, provider, account, outcome, detail"),
    ("sinks", "row, name, seq"),
    ("hosts", "row, host, failures, until, pause"),
    ("eras", "row, provider, number"),
    ("handovers", "row, fingerprint"),
    ("unencrypted", "row, address"),
];

/// Opens a copy of the damaged vault, with the journal that still has to be played back: without
/// it, a transaction cut short by a crash would be read half written. `None` if SQLite cannot open
/// the file.
pub fn copy(directories: &Directories) -> Result<Option<Connection>> {
    let path = directories.fresh(&files::random_id()?);
    copy_files(directories, &path).map_err(|error| {
        explain_io(&error, "the damaged vault cannot be copied", &directories.data)
    })?;
    Ok(schema::connect_damaged(&path).ok())
}

/// Carries over everything that opens.
pub fn carry_over(source: &Connection, new: &Transaction<'_>, keys: &Keys) -> VaultResult<()> {
    for table in sealed_tables(source, keys) {
        table.copy_to(new, &rows_of(source, table.name()))?;
    }
    for (table, columns) in PLAIN {
        carry_plain(source, new, table, columns)?;
    }
    new.execute_batch(AFTERWARDS)?;
    let counted = "SELECT generation FROM meta WHERE one = 1";
    let counted: i64 = source.query_row(counted, [], |row| row.get(0)).unwrap_or(0);
    new.execute("UPDATE meta SET generation = max(generation, ?1)", [counted])?;
    Ok(())
}

/// Each session has one row, and so has the last answer about an add-on; and a session in the outbox,
/// or with a task, was logged out and must not come back. Generations and row numbers are never used twice, even if the newest rows were
/// lost. No sink is ahead of the trail, or it would miss the next lines.
const AFTERWARDS: &str = "
    DELETE FROM sessions WHERE session IN (SELECT session FROM outbox UNION SELECT session FROM tasks)
        OR row NOT IN (SELECT min(row) FROM sessions GROUP BY session);
    DELETE FROM permissions
        WHERE row NOT IN (SELECT max(row) FROM permissions GROUP BY session, provider, account);
    DELETE FROM outbox WHERE row NOT IN (SELECT min(row) FROM outbox GROUP BY session);
    UPDATE meta SET generation = (SELECT coalesce(max(generation), 0) FROM sessions);
    UPDATE sqlite_sequence SET seq = seq + 1000;
    UPDATE sinks SET seq = max(0, min(seq, (SELECT coalesce(max(row), 0) FROM audit)));";

/// True if at least one sealed row opens: then the key is right, whatever else is damaged.
pub fn opens_any(source: &Connection, keys: &Keys) -> bool {
    sealed_tables(source, keys).iter().any(|table| table.opens_any(&rows_of(source, table.name())))
}

fn carry_plain(
    source: &Connection,
    new: &Transaction<'_>,
    table: &str,
    columns: &str,
) -> VaultResult<()> {
    let Ok(mut select) = source.prepare(&format!("SELECT {columns} FROM {table} WHERE row = ?1"))
    else {
        return Ok(());
    };
    let width = select.column_count();
    let places: Vec<_> = (1..=width).map(|n| format!("?{n}")).collect();
    // The table refuses values of another type, which are not ours.
    let mut insert = new.prepare(&format!(
        "INSERT OR IGNORE INTO {table} ({columns}) VALUES ({})",
        places.join(", ")
    ))?;
    for number in rows_of(source, table).into_iter().filter(|number| *number > 0) {
        let read = select.query_row([number], |row| {
            // Text that is not UTF-8 is not ours.
            (0..width)
                .map(|n| Ok(Value::try_from(row.get_ref(n)?)?))
                .collect::<rusqlite::Result<Vec<Value>>>()
        });
        if let Ok(values) = read {
            match insert.execute(params_from_iter(values)) {
                Err(rusqlite::Error::SqliteFailure(cause, _))
                    if cause.code == rusqlite::ErrorCode::ConstraintViolation => {}
                done => drop(done?),
            }
        }
    }
    Ok(())
}

/// The numbers of the rows that can be reached from the start or from the end.
fn rows_of(source: &Connection, table: &str) -> BTreeSet<i64> {
    let mut rows = BTreeSet::new();
    // Not by an index, which may itself be damaged.
    let ascending = format!("SELECT row FROM {table} NOT INDEXED ORDER BY row");
    if scan(source, &ascending, &mut rows).is_err() {
        let _ = scan(source, &format!("{ascending} DESC"), &mut rows);
    }
    rows
}

/// Collects the rows up to the first that cannot be read, or that has been seen before: a damaged
/// page may lead back to itself.
fn scan(source: &Connection, select: &str, rows: &mut BTreeSet<i64>) -> VaultResult<()> {
    let mut statement = source.prepare(select)?;
    let mut found = statement.query([])?;
    while let Some(row) = found.next()? {
        if !rows.insert(row.get(0)?) {
            return Err(VaultError::Damaged);
        }
    }
    Ok(())
}

/// Needs the directory's lock: closing any descriptor of the file drops SQLite's own locks.
fn copy_files(directories: &Directories, to: &Path) -> io::Result<()> {
    let mut from = open_file(&directories.vault(), false, false)?;
    io::copy(&mut from, &mut create_file(to)?)?;
    if let Ok(mut journal) = open_file(&directories.journal(), false, false) {
        io::copy(&mut journal, &mut create_file(&journal_of(to))?)?;
    }
    Ok(())
}
