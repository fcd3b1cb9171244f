//! Logouts that the server confirmed after the user had been told that it would be told later.
//!
//! Stored in the transaction that removes the outbox entry, and gone with the one that hands them
//! out: each is announced once, also when the process ended in between.

use super::error::VaultResult;
use super::seal::{Keys, Purpose};
use super::table::{Owner, Record, Table};
use crate::session::Account;
use rusqlite::types::Value;
use rusqlite::{Connection, Row};
use serde::{Deserialize, Serialize};

/// A logout that the server has confirmed. Sealed as a whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confirmation {
    pub session_id: String,
    /// The provider's key.
    pub provider: String,
    pub account: Account,
}

impl Record for Confirmation {
    const TABLE: &'static str = "confirmations";
    const PURPOSE: Purpose = Purpose::Confirmation;
    const COLUMNS: &'static [&'static str] = &[];
    type Sealed = Confirmation;

    fn sealed(&self) -> &Confirmation {
        self
    }

    fn owner(&self) -> Owner<'_> {
        Owner { session: &self.session_id, provider: &self.provider, account: &self.account.id }
    }

    fn columns(&self) -> Vec<Value> {
        Vec::new()
    }

    fn read(_: i64, confirmation: Confirmation, _: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(confirmation)
    }
}

pub struct Confirmations<'a>(Table<'a, Confirmation>);

impl<'a> Confirmations<'a> {
    pub fn new(connection: &'a Connection, keys: &'a Keys) -> Self {
        Confirmations(Table::new(connection, keys))
    }

    pub fn add(&self, confirmation: &Confirmation) -> VaultResult<()> {
        self.0.insert(None, confirmation).map(drop)
    }

    /// Oldest first.
    pub fn list(&self) -> VaultResult<Vec<Confirmation>> {
        self.0.all("ORDER BY row", [])
    }

    /// Removes and gives all of them, oldest first.
    pub fn take(&self) -> VaultResult<Vec<Confirmation>> {
        let taken = self.list()?;
        self.0.delete("TRUE", [])?;
        Ok(taken)
    }
}
