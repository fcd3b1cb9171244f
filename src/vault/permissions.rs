//! The viewer's word on which add-on may use which account.
//!
//! Kept under the service, not under its hosts: a provider file that names other hosts changes
//! nothing of who may use the account. Where there is no row, the viewer has not been asked.

use super::error::VaultResult;
use super::seal::{Keys, Purpose};
use super::table::{Owner, Record, Table};
use crate::clock::UnixTime;
use rusqlite::types::Value;
use rusqlite::{Connection, Row};
use serde::{Deserialize, Serialize};

/// An answer of the viewer's. Sealed as a whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Permission {
    pub addon: String,
    /// What the keys of the account's service begin with.
    pub service: String,
    pub account: String,
    pub is_allowed: bool,
    pub since: UnixTime,
}

impl Record for Permission {
    const TABLE: &'static str = "permissions";
    const PURPOSE: Purpose = Purpose::Permission;
    const COLUMNS: &'static [&'static str] = &[];
    type Sealed = Permission;

    fn sealed(&self) -> &Permission {
        self
    }

    fn owner(&self) -> Owner<'_> {
        Owner { session: &self.addon, provider: &self.service, account: &self.account }
    }

    fn columns(&self) -> Vec<Value> {
        Vec::new()
    }

    fn read(_: i64, permission: Permission, _: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(permission)
    }
}

pub struct Permissions<'a>(Table<'a, Permission>);

impl<'a> Permissions<'a> {
    pub fn new(connection: &'a Connection, keys: &'a Keys) -> Self {
        Permissions(Table::new(connection, keys))
    }

    /// The answers about one account, or about all; oldest first.
    pub fn list(&self, of: Option<(&str, &str)>) -> VaultResult<Vec<Permission>> {
        let (service, account) = of.unzip();
        let rest = "WHERE (?1 IS NULL OR provider = ?1) AND (?2 IS NULL OR account = ?2)
                    ORDER BY row";
        self.0.all(rest, [service, account])
    }

    /// The answer about this add-on.
    pub fn get(
        &self,
        service: &str,
        account: &str,
        addon: &str,
    ) -> VaultResult<Option<Permission>> {
        self.0.first(&format!("WHERE {THIS}"), [service, account, addon])
    }

    /// Stores an answer in place of an earlier one.
    pub fn set(&self, permission: &Permission) -> VaultResult<()> {
        let Permission { addon, service, account, .. } = permission;
        self.remove(service, account, addon)?;
        self.0.insert(None, permission).map(drop)
    }

    pub fn remove(&self, service: &str, account: &str, addon: &str) -> VaultResult<()> {
        self.0.delete(THIS, [service, account, addon]).map(drop)
    }

    /// Those of an account that is logged out.
    pub fn remove_all(&self, service: &str, account: &str) -> VaultResult<()> {
        self.0.delete("provider = ?1 AND account = ?2", [service, account]).map(drop)
    }
}

const THIS: &str = "provider = ?1 AND account = ?2 AND session = ?3";
