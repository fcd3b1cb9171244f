//! The tables, their migrations, and how a connection is set up.
//!
//! Plain columns are for finding rows; what decides anything is sealed as well. The outbox alone may
//! grow, and alone has indices: they are compared with it at opening, because one that is damaged
//! would hide entries.

use super::failure::{Failure, Work};
use super::patience;
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
        id TEXT NOT NULL,
        provider TEXT NOT NULL,
        account TEXT NOT NULL,
        generation INTEGER NOT NULL,
        sealed BLOB NOT NULL
    ) STRICT;
    CREATE TABLE outbox (
        row INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL,
        provider TEXT NOT NULL,
        account TEXT NOT NULL,
        definition TEXT NOT NULL,
        attempts INTEGER NOT NULL,
        refusals INTEGER NOT NULL,
        next_attempt_at INTEGER NOT NULL,
        last_outcome TEXT NOT NULL,
        sealed BLOB NOT NULL
    ) STRICT;
    CREATE UNIQUE INDEX outbox_by_id ON outbox (id);
    CREATE INDEX outbox_by_time ON outbox (provider, next_attempt_at);
    CREATE INDEX outbox_by_definition ON outbox (definition);
    CREATE TABLE definitions (
        row INTEGER PRIMARY KEY,
        hash TEXT NOT NULL UNIQUE,
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
        detail TEXT NOT NULL,
        hash BLOB NOT NULL
    ) STRICT;
    CREATE TABLE reserve (row INTEGER PRIMARY KEY, space BLOB NOT NULL) STRICT;
    CREATE TRIGGER audit_is_not_changed BEFORE UPDATE ON audit
        BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END;
    CREATE TRIGGER audit_is_not_shortened BEFORE DELETE ON audit
        WHEN OLD.row > (SELECT max(row) FROM audit) - 10000
        BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END;
"];

/// The newest version that this programme knows.
#[allow(clippy::cast_possible_wrap, reason = "a handful of migrations")]
pub const VERSION: i64 = MIGRATIONS.len() as i64;

/// Pages kept for the day when the disk is full and a session has to move into the outbox.
const RESERVE: i64 = 16 * 1024;

/// Opens the database and sets the connection up; changes nothing in a newer one.
pub fn connect(path: &Path) -> Work<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX
        | OpenFlags::SQLITE_OPEN_NOFOLLOW;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_handler(Some(|_| patience::wait()))?;
    let (application, version) = marks(&connection)?;
    if application == APPLICATION && version > VERSION {
        return Err(Failure::Refused(
            Error::new(Kind::VersionMismatch, "the vault was written by a newer version")
                .hint("update the add-on and restart Kodi; nothing was changed"),
        ));
    }
    connection.execute_batch(
        "PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON; PRAGMA foreign_keys = ON;
         PRAGMA journal_mode = DELETE; PRAGMA synchronous = EXTRA; PRAGMA secure_delete = ON;
         PRAGMA temp_store = MEMORY;",
    )?;
    Ok(connection)
}

/// Brings a database of ours to the current version; damage where it is none of ours.
pub fn migrate(connection: &mut Connection) -> Work<()> {
    let (application, version) = marks(connection)?;
    if application != APPLICATION || !(1..=VERSION).contains(&version) {
        return Err(Failure::Damaged);
    }
    if version < VERSION {
        apply(connection, version)?;
    }
    verify(connection)
}

/// Nothing but ours, and of the current version.
pub fn verify(connection: &Connection) -> Work<()> {
    if marks(connection)? != (APPLICATION, VERSION) {
        return Err(Failure::Damaged);
    }
    if describe(connection)? == expected()? && roots_are_pages(connection)? {
        Ok(())
    } else {
        Err(Failure::Damaged)
    }
}

/// Creates everything in an empty file.
pub fn create(connection: &mut Connection) -> Work<()> {
    connection.execute_batch("PRAGMA page_size = 4096; PRAGMA auto_vacuum = NONE;")?;
    connection.pragma_update(None, "application_id", APPLICATION)?;
    apply(connection, 0)
}

/// Looks through a file for what SQLite itself can notice.
pub fn check(connection: &Connection) -> Work<()> {
    // The quick one does not compare the indices with their table.
    for check in ["PRAGMA quick_check(1)", "PRAGMA integrity_check(outbox)"] {
        let answer: String = connection.query_row(check, [], |row| row.get(0))?;
        if answer != "ok" {
            return Err(Failure::Damaged);
        }
    }
    Ok(())
}

/// Fills the reserve again where it was used. A full disk is no reason to stop.
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

fn marks(connection: &Connection) -> Work<(i64, i64)> {
    let application = connection.pragma_query_value(None, "application_id", |row| row.get(0))?;
    let version = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    Ok((application, version))
}

fn apply(connection: &mut Connection, from: i64) -> Work<()> {
    let transaction = connection.transaction()?;
    let done = usize::try_from(from).unwrap_or(0);
    for migration in MIGRATIONS.iter().skip(done) {
        transaction.execute_batch(migration)?;
    }
    transaction.pragma_update(None, "user_version", VERSION)?;
    transaction.commit()?;
    Ok(())
}

/// The whole schema as text: a table or trigger more or less is not ours.
fn describe(connection: &Connection) -> Work<Vec<String>> {
    let mut statement = connection.prepare(
        "SELECT type || ' ' || name || ' ' || tbl_name || ' ' || coalesce(sql, '')
         FROM sqlite_schema ORDER BY 1",
    )?;
    let rows = statement.query_map([], |row| row.get(0))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// A table that begins nowhere would read as empty, and SQLite's own check passes over it.
fn roots_are_pages(connection: &Connection) -> Work<bool> {
    Ok(connection.query_row(
        "SELECT count(*) = count(DISTINCT rootpage)
                AND min(rootpage) > 1 AND max(rootpage) <= (SELECT page_count FROM pragma_page_count)
         FROM sqlite_schema WHERE type IN ('table', 'index')",
        [],
        |row| row.get(0),
    )?)
}

/// The schema of a new vault; made once, in memory.
fn expected() -> Work<&'static [String]> {
    static EXPECTED: OnceLock<Vec<String>> = OnceLock::new();
    if let Some(expected) = EXPECTED.get() {
        return Ok(expected);
    }
    let mut model = Connection::open_in_memory()?;
    create(&mut model)?;
    let described = describe(&model)?;
    Ok(EXPECTED.get_or_init(|| described))
}
