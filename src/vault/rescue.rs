//! Reading a damaged vault, and writing the rows that are sound into a new one.
//!
//! A sealed row is sound when it opens with the key. The audit trail is carried over as far as it
//! can be read; the line that tells of the damage marks the place. What is read is a copy, so that
//! the file itself stays as it was found. Only for whoever is alone with the vault.

use super::error::{VaultResult, explain_io};
use super::files::{Directories, create_file, journal_of};
use super::seal::Keys;
use super::transaction::sealed_tables;
use super::{key, schema};
use crate::error::Result;
use crate::lock::open_file;
use rusqlite::types::{Value, ValueRef};
use rusqlite::{Connection, Transaction, params_from_iter};
use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// A larger file is not read, only quarantined: no vault comes near this.
const LARGEST: u64 = 256 << 20;

/// How many rows are looked for one by one in the gap that a bad page leaves.
const PROBES: i64 = 100_000;

/// The tables that are not sealed, but for `meta`: name and columns.
const PLAIN: [(&str, &str); 2] = [
    ("audit", "row, at, clock_known, event, provider, account, outcome, detail"),
    ("sinks", "row, name, seq"),
];

/// A copy of a damaged vault, with the journal that still has to be played back: without it a
/// transaction that a crash has cut would be read half written.
pub struct Copy {
    pub connection: Connection,
    path: PathBuf,
}

impl Copy {
    /// `None` where SQLite cannot open it.
    pub fn make(directories: &Directories) -> Result<Option<Copy>> {
        let length = fs::metadata(directories.vault()).map_or(0, |found| found.len());
        if length > LARGEST {
            return Ok(None);
        }
        let path = directories.fresh(&key::random_id()?);
        if let Err(error) = copy(directories, &path) {
            remove(&path);
            let what = "the damaged vault cannot be copied";
            return Err(explain_io(&error, what, &directories.data));
        }
        if let Ok(connection) = schema::connect_damaged(&path) {
            return Ok(Some(Copy { connection, path }));
        }
        remove(&path);
        Ok(None)
    }

    /// Closes it and removes its files.
    pub fn discard(self) {
        drop(self.connection);
        remove(&self.path);
    }
}

/// Carries over what opens, as far as the tables are there.
pub fn carry_over(source: &Connection, new: &Transaction<'_>, keys: &Keys) -> VaultResult<()> {
    for table in sealed_tables(source, keys) {
        table.copy_to(new, &rows_of(source, table.name()))?;
    }
    for (table, columns) in PLAIN {
        carry_plain(source, new, table, columns)?;
    }
    new.execute_batch(AFTERWARDS)?;
    let counted =
        source.query_row("SELECT generation FROM meta WHERE one = 1", [], |row| row.get(0));
    let counted: i64 = counted.unwrap_or(0);
    new.execute("UPDATE meta SET generation = max(generation, ?1)", [counted])?;
    Ok(())
}

/// One session, one row; and a session that is in the outbox, or has left a task, was logged out:
/// it does not come back. Generations and row numbers are not given again, even if the newest rows
/// were lost. No sink has taken what is not there, else it would miss what comes next.
const AFTERWARDS: &str = "
    DELETE FROM sessions WHERE session IN (SELECT session FROM outbox UNION SELECT session FROM tasks)
        OR row NOT IN (SELECT min(row) FROM sessions GROUP BY session);
    DELETE FROM outbox WHERE row NOT IN (SELECT min(row) FROM outbox GROUP BY session);
    UPDATE meta SET generation = (SELECT coalesce(max(generation), 0) FROM sessions);
    UPDATE sqlite_sequence SET seq = seq + 1000;
    UPDATE sinks SET seq = max(0, min(seq, (SELECT coalesce(max(row), 0) FROM audit)));";

/// True when at least one sealed row opens: the key is right, whatever else is damaged.
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
    // A value of another type than the table's is not ours, and the table refuses it.
    let mut insert = new.prepare(&format!(
        "INSERT OR IGNORE INTO {table} ({columns}) VALUES ({})",
        places.join(", ")
    ))?;
    for number in rows_of(source, table).into_iter().filter(|number| *number > 0) {
        let read = select.query_row([number], |row| {
            (0..width).map(|n| value(row.get_ref(n)?)).collect::<rusqlite::Result<Vec<Value>>>()
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

/// An error for text that is not UTF-8.
fn value(found: ValueRef<'_>) -> rusqlite::Result<Value> {
    Ok(match found {
        ValueRef::Text(_) => Value::Text(found.as_str()?.to_owned()),
        other => other.into(),
    })
}

/// The numbers of the rows that can be reached: from the start, from the end, and one by one in
/// the gap between.
fn rows_of(source: &Connection, table: &str) -> BTreeSet<i64> {
    // Not by an index: it may be the index that is damaged.
    let ascending = format!("SELECT row FROM {table} NOT INDEXED ORDER BY row");
    let (mut rows, is_whole) = scan(source, &ascending);
    if is_whole {
        return rows;
    }
    let low = rows.last().copied().unwrap_or(0);
    let (end, _) = scan(source, &format!("{ascending} DESC"));
    let high = end.first().copied().unwrap_or(low.saturating_add(1_000));
    rows.extend(end);
    rows.extend(low.saturating_add(1)..high.min(low.saturating_add(PROBES)));
    rows
}

/// The rows up to the first that cannot be read, and whether that was all of them.
fn scan(source: &Connection, statement: &str) -> (BTreeSet<i64>, bool) {
    let mut rows = BTreeSet::new();
    let Ok(mut statement) = source.prepare(statement) else { return (rows, true) };
    let Ok(mut found) = statement.query([]) else { return (rows, true) };
    loop {
        match found.next() {
            Ok(Some(row)) => match row.get::<_, i64>(0) {
                Ok(number) if rows.insert(number) => {}
                // The same number again: a page that leads back to itself.
                _ => return (rows, false),
            },
            Ok(None) => return (rows, true),
            Err(_) => return (rows, false),
        }
    }
}

/// Only under the directory's lock: closing any descriptor of the file drops SQLite's own locks.
fn copy(directories: &Directories, to: &Path) -> io::Result<()> {
    let mut from = open_file(&directories.vault(), false, false)?;
    io::copy(&mut from, &mut create_file(to)?)?;
    if let Ok(mut journal) = open_file(&directories.journal(), false, false) {
        io::copy(&mut journal, &mut create_file(&journal_of(to))?)?;
    }
    Ok(())
}

fn remove(path: &Path) {
    let _ = fs::remove_file(path);
    let _ = fs::remove_file(journal_of(path));
}
