//! The tables, their migrations, and how a connection is set up.
//!
//! Plain columns are for finding rows; what decides anything is sealed as well. No row is looked
//! for by the one index, which serves to count: where it is damaged, nothing is hidden.

use super::busy;
use super::error::{VaultError, VaultResult};
use crate::error::{Error, Kind};
use rusqlite::{Connection, OpenFlags, OptionalExtension};
use std::path::Path;
use std::sync::OnceLock;

/// "SKvt"; tells a vault from any other database.
const APPLICATION: i64 = 0x534B_7674;

/// The version n is reached by the first n of these. A published one is never changed.
const MIGRATIONS: [&str; 1] = ["
    CREATE TABLE meta (
        one INTEGER PRIMARY KEY CHECK (one = 1),
        vault TEXT NOT NULL,
        sealed BLOB NOT NULL,
        generation INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE sessions (
        row INTEGER PRIMARY KEY,
        session TEXT NOT NULL,
        provider TEXT NOT NULL,
        account TEXT NOT NULL,
        generation INTEGER NOT NULL,
        active INTEGER NOT NULL,
        sealed BLOB NOT NULL
    ) STRICT;
    CREATE TABLE outbox (
        row INTEGER PRIMARY KEY AUTOINCREMENT,
        session TEXT NOT NULL,
        provider TEXT NOT NULL,
        account TEXT NOT NULL,
        attempts INTEGER NOT NULL,
        refusals INTEGER NOT NULL,
        next_attempt_at INTEGER NOT NULL,
        last_outcome TEXT NOT NULL,
        sealed BLOB NOT NULL
    ) STRICT;
    CREATE INDEX outbox_by_provider ON outbox (provider);
    CREATE TABLE tasks (
        row INTEGER PRIMARY KEY AUTOINCREMENT,
        session TEXT NOT NULL,
        provider TEXT NOT NULL,
        account TEXT NOT NULL,
        kind TEXT NOT NULL,
        name TEXT NOT NULL,
        sealed BLOB NOT NULL
    ) STRICT;
    CREATE TABLE audit (
        row INTEGER PRIMARY KEY,
        at INTEGER NOT NULL,
        clock_known INTEGER NOT NULL,
        event TEXT NOT NULL,
        provider TEXT NOT NULL,
        account TEXT NOT NULL,
        outcome TEXT NOT NULL,
        detail TEXT NOT NULL
    ) STRICT;
    CREATE TABLE sinks (
        row INTEGER PRIMARY KEY,
        name TEXT NOT NULL,
        seq INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE reserve (row INTEGER PRIMARY KEY, space BLOB NOT NULL) STRICT;
    CREATE TRIGGER audit_is_not_changed BEFORE UPDATE ON audit
        BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END;
    CREATE TRIGGER audit_is_not_shortened BEFORE DELETE ON audit
        WHEN OLD.row > (SELECT max(row) FROM audit) - 10000
        BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END;
"];

/// The newest version that this program knows.
#[allow(clippy::cast_possible_wrap, reason = "a handful of migrations")]
pub const VERSION: i64 = MIGRATIONS.len() as i64;

/// Pages kept for the day when the disk is full and a session has to move into the outbox.
const RESERVE: i64 = 16 * 1024;

/// Opens the database and sets the connection up; changes nothing in a newer one.
pub fn connect(path: &Path) -> VaultResult<Connection> {
    let connection = open(path)?;
    connection.busy_handler(Some(|_| busy::wait()))?;
    let (application, version) = marks(&connection)?;
    if application == APPLICATION && version > VERSION {
        return Err(VaultError::Refused(
            Error::new(Kind::VersionMismatch, "the vault was written by a newer version")
                .with_hint("update the add-on and restart Kodi; nothing was changed"),
        ));
    }
    connection.execute_batch(
        "PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON; PRAGMA foreign_keys = ON;
         PRAGMA journal_mode = DELETE; PRAGMA synchronous = EXTRA; PRAGMA secure_delete = ON;
         PRAGMA temp_store = MEMORY;",
    )?;
    Ok(connection)
}

/// Opens a copy of a damaged database, to read what can be read: a table whose definition makes no
/// sense is passed over.
pub fn connect_damaged(path: &Path) -> VaultResult<Connection> {
    let connection = open(path)?;
    connection.execute_batch(
        "PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON; PRAGMA writable_schema = ON;",
    )?;
    marks(&connection)?;
    Ok(connection)
}

/// Brings a database of ours to the current version; damage where it is not ours.
pub fn migrate(connection: &mut Connection) -> VaultResult<()> {
    apply_where_needed(connection, &MIGRATIONS)?;
    verify(connection)
}

/// Nothing but ours, and of the current version.
pub fn verify(connection: &Connection) -> VaultResult<()> {
    if recognise(connection)? == VERSION { Ok(()) } else { Err(VaultError::Damaged) }
}

/// Creates everything in an empty file.
pub fn create(connection: &mut Connection) -> VaultResult<()> {
    connection.execute_batch("PRAGMA page_size = 4096; PRAGMA auto_vacuum = NONE;")?;
    connection.pragma_update(None, "application_id", APPLICATION)?;
    apply(connection, 0, &MIGRATIONS, "")
}

/// Has SQLite check the file.
pub fn check(connection: &Connection) -> VaultResult<()> {
    let answer: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    if answer == "ok" { Ok(()) } else { Err(VaultError::Damaged) }
}

/// Fills the reserve again where it was used. A full disk must not stop it.
pub fn fill_reserve(connection: &Connection) -> rusqlite::Result<()> {
    let there = connection
        .query_row("SELECT 1 FROM reserve WHERE row = 1", [], |_| Ok(()))
        .optional()?
        .is_some();
    if !there {
        connection
            .execute("INSERT INTO reserve (row, space) VALUES (1, zeroblob(?1))", [RESERVE])?;
    }
    Ok(())
}

fn open(path: &Path) -> VaultResult<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX
        | OpenFlags::SQLITE_OPEN_NOFOLLOW;
    Ok(Connection::open_with_flags(path, flags)?)
}

fn marks(connection: &Connection) -> VaultResult<(i64, i64)> {
    let application = connection.pragma_query_value(None, "application_id", |row| row.get(0))?;
    let version = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    Ok((application, version))
}

/// The version of a database that holds nothing but ours.
fn recognise(connection: &Connection) -> VaultResult<i64> {
    let (application, version) = marks(connection)?;
    if application == APPLICATION
        && (1..=VERSION).contains(&version)
        && is_expected(&describe(connection)?, version)?
        && roots_are_pages(connection)?
    {
        Ok(version)
    } else {
        Err(VaultError::Damaged)
    }
}

fn apply_where_needed(connection: &mut Connection, migrations: &[&str]) -> VaultResult<()> {
    let version = recognise(connection)?;
    if usize::try_from(version).is_ok_and(|version| version >= migrations.len()) {
        return Ok(());
    }
    match apply(connection, version, migrations, "") {
        Err(failure @ VaultError::Sql(_)) if !failure.is_busy() => {
            in_reserve(connection, version, migrations)
        }
        outcome => outcome,
    }
}

fn apply(
    connection: &mut Connection,
    from: i64,
    migrations: &[&str],
    before: &str,
) -> VaultResult<()> {
    let transaction = connection.transaction()?;
    transaction.execute_batch(before)?;
    for (version, migration) in (1..).zip(migrations) {
        if version > from {
            transaction.execute_batch(migration)?;
            transaction.pragma_update(None, "user_version", version)?;
        }
    }
    transaction.commit()?;
    Ok(())
}

/// A full disk must not keep the user from logging out: the new tables go where the reserve
/// was, and the journal into memory.
fn in_reserve(connection: &mut Connection, from: i64, migrations: &[&str]) -> VaultResult<()> {
    connection.execute_batch("PRAGMA journal_mode = MEMORY")?;
    let applied = apply(connection, from, migrations, "DELETE FROM reserve");
    connection.execute_batch("PRAGMA journal_mode = DELETE")?;
    applied
}

/// The whole schema as text: a table or trigger more or less is not ours.
fn describe(connection: &Connection) -> VaultResult<Vec<String>> {
    let mut statement = connection.prepare(
        "SELECT type || ' ' || name || ' ' || tbl_name || ' ' || coalesce(sql, '')
         FROM sqlite_schema ORDER BY 1",
    )?;
    let rows = statement.query_map([], |row| row.get(0))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// A table that begins nowhere would read as empty, and SQLite's own check passes over it.
fn roots_are_pages(connection: &Connection) -> VaultResult<bool> {
    Ok(connection.query_row(
        "SELECT count(*) = count(DISTINCT rootpage)
                AND min(rootpage) > 1 AND max(rootpage) <= (SELECT page_count FROM pragma_page_count)
         FROM sqlite_schema WHERE type IN ('table', 'index')",
        [],
        |row| row.get(0),
    )?)
}

/// True for the schema of a vault of that version. The present one is made once, in memory.
fn is_expected(found: &[String], version: i64) -> VaultResult<bool> {
    static PRESENT: OnceLock<Vec<String>> = OnceLock::new();
    let model = |version: i64| -> VaultResult<Vec<String>> {
        let steps = usize::try_from(version).ok().and_then(|steps| MIGRATIONS.get(..steps));
        let mut model = Connection::open_in_memory()?;
        apply(&mut model, 0, steps.ok_or(VaultError::Damaged)?, "")?;
        describe(&model)
    };
    if version != VERSION {
        return Ok(found == model(version)?);
    }
    if PRESENT.get().is_none() {
        // Whoever comes second has made the same.
        let _ = PRESENT.set(model(version)?);
    }
    Ok(PRESENT.get().is_some_and(|present| present == found))
}
