//! Eras: the time between two logouts at a provider. A login that began in an earlier era than the
//! present one has lost to a logout, in whichever process that was.

use super::error::VaultResult;
use super::seal::Keys;
use rusqlite::{Connection, params};

/// In the place of a provider; none is called that.
const EVERYWHERE: &str = "";

/// Which logout came last. Another vault has other eras.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Era {
    vault: String,
    number: i64,
}

pub struct Eras<'a> {
    connection: &'a Connection,
    keys: &'a Keys,
}

impl<'a> Eras<'a> {
    pub fn new(connection: &'a Connection, keys: &'a Keys) -> Self {
        Eras { connection, keys }
    }

    pub fn present(&self, provider: &str) -> VaultResult<Era> {
        let number = self.logouts(provider)? + self.logouts(EVERYWHERE)?;
        Ok(Era { vault: self.keys.vault().to_owned(), number })
    }

    /// A logout: no login that has begun until now is stored.
    pub fn begin(&self, provider: &str) -> VaultResult<()> {
        let number = self.logouts(provider)?;
        self.connection.execute("DELETE FROM eras WHERE provider = ?1", [provider])?;
        let insert = "INSERT INTO eras (provider, number) VALUES (?1, ?2)";
        self.connection.execute(insert, params![provider, number + 1])?;
        Ok(())
    }

    /// The same, at every provider.
    pub fn begin_everywhere(&self) -> VaultResult<()> {
        self.begin(EVERYWHERE)
    }

    fn logouts(&self, provider: &str) -> VaultResult<i64> {
        let statement = "SELECT coalesce(max(number), 0) FROM eras WHERE provider = ?1";
        Ok(self.connection.prepare_cached(statement)?.query_row([provider], |row| row.get(0))?)
    }
}
