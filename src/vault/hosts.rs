//! The hosts that are left alone for a while, because they asked for it or were not reached.
//!
//! Plain: it is a schedule, which decides nothing but when. How long a rest is, is decided elsewhere.

use super::error::VaultResult;
use crate::clock::Rest;
use rusqlite::{Connection, OptionalExtension, params};
use std::collections::HashMap;

pub struct Hosts<'a> {
    connection: &'a Connection,
}

impl<'a> Hosts<'a> {
    pub fn new(connection: &'a Connection) -> Self {
        Hosts { connection }
    }

    /// The hosts that have failed since they last answered, each with its rest.
    pub fn resting(&self) -> VaultResult<HashMap<String, Rest>> {
        let mut statement =
            self.connection.prepare_cached("SELECT host, until, pause FROM hosts")?;
        let rests = statement.query_map([], |row| {
            Ok((row.get(0)?, Rest { until: row.get(1)?, length: row.get(2)? }))
        })?;
        Ok(rests.collect::<rusqlite::Result<_>>()?)
    }

    /// Counts one more failure of `host`, which then rests as `rest_after` that many says.
    pub fn hold(&self, host: &str, rest_after: impl FnOnce(u32) -> Rest) -> VaultResult<Rest> {
        let failures: Option<u32> = self
            .connection
            .prepare_cached("SELECT max(failures) FROM hosts WHERE host = ?1")?
            .query_row([host], |row| row.get(0))
            .optional()?
            .flatten();
        let failures = failures.unwrap_or(0).saturating_add(1);
        let rest = rest_after(failures);
        self.release(host)?;
        self.connection
            .prepare_cached("DELETE FROM hosts WHERE host NOT IN (SELECT host FROM outbox)")?
            .execute([])?;
        self.connection
            .prepare_cached(
                "INSERT INTO hosts (host, failures, until, pause) VALUES (?1, ?2, ?3, ?4)",
            )?
            .execute(params![host, failures, rest.until, rest.length])?;
        Ok(rest)
    }

    /// The host has answered.
    pub fn release(&self, host: &str) -> VaultResult<()> {
        self.connection.prepare_cached("DELETE FROM hosts WHERE host = ?1")?.execute([host])?;
        Ok(())
    }
}
