//! The outbox: revocations that the server has not confirmed yet.
//!
//! Stores entries, finds those that are due, and removes each exactly once; when and how often they
//! are tried is decided elsewhere. The sealed part has its own key and cannot restore a session.
//!
//! At most 1,000 entries wait. One more displaces the oldest that the server refuses or that is
//! settled, or else the oldest unconfirmed one, or else the oldest; the audit trail says so.

use super::audit::AuditTrail;
use super::error::VaultResult;
use super::seal::{Keys, Purpose};
use super::table::{Owner, Record, Table};
use crate::audit::{Event, NewAuditEvent};
use crate::clock::{Clock, UnixTime};
use crate::session::{Outcome, Revocation};
use rusqlite::types::Value;
use rusqlite::{Connection, Row};
use std::collections::BTreeMap;

/// The most that wait at once.
const CAP: u64 = 1_000;

/// Seconds. No delay is this long: the time is damaged, or the clock has been set since.
const ABSURD: i64 = 2 * 24 * 3600;

/// A revocation that waits for the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutboxEntry {
    pub id: i64,
    pub revocation: Revocation,
    pub attempts: u32,
    /// How many of the attempts the server has refused for good.
    pub refusals: u32,
    pub next_attempt_at: UnixTime,
    /// `None`: it has not been tried.
    pub last_outcome: Option<Outcome>,
    /// True when no answer can change the outcome any more: it is not sent again, and waits for
    /// its expiry.
    pub is_settled: bool,
}

impl Record for OutboxEntry {
    const TABLE: &'static str = "outbox";
    const PURPOSE: Purpose = Purpose::Outbox;
    const COLUMNS: &'static [&'static str] =
        &["attempts", "refusals", "next_attempt_at", "last_outcome", "is_settled"];
    type Sealed = Revocation;

    fn sealed(&self) -> &Revocation {
        &self.revocation
    }

    fn owner(&self) -> Owner<'_> {
        let Revocation { session_id, provider, account, .. } = &self.revocation;
        Owner { session: session_id, provider, account }
    }

    fn columns(&self) -> Vec<Value> {
        vec![
            i64::from(self.attempts).into(),
            i64::from(self.refusals).into(),
            self.next_attempt_at.into(),
            self.last_outcome.map_or("", Outcome::as_str).to_owned().into(),
            self.is_settled.into(),
        ]
    }

    fn read(number: i64, revocation: Revocation, row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(OutboxEntry {
            id: number,
            revocation,
            attempts: row.get("attempts")?,
            refusals: row.get("refusals")?,
            next_attempt_at: row.get("next_attempt_at")?,
            last_outcome: Outcome::named(row.get_ref("last_outcome")?.as_str()?),
            is_settled: row.get("is_settled")?,
        })
    }
}

pub struct Outbox<'a> {
    table: Table<'a, OutboxEntry>,
    audit: AuditTrail<'a>,
    clock: &'a dyn Clock,
}

impl<'a> Outbox<'a> {
    pub fn new(connection: &'a Connection, keys: &'a Keys, clock: &'a dyn Clock) -> Self {
        let audit = AuditTrail::new(connection, clock);
        Outbox { table: Table::new(connection, keys), audit, clock }
    }

    /// Puts a revocation into the outbox. If the session already has an entry, it gets the newer
    /// credentials, with which it can be sent again, and keeps its schedule.
    pub fn enqueue(&self, revocation: &Revocation) -> VaultResult<OutboxEntry> {
        let revocation = revocation.clone();
        if let Some(old) = self.table.first("WHERE session = ?1", [&revocation.session_id])? {
            let is_settled = old.is_settled && old.revocation == revocation;
            let entry = OutboxEntry { revocation, is_settled, ..old };
            self.table.update(entry.id, &entry)?;
            return Ok(entry);
        }
        if self.count(None)? >= CAP {
            self.drop_one()?;
        }
        let mut entry = OutboxEntry {
            id: 0,
            next_attempt_at: revocation.first_attempt_at,
            revocation,
            attempts: 0,
            refusals: 0,
            last_outcome: None,
            is_settled: false,
        };
        entry.id = self.table.insert(None, &entry)?;
        Ok(entry)
    }

    pub fn get(&self, id: i64) -> VaultResult<Option<OutboxEntry>> {
        self.table.first("WHERE row = ?1", [id])
    }

    /// All entries, oldest first.
    pub fn list(&self) -> VaultResult<Vec<OutboxEntry>> {
        self.table.all("ORDER BY row", [])
    }

    /// The entries that are due, the longest overdue first, except of the providers in `held_back`.
    pub fn due(
        &self,
        now: UnixTime,
        limit: usize,
        held_back: &[String],
    ) -> VaultResult<Vec<OutboxEntry>> {
        let mut due = self.times()?;
        due.retain(|(at, _, provider)| {
            (*at <= now || is_absurd(*at, now)) && !held_back.contains(provider)
        });
        due.sort_unstable();
        due.truncate(limit);
        let entries = due.into_iter().map(|(_, id, _)| self.get(id));
        Ok(entries.collect::<VaultResult<Vec<_>>>()?.into_iter().flatten().collect())
    }

    /// When the next entry is due; in the past if one is overdue. Entries of a provider in
    /// `held_back` are not due before the time given there.
    pub fn next_due(
        &self,
        held_back: &BTreeMap<String, UnixTime>,
    ) -> VaultResult<Option<UnixTime>> {
        let now = self.clock.now();
        let times = self.times()?.into_iter().map(|(at, _, provider)| {
            let until = held_back.get(&provider).copied().unwrap_or(i64::MIN);
            (if is_absurd(at, now) { now } else { at }).max(until)
        });
        Ok(times.min())
    }

    /// Stores only the entry's schedule. Does nothing if the entry is gone.
    pub fn postpone(&self, entry: &OutboxEntry) -> VaultResult<()> {
        self.table.update_columns(entry.id, entry)
    }

    /// False if somebody else has removed it.
    pub fn delete(&self, entry: &OutboxEntry) -> VaultResult<bool> {
        Ok(self.table.delete("row = ?1", [entry.id])? > 0)
    }

    /// How many entries wait, for one provider or for all.
    pub fn count(&self, provider: Option<&str>) -> VaultResult<u64> {
        let statement = "SELECT count(*) FROM outbox WHERE ?1 IS NULL OR provider = ?1";
        let mut statement = self.table.connection.prepare_cached(statement)?;
        Ok(statement.query_row([provider], |row| row.get(0))?)
    }

    fn drop_one(&self) -> VaultResult<()> {
        let oldest = "ORDER BY CASE WHEN is_settled OR last_outcome = 'rejected' THEN 0
            WHEN last_outcome = 'unconfirmed' THEN 1 ELSE 2 END, row LIMIT 1";
        let Some(entry) = self.table.first(oldest, [])? else { return Ok(()) };
        self.delete(&entry)?;
        let Revocation { provider, account, .. } = &entry.revocation;
        let outcome = entry.last_outcome.map_or("", Outcome::as_str);
        let event = NewAuditEvent::new(Event::RevocationDropped, provider, account, outcome);
        self.audit.append(&event.with_detail(&format!("more than {CAP} logouts wait")))
    }

    /// When each entry is due, its number, and its provider.
    fn times(&self) -> VaultResult<Vec<(UnixTime, i64, String)>> {
        let statement = "SELECT next_attempt_at, row, provider FROM outbox";
        let mut statement = self.table.connection.prepare_cached(statement)?;
        let times = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
        Ok(times.collect::<rusqlite::Result<_>>()?)
    }
}

fn is_absurd(at: UnixTime, now: UnixTime) -> bool {
    at > now.saturating_add(ABSURD)
}
