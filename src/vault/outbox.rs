//! The outbox: revocations that the server has not confirmed yet.
//!
//! Stores entries with their schedule, and removes each exactly once; when and how often they are
//! tried is decided elsewhere. The sealed part has its own key and cannot restore a session.
//!
//! At most 1,000 entries wait. One more displaces the oldest that the server refuses, or else the
//! oldest unconfirmed one, or else the oldest; the audit trail says so.

use super::audit::AuditTrail;
use super::error::VaultResult;
use super::seal::{Keys, Purpose};
use super::table::{Owner, Record, Table};
use crate::audit::{Event, NewAuditEvent};
use crate::clock::{Clock, Rest};
use crate::session::{Outcome, Revocation};
use rusqlite::types::Value;
use rusqlite::{Connection, Row};

/// The most that wait at once.
const CAP: u64 = 1_000;

/// A revocation that waits for the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutboxEntry {
    pub id: i64,
    pub revocation: Revocation,
    pub attempts: u32,
    /// How many of the attempts the server has refused for good.
    pub refusals: u32,
    pub next_attempt: Rest,
    /// `None`: it has not been tried.
    pub last_outcome: Option<Outcome>,
}

impl Record for OutboxEntry {
    const TABLE: &'static str = "outbox";
    const PURPOSE: Purpose = Purpose::Outbox;
    const COLUMNS: &'static [&'static str] =
        &["attempts", "refusals", "host", "next_attempt_at", "pause", "last_outcome"];
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
            self.revocation.host.clone().into(),
            self.next_attempt.until.into(),
            self.next_attempt.length.into(),
            self.last_outcome.map_or("", Outcome::as_str).to_owned().into(),
        ]
    }

    fn read(number: i64, revocation: Revocation, row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(OutboxEntry {
            id: number,
            revocation,
            attempts: row.get("attempts")?,
            refusals: row.get("refusals")?,
            next_attempt: Rest { until: row.get("next_attempt_at")?, length: row.get("pause")? },
            last_outcome: Outcome::named(row.get_ref("last_outcome")?.as_str()?),
        })
    }
}

/// When an entry may be tried, and where it goes.
pub struct Waiting {
    pub id: i64,
    pub host: String,
    pub next_attempt: Rest,
}

pub struct Outbox<'a> {
    table: Table<'a, OutboxEntry>,
    audit: AuditTrail<'a>,
}

impl<'a> Outbox<'a> {
    pub fn new(connection: &'a Connection, keys: &'a Keys, clock: &'a dyn Clock) -> Self {
        let audit = AuditTrail::new(connection, clock);
        Outbox { table: Table::new(connection, keys), audit }
    }

    /// Puts a revocation into the outbox. If the session already has an entry, it gets the newer
    /// credentials and keeps its schedule, its host, and what was promised of it.
    pub fn enqueue(&self, revocation: &Revocation) -> VaultResult<OutboxEntry> {
        let mut revocation = revocation.clone();
        if let Some(old) = self.table.first("WHERE session = ?1", [&revocation.session_id])? {
            revocation.host.clone_from(&old.revocation.host);
            revocation.promised_to = revocation.promised_to.or(old.revocation.promised_to.clone());
            let entry = OutboxEntry { revocation, ..old };
            self.table.update(entry.id, &entry)?;
            return Ok(entry);
        }
        if self.count(None)? >= CAP {
            self.drop_one()?;
        }
        let (until, asked) = (revocation.first_attempt_at, revocation.created_at);
        let mut entry = OutboxEntry {
            id: 0,
            next_attempt: Rest { until, length: until.saturating_sub(asked) },
            revocation,
            attempts: 0,
            refusals: 0,
            last_outcome: None,
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

    /// When each entry may be tried; the one whose time comes first is the first.
    pub fn waiting(&self) -> VaultResult<Vec<Waiting>> {
        let statement = "SELECT row, host, next_attempt_at, pause FROM outbox";
        let mut statement = self.table.connection.prepare_cached(statement)?;
        let waiting = statement.query_map([], |row| {
            let next_attempt = Rest { until: row.get(2)?, length: row.get(3)? };
            Ok(Waiting { id: row.get(0)?, host: row.get(1)?, next_attempt })
        })?;
        let mut waiting = waiting.collect::<rusqlite::Result<Vec<_>>>()?;
        waiting.sort_by_key(|one| (one.next_attempt.until, one.id));
        Ok(waiting)
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
        let oldest = "ORDER BY CASE last_outcome WHEN 'rejected' THEN 0 WHEN 'unconfirmed' THEN 1
            ELSE 2 END, row LIMIT 1";
        let Some(entry) = self.table.first(oldest, [])? else { return Ok(()) };
        self.delete(&entry)?;
        let Revocation { provider, account, .. } = &entry.revocation;
        let outcome = entry.last_outcome.map_or("", Outcome::as_str);
        let event = NewAuditEvent::new(Event::RevocationDropped, provider, account, outcome);
        self.audit.append(&event.with_detail(&format!("more than {CAP} logouts wait")))
    }
}
