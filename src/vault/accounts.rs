//! The accounts of a provider: whose sessions are stored, and which one is active.
//!
//! The mark of the active one lies in its own row and goes with it, however the session ends: so no
//! other session becomes active by a logout, by damage, or by a page that was overwritten.

use super::error::{VaultError, VaultResult};
use super::seal::{Keys, Place, Purpose, is_overwritten};
use super::{Vault, audit};
use crate::audit::NewAuditEvent;
use crate::error::Result;
use crate::session::Session;
use rusqlite::{Connection, Row, ToSql, Transaction, params};

/// Which stored session of a provider is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionSelector<'a> {
    /// The active one.
    Active,
    /// The one with this id, active or not.
    Session(&'a str),
    /// The one of the account with this id, active or not.
    Account(&'a str),
}

impl SessionSelector<'_> {
    /// The column that tells it from the provider's others, and the value there.
    pub fn column(&self) -> (&'static str, &dyn ToSql) {
        match self {
            SessionSelector::Active => ("active", &1_i64),
            SessionSelector::Session(id) => ("id", id),
            SessionSelector::Account(id) => ("account", id),
        }
    }
}

impl Vault {
    /// The provider's active session.
    pub fn session(&self, provider: &str) -> Result<Option<Session>> {
        self.session_of(provider, SessionSelector::Active)
    }

    /// The stored session that is meant.
    pub fn session_of(&self, provider: &str, whom: SessionSelector<'_>) -> Result<Option<Session>> {
        self.read(|transaction, keys| {
            Ok(find(transaction, keys, provider, whom)?.map(|stored| stored.session))
        })
    }

    /// The stored sessions of one provider or of all, the oldest login first; true for the active
    /// ones.
    pub fn sessions_of(&self, provider: Option<&str>) -> Result<Vec<(Session, bool)>> {
        self.read(|transaction, keys| {
            let stored = load(transaction, keys, provider)?;
            Ok(stored.into_iter().map(|stored| (stored.session, stored.is_active)).collect())
        })
    }

    /// Makes the stored session of an account the active one, and gives it; `None` when no such
    /// account is stored. No line is written when it was the active one already.
    pub fn activate(
        &self,
        provider: &str,
        account: &str,
        record: &NewAuditEvent,
    ) -> Result<Option<Session>> {
        self.write(|transaction, keys| {
            let found = find(transaction, keys, provider, SessionSelector::Account(account))?;
            let Some(Stored { row, session, is_active }) = found else { return Ok(None) };
            if !is_active {
                mark_active(transaction, provider, row)?;
                audit::append(transaction, self.clock(), record)?;
            }
            Ok(Some(session))
        })
    }
}

/// A session as it is stored.
pub struct Stored {
    pub row: i64,
    pub session: Session,
    pub is_active: bool,
}

const COLUMNS: &str = "SELECT row, id, provider, account, sealed, generation, active FROM sessions";

/// The session that is meant; the newest, should there be several.
pub fn find(
    connection: &Connection,
    keys: &Keys,
    provider: &str,
    whom: SessionSelector<'_>,
) -> VaultResult<Option<Stored>> {
    let (column, value) = whom.column();
    let mut statement = connection.prepare_cached(&format!(
        "{COLUMNS} WHERE provider = ?1 AND {column} = ?2 ORDER BY generation DESC"
    ))?;
    let mut rows = statement.query(params![provider, value])?;
    while let Some(row) = rows.next()? {
        if let Some(stored) = open(row, keys)? {
            return Ok(Some(stored));
        }
    }
    Ok(None)
}

/// The sessions of one provider or of all, the oldest login first.
pub fn load(
    connection: &Connection,
    keys: &Keys,
    provider: Option<&str>,
) -> VaultResult<Vec<Stored>> {
    let mut statement = connection.prepare_cached(&format!(
        "{COLUMNS} WHERE ?1 IS NULL OR provider = ?1 ORDER BY provider, row"
    ))?;
    let mut rows = statement.query([provider])?;
    let mut sessions = Vec::new();
    while let Some(row) = rows.next()? {
        sessions.extend(open(row, keys)?);
    }
    Ok(sessions)
}

/// From now on this row is the provider's active one. What was overwritten in place has ended, and
/// can go now.
pub fn mark_active(transaction: &Transaction<'_>, provider: &str, row: i64) -> VaultResult<()> {
    transaction.execute(
        "DELETE FROM sessions WHERE provider = ?1 AND sealed = zeroblob(length(sealed))",
        [provider],
    )?;
    transaction.execute(
        "UPDATE sessions SET active = (row = ?2) WHERE provider = ?1",
        params![provider, row],
    )?;
    Ok(())
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
        transaction.execute("DELETE FROM sessions WHERE row = ?1", [row])?;
    }
    Ok(())
}

/// `None` for a session that was overwritten in place: it is ended, and no damage.
fn open(row: &Row<'_>, keys: &Keys) -> VaultResult<Option<Stored>> {
    let (id, provider, account): (String, String, String) = (row.get(1)?, row.get(2)?, row.get(3)?);
    let sealed = row.get_ref(4)?.as_blob().map_err(|_| VaultError::Damaged)?;
    if is_overwritten(sealed) {
        return Ok(None);
    }
    let place =
        Place { purpose: Purpose::Session, provider: &provider, account: &account, row: &id };
    let session: Session = keys.open(sealed, place).ok_or(VaultError::BadRow)?;
    let generation: i64 = row.get(5)?;
    if session.id == id && session.provider == provider && column(session.generation) == generation
    {
        Ok(Some(Stored { row: row.get(0)?, session, is_active: row.get::<_, i64>(6)? == 1 }))
    } else {
        Err(VaultError::BadRow)
    }
}

/// A generation as it is stored.
pub fn column(generation: u64) -> i64 {
    i64::try_from(generation).unwrap_or(i64::MAX)
}
