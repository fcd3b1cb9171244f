//! Which entries of the outbox are due, and when the next one is.
//!
//! The providers are looked at one by one through the index, so it does not matter how many entries
//! wait. Why a provider is held back is not known here.

use super::error::VaultResult;
use super::outbox::OutboxEntry;
use super::{Vault, outbox};
use crate::clock::UnixTime;
use crate::error::Result;
use rusqlite::{Connection, params};
use std::collections::BTreeMap;

/// No delay is as long as this, in seconds: such a time is damage, or the clock was set since.
const ABSURD: i64 = 2 * 24 * 3600;

/// Each provider, with one step in the index for each; `UNION`, so that a damaged index ends it too.
const PROVIDERS: &str = "
    WITH RECURSIVE providers (name) AS (
        SELECT min(provider) FROM outbox
        UNION
        SELECT (SELECT min(provider) FROM outbox WHERE provider > name)
        FROM providers WHERE name IS NOT NULL)
    SELECT name,
        (SELECT min(next_attempt_at) FROM outbox WHERE provider = name),
        (SELECT max(next_attempt_at) FROM outbox WHERE provider = name)
    FROM providers WHERE name IS NOT NULL";

impl Vault {
    /// What is due now, the longest overdue first; nothing of the providers in `held`.
    pub fn due(&self, now: UnixTime, limit: usize, held: &[String]) -> Result<Vec<OutboxEntry>> {
        self.read(|transaction, keys| {
            let mut due = Vec::new();
            for provider in providers(transaction)?.into_iter().map(|provider| provider.name) {
                if !held.contains(&provider) {
                    due.extend(due_of(transaction, &provider, now, limit)?);
                }
            }
            due.sort_unstable();
            due.truncate(limit);
            let rows: Vec<i64> = due.into_iter().map(|(_, row)| row).collect();
            outbox::load_rows(transaction, keys, &rows)
        })
    }

    /// When the next entry is due, in the past if one is overdue; those of a provider in `held` not
    /// before the time that is given there.
    pub fn next_due(&self, held: &BTreeMap<String, UnixTime>) -> Result<Option<UnixTime>> {
        let now = self.clock().now();
        self.read(|transaction, _| {
            let times = providers(transaction)?.into_iter().map(|provider| {
                let until = held.get(&provider.name).copied().unwrap_or(i64::MIN);
                provider.next(now).max(until)
            });
            Ok(times.min())
        })
    }
}

struct Provider {
    name: String,
    first: UnixTime,
    last: UnixTime,
}

impl Provider {
    fn next(&self, now: UnixTime) -> UnixTime {
        if self.last > absurd(now) { self.first.min(now) } else { self.first }
    }
}

fn providers(connection: &Connection) -> VaultResult<Vec<Provider>> {
    let mut statement = connection.prepare_cached(PROVIDERS)?;
    let rows = statement.query_map([], |row| {
        Ok(Provider { name: row.get(0)?, first: row.get(1)?, last: row.get(2)? })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Times and rows of what is due at one provider, the longest overdue first.
fn due_of(
    connection: &Connection,
    provider: &str,
    now: UnixTime,
    limit: usize,
) -> VaultResult<Vec<(UnixTime, i64)>> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let mut found = Vec::new();
    for (from, to) in [(i64::MIN, now), (absurd(now).saturating_add(1), i64::MAX)] {
        let mut statement = connection.prepare_cached(
            "SELECT next_attempt_at, row FROM outbox
             WHERE provider = ?1 AND next_attempt_at BETWEEN ?2 AND ?3
             ORDER BY next_attempt_at, row LIMIT ?4",
        )?;
        let rows = statement
            .query_map(params![provider, from, to, limit], |row| Ok((row.get(0)?, row.get(1)?)))?;
        found.extend(rows.collect::<rusqlite::Result<Vec<_>>>()?);
    }
    Ok(found)
}

fn absurd(now: UnixTime) -> UnixTime {
    now.saturating_add(ABSURD)
}
