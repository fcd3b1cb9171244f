//! The sessions from elsewhere that have ended here, by their fingerprints: what cannot be deleted
//! where it was kept comes again, and must not log anybody in.

use super::error::VaultResult;
use rusqlite::{Connection, params};

/// So many of the newest are kept.
const MOST: i64 = 1000;

pub struct Handovers<'a> {
    connection: &'a Connection,
}

impl<'a> Handovers<'a> {
    pub fn new(connection: &'a Connection) -> Self {
        Handovers { connection }
    }

    pub fn has_ended(&self, fingerprint: &str) -> VaultResult<bool> {
        let select = "SELECT count(*) > 0 FROM handovers WHERE fingerprint = ?1";
        Ok(self.connection.query_row(select, [fingerprint], |row| row.get(0))?)
    }

    pub fn end(&self, fingerprint: &str) -> VaultResult<()> {
        self.connection.execute("DELETE FROM handovers WHERE fingerprint = ?1", [fingerprint])?;
        let insert = "INSERT INTO handovers (fingerprint) VALUES (?1)";
        self.connection.execute(insert, [fingerprint])?;
        let oldest = "DELETE FROM handovers WHERE row <= (SELECT max(row) FROM handovers) - ?1";
        self.connection.execute(oldest, params![MOST])?;
        Ok(())
    }
}
