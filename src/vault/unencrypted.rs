//! The addresses in the viewer's own network that she has agreed to reach without encryption.

use super::error::VaultResult;
use rusqlite::{Connection, params};
use std::collections::BTreeSet;

pub struct Unencrypted<'a> {
    connection: &'a Connection,
}

impl<'a> Unencrypted<'a> {
    pub fn new(connection: &'a Connection) -> Self {
        Unencrypted { connection }
    }

    /// Each as "http://HOST:PORT".
    pub fn all(&self) -> VaultResult<BTreeSet<String>> {
        let mut statement = self.connection.prepare_cached("SELECT address FROM unencrypted")?;
        let addresses = statement.query_map([], |row| row.get(0))?;
        Ok(addresses.collect::<rusqlite::Result<_>>()?)
    }

    pub fn allow(&self, address: &str) -> VaultResult<()> {
        self.withdraw(address)?;
        let insert = "INSERT INTO unencrypted (address) VALUES (?1)";
        self.connection.execute(insert, params![address])?;
        Ok(())
    }

    pub fn withdraw(&self, address: &str) -> VaultResult<()> {
        self.connection.execute("DELETE FROM unencrypted WHERE address = ?1", [address])?;
        Ok(())
    }
}
