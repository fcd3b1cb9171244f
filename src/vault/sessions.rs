//! The stored sessions: whose they are, which one is active, and the fence against late writes.
//!
//! The active session is marked in its own row, and the mark goes with the row however the session
//! ends. So no logout or damage makes another session active.

use super::error::VaultResult;
use super::seal::{Keys, Purpose};
use super::table::{Owner, Record, Table};
use crate::session::Session;
use rusqlite::types::Value;
use rusqlite::{Connection, Row, ToSql, params};

/// Which stored session of a provider is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionSelector<'a> {
    /// The active session.
    Active,
    /// The session with this id, active or not.
    Session(&'a str),
    /// The session of the account with this id, active or not.
    Account(&'a str),
}

impl SessionSelector<'_> {
    /// The column to select by, and its value.
    fn column(&self) -> (&'static str, &dyn ToSql) {
        match self {
            SessionSelector::Active => ("active", &1_i64),
            SessionSelector::Session(id) => ("session", id),
            SessionSelector::Account(id) => ("account", id),
        }
    }
}

/// A session, and whether it is the active one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredSession {
    number: i64,
    pub session: Session,
    pub is_active: bool,
}

impl Record for StoredSession {
    const TABLE: &'static str = "sessions";
    const PURPOSE: Purpose = Purpose::Session;
    const COLUMNS: &'static [&'static str] = &["generation", "active"];
    type Sealed = Session;

    fn sealed(&self) -> &Session {
        &self.session
    }

    fn owner(&self) -> Owner<'_> {
        let Session { id, provider, account, .. } = &self.session;
        Owner { session: id, provider, account: &account.id }
    }

    fn columns(&self) -> Vec<Value> {
        let generation = i64::try_from(self.session.generation).unwrap_or(i64::MAX);
        vec![generation.into(), i64::from(self.is_active).into()]
    }

    fn read(number: i64, session: Session, row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(StoredSession { number, session, is_active: row.get("active")? })
    }
}

pub struct Sessions<'a>(Table<'a, StoredSession>);

impl<'a> Sessions<'a> {
    pub fn new(connection: &'a Connection, keys: &'a Keys) -> Self {
        Sessions(Table::new(connection, keys))
    }

    /// The provider's active session.
    pub fn active(&self, provider: &str) -> VaultResult<Option<Session>> {
        self.find(provider, SessionSelector::Active)
    }

    /// The selected session; the newest if there are several.
    pub fn find(
        &self,
        provider: &str,
        selector: SessionSelector<'_>,
    ) -> VaultResult<Option<Session>> {
        Ok(self.stored(provider, selector)?.map(|stored| stored.session))
    }

    /// The sessions of one provider or of all, oldest login first.
    pub fn list(&self, provider: Option<&str>) -> VaultResult<Vec<StoredSession>> {
        self.0.all("WHERE ?1 IS NULL OR provider = ?1 ORDER BY provider, row", [provider])
    }

    /// The sessions of all providers whose keys begin with `service`, newest first.
    pub fn of_service(&self, service: &str) -> VaultResult<Vec<StoredSession>> {
        let rest = "WHERE substr(provider, 1, length(?1)) = ?1 ORDER BY generation DESC";
        self.0.all(rest, [service])
    }

    /// Stores a new session, not yet active, and returns it with its generation.
    pub fn insert(&self, session: Session) -> VaultResult<Session> {
        let session = Session { generation: self.next_generation()?, ..session };
        let stored = StoredSession { number: 0, session, is_active: false };
        self.0.insert(None, &stored)?;
        Ok(stored.session)
    }

    /// Stores a changed session, if the one it was made from is still there and unchanged, and
    /// returns it with its new generation. An active session stays active.
    pub fn replace(&self, session: Session) -> VaultResult<Option<Session>> {
        let found = self.stored(&session.provider, SessionSelector::Session(&session.id))?;
        let Some(old) = found.filter(|old| old.session.generation == session.generation) else {
            return Ok(None);
        };
        let session = Session { generation: self.next_generation()?, ..session };
        let new = StoredSession { session, ..old };
        self.0.update(new.number, &new)?;
        Ok(Some(new.session))
    }

    /// Makes the account's session the provider's active one and returns it; `None` if the account
    /// is not stored.
    pub fn activate(&self, provider: &str, account: &str) -> VaultResult<Option<Session>> {
        let Some(found) = self.stored(provider, SessionSelector::Account(account))? else {
            return Ok(None);
        };
        self.0.connection.execute(
            "UPDATE sessions SET active = (row = ?2) WHERE provider = ?1",
            params![provider, found.number],
        )?;
        Ok(Some(found.session))
    }

    /// False if it is no longer stored.
    pub fn delete(&self, session: &Session) -> VaultResult<bool> {
        let deleted =
            self.0.delete("provider = ?1 AND session = ?2", [&session.provider, &session.id])?;
        if deleted > 0 {
            // What is ended counts as well, so that an older copy of the vault is known.
            self.next_generation()?;
        }
        Ok(deleted > 0)
    }

    fn stored(
        &self,
        provider: &str,
        selector: SessionSelector<'_>,
    ) -> VaultResult<Option<StoredSession>> {
        let (column, value) = selector.column();
        let rest = format!("WHERE provider = ?1 AND {column} = ?2 ORDER BY generation DESC");
        self.0.first(&rest, params![provider, value])
    }

    /// Counts up across all sessions, never down.
    fn next_generation(&self) -> VaultResult<u64> {
        let next = "UPDATE meta SET generation = generation + 1 RETURNING generation";
        Ok(self.0.connection.query_row(next, [], |row| row.get(0))?)
    }
}
