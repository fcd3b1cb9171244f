//! What is outside of the vault and follows the audit trail: how far each sink has taken it.
//!
//! A sink is known by the SHA-256 of its name: the name may be an address that holds a secret.

use super::definitions::hash_of;
use super::error::VaultResult;
use super::{Vault, audit};
use crate::audit::AuditEvent;
use crate::error::Result;
use rusqlite::{Connection, OptionalExtension, params};

impl Vault {
    /// The next lines that the sink has not taken, oldest first. A new sink begins with the oldest
    /// that is kept; one that is far behind misses what has been shortened away since.
    pub fn trail_after(&self, sink: &str, limit: usize) -> Result<Vec<AuditEvent>> {
        let name = hash_of(sink);
        self.read(|transaction, _| {
            let seq = taken(transaction, &name)?.unwrap_or(0);
            audit::after(transaction, seq, limit)
        })
    }

    /// Notes that the sink has taken the lines up to that one, and gives the line up to which it has:
    /// never an earlier one than before, and none that is not written yet.
    pub fn taken_by(&self, sink: &str, seq: i64) -> Result<i64> {
        let name = hash_of(sink);
        self.write(|transaction, _| {
            let before = taken(transaction, &name)?;
            let now = seq.min(audit::newest(transaction)?).max(before.unwrap_or(0));
            let statement = match before {
                Some(_) => "UPDATE sinks SET seq = ?2 WHERE name = ?1",
                None => "INSERT INTO sinks (name, seq) VALUES (?1, ?2)",
            };
            transaction.execute(statement, params![name, now])?;
            Ok(now)
        })
    }
}

fn taken(connection: &Connection, name: &str) -> VaultResult<Option<i64>> {
    let mut statement = connection.prepare_cached("SELECT seq FROM sinks WHERE name = ?1")?;
    Ok(statement.query_row([name], |row| row.get(0)).optional()?)
}
