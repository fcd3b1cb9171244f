//! The tables, their migrations, and how a connection is set up.
//!
//! Plain columns only help to find rows; whatever matters is sealed as well. The one index is used
//! for counting and never for finding, so a damaged index hides no row.

use super::error::{VaultError, VaultResult};
use crate::error::{Error, Kind};
use rusqlite::{Connection, OpenFlags};
use std::path::Path;
use std::time::Duration;

/// "SKvt"; tells a vault from any other database.
const APPLICATION: i64 = 0x534B_7674;

/// Version n is the first n of these. Never change one that has been released.
const MIGRATIONS: [&str; 1] = ["
    CREATE TABLE meta (
        one INTEGER PRIMARY KEY CHECK (one = 1),
        vault TEXT NOT NULL,
        sealed BLOB NOT NULL,
        generation INTEGER NOT NULL,
        commits TEXT NOT NULL
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
    CREATE TABLE permissions (
        row INTEGER PRIMARY KEY AUTOINCREMENT,
        session TEXT NOT NULL,
        provider TEXT NOT NULL,
        account TEXT NOT NULL,
        sealed BLOB NOT NULL
    ) STRICT;
    CREATE TABLE outbox (
        row INTEGER PRIMARY KEY AUTOINCREMENT,
        session TEXT NOT NULL,
        provider TEXT NOT NULL,
        account TEXT NOT NULL,
        attempts INTEGER NOT NULL,
        refusals INTEGER NOT NULL,
        host TEXT NOT NULL,
        next_attempt_at INTEGER NOT NULL,
        pause INTEGER NOT NULL,
        last_outcome TEXT NOT NULL,
        is_settled INTEGER NOT NULL,
        sealed BLOB NOT NULL
    ) STRICT;
    CREATE INDEX outbox_by_provider ON outbox (provider);
    CREATE TABLE hosts (
        row INTEGER PRIMARY KEY,
        host TEXT NOT NULL,
        failures INTEGER NOT NULL,
        until INTEGER NOT NULL,
        pause INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE tasks (
        row INTEGER PRIMARY KEY AUTOINCREMENT,
        session TEXT NOT NULL,
        provider TEXT NOT NULL,
        account TEXT NOT NULL,
        kind TEXT NOT NULL,
        name TEXT NOT NULL,
        sealed BLOB NOT NULL
    ) STRICT;
    CREATE TABLE confirmations (
        row INTEGER PRIMARY KEY AUTOINCREMENT,
        session TEXT NOT NULL,
        provider TEXT NOT NULL,
        account TEXT NOT NULL,
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
    CREATE TABLE eras (
        row INTEGER PRIMARY KEY,
        provider TEXT NOT NULL,
        number INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE handovers (
        row INTEGER PRIMARY KEY,
        fingerprint TEXT NOT NULL
    ) STRICT;
    CREATE TABLE unencrypted (
        row INTEGER PRIMARY KEY,
        address TEXT NOT NULL
    ) STRICT;
    CREATE TRIGGER audit_is_not_changed BEFORE UPDATE ON audit
        BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END;
    CREATE TRIGGER audit_is_not_shortened BEFORE DELETE ON audit
        WHEN OLD.row > (SELECT max(row) FROM audit) - 10000
        BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END;
"];

/// The newest version that this program knows.
#[allow(clippy::cast_possible_wrap, reason = "a handful of migrations")]
pub const VERSION: i64 = MIGRATIONS.len() as i64;

/// Opens the database and sets the connection up. A newer vault is left unchanged.
pub fn connect(path: &Path) -> VaultResult<Connection> {
    let connection = open(path)?;
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

/// Another look at the database, apart from every connection that has written to it.
pub fn look(path: &Path) -> VaultResult<Connection> {
    let connection = open(path)?;
    connection.execute_batch("PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON;")?;
    Ok(connection)
}

/// Opens a copy of a damaged database to read what is still readable. Tables with a nonsensical
/// definition are skipped.
pub fn connect_damaged(path: &Path) -> VaultResult<Connection> {
    let connection = open(path)?;
    connection.execute_batch(
        "PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON; PRAGMA writable_schema = ON;",
    )?;
    marks(&connection)?;
    Ok(connection)
}

/// Brings a vault of an earlier version up to date. Anything that is not a vault counts as damage.
pub fn migrate(connection: &mut Connection) -> VaultResult<()> {
    migrate_to(connection, &MIGRATIONS)
}

/// Fails unless the database is a vault of the current version and nothing else.
pub fn verify(connection: &Connection) -> VaultResult<()> {
    if recognise(connection, &MIGRATIONS)? == MIGRATIONS.len() {
        Ok(())
    } else {
        Err(VaultError::Damaged)
    }
}

/// Creates everything in an empty file.
pub fn create(connection: &mut Connection) -> VaultResult<()> {
    connection.execute_batch("PRAGMA page_size = 4096; PRAGMA auto_vacuum = NONE;")?;
    connection.pragma_update(None, "application_id", APPLICATION)?;
    apply(connection, &MIGRATIONS)
}

/// Looks for damage that SQLite itself can notice.
pub fn check(connection: &Connection) -> VaultResult<()> {
    let answer: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    if answer == "ok" { Ok(()) } else { Err(VaultError::Damaged) }
}

fn open(path: &Path) -> VaultResult<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX
        | OpenFlags::SQLITE_OPEN_NOFOLLOW;
    let connection = Connection::open_with_flags(path, flags)?;
    // The caller waits: with its own deadline, and so that it can be cancelled.
    connection.busy_timeout(Duration::ZERO)?;
    Ok(connection)
}

fn marks(connection: &Connection) -> VaultResult<(i64, i64)> {
    let application = connection.pragma_query_value(None, "application_id", |row| row.get(0))?;
    let version = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    Ok((application, version))
}

fn migrate_to(connection: &mut Connection, migrations: &[&str]) -> VaultResult<()> {
    if recognise(connection, migrations)? == migrations.len() {
        return Ok(());
    }
    apply(connection, migrations)
}

/// The version of a vault whose schema is exactly ours.
fn recognise(connection: &Connection, migrations: &[&str]) -> VaultResult<usize> {
    let (application, version) = marks(connection)?;
    let version = usize::try_from(version).unwrap_or(0);
    let Some(steps @ [_, ..]) = migrations.get(..version) else { return Err(VaultError::Damaged) };
    let mut model = Connection::open_in_memory()?;
    apply(&mut model, steps)?;
    let is_ours = application == APPLICATION
        && describe(connection)? == describe(&model)?
        && roots_are_pages(connection)?;
    if is_ours { Ok(version) } else { Err(VaultError::Damaged) }
}

/// Runs the migrations that the database does not have yet.
fn apply(connection: &mut Connection, migrations: &[&str]) -> VaultResult<()> {
    let (_, present) = marks(connection)?;
    let transaction = connection.transaction()?;
    for (version, migration) in (1..).zip(migrations).filter(|(version, _)| *version > present) {
        transaction.execute_batch(migration)?;
        transaction.pragma_update(None, "user_version", version)?;
    }
    transaction.commit()?;
    Ok(())
}

/// The whole schema as text. One table or trigger too many or too few, and it is not ours.
fn describe(connection: &Connection) -> VaultResult<Vec<String>> {
    let mut statement = connection.prepare(
        "SELECT type || ' ' || name || ' ' || tbl_name || ' ' || coalesce(sql, '')
         FROM sqlite_schema ORDER BY 1",
    )?;
    let rows = statement.query_map([], |row| row.get(0))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// A table whose root is no page would read as empty, and SQLite's own check does not notice.
fn roots_are_pages(connection: &Connection) -> VaultResult<bool> {
    Ok(connection.query_row(
        "SELECT count(*) = count(DISTINCT rootpage)
                AND min(rootpage) > 1 AND max(rootpage) <= (SELECT page_count FROM pragma_page_count)
         FROM sqlite_schema WHERE type IN ('table', 'index')",
        [],
        |row| row.get(0),
    )?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::File;

    /// A vault of version 1 with a row in it, and a second version for it.
    fn earlier() -> (tempfile::TempDir, Connection, [&'static str; 2]) {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("vault.db");
        File::create(&path).unwrap();
        let mut connection = connect(&path).ok().unwrap();
        create(&mut connection).ok().unwrap();
        connection.execute("INSERT INTO sinks VALUES (1, 'a', 5)", []).unwrap();
        let second = "CREATE TABLE notes (row INTEGER PRIMARY KEY, text TEXT NOT NULL) STRICT;
            ALTER TABLE sinks ADD COLUMN failures INTEGER NOT NULL DEFAULT 7";
        (directory, connection, [MIGRATIONS[0], second])
    }

    fn assert_migrated(connection: &Connection, migrations: &[&str]) {
        assert_eq!(recognise(connection, migrations).ok(), Some(2));
        let row = connection.query_row("SELECT seq, failures FROM sinks", [], |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?))
        });
        assert_eq!(row.unwrap(), (5, 7));
        let count = |table: &str| {
            let count = format!("SELECT count(*) FROM {table}");
            connection.query_row(&count, [], |row| row.get::<_, i64>(0)).unwrap()
        };
        assert_eq!(count("notes"), 0);
        check(connection).ok().unwrap();
    }

    #[test]
    fn an_earlier_vault_is_migrated_once() {
        let (_directory, mut connection, migrations) = earlier();
        for _ in 0..2 {
            migrate_to(&mut connection, &migrations).ok().unwrap();
            assert_migrated(&connection, &migrations);
        }
        // For a program that only knows the first version it is no vault of ours.
        assert!(verify(&connection).is_err());
    }

    #[test]
    fn a_migration_that_fails_changes_nothing() {
        let (_directory, mut connection, migrations) = earlier();
        let broken = format!("{}; INSERT INTO nowhere VALUES (1)", migrations[1]);
        assert!(migrate_to(&mut connection, &[MIGRATIONS[0], &broken]).is_err());
        verify(&connection).ok().unwrap();
        migrate_to(&mut connection, &migrations).ok().unwrap();
        assert_migrated(&connection, &migrations);
    }
}
