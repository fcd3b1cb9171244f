//! The audit trail, to which lines are only ever added, and how far each sink has read it.
//!
//! The newest 10,000 lines are kept. Trust the sequence numbers, not the times, for the order. No
//! line holds a secret or a control character. A sink is stored as the SHA-256 of its name, which
//! may be an address with a secret in it.

use super::error::VaultResult;
use crate::audit::{AuditEvent, Event, NewAuditEvent};
use crate::clock::{Clock, UnixTime};
use crate::redact;
use crate::wire::hex;
use ring::digest;
use rusqlite::{Connection, OptionalExtension, Params, Row, params};

/// The schema's trigger has the same number.
const KEPT: i64 = 10_000;

/// Longer texts are cut; ours are far shorter.
const LONGEST: usize = 500;

/// The columns of a line, in the order of `read`.
const COLUMNS: &str = "row, at, event, provider, account, outcome, detail";

pub struct AuditTrail<'a> {
    connection: &'a Connection,
    clock: &'a dyn Clock,
}

impl<'a> AuditTrail<'a> {
    pub fn new(connection: &'a Connection, clock: &'a dyn Clock) -> Self {
        AuditTrail { connection, clock }
    }

    /// Adds a line, and drops the oldest where there are too many.
    pub fn append(&self, event: &NewAuditEvent) -> VaultResult<()> {
        let seq = self.newest()? + 1;
        self.connection
            .prepare_cached(
                "INSERT INTO audit
                 (row, at, clock_known, event, provider, account, outcome, detail)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            )?
            .execute(params![
                seq,
                self.clock.now(),
                self.clock.is_known(),
                event.event.as_str(),
                escape(&event.provider),
                escape(&event.account),
                escape(&event.outcome),
                escape(&event.detail),
            ])?;
        self.connection
            .prepare_cached("DELETE FROM audit WHERE row <= ?1")?
            .execute([seq - KEPT])?;
        Ok(())
    }

    /// The newest `limit` lines, oldest first.
    pub fn list(&self, limit: usize) -> VaultResult<Vec<AuditEvent>> {
        let mut lines = self.select("ORDER BY row DESC LIMIT ?1", [count(limit)])?;
        lines.reverse();
        Ok(lines)
    }

    /// Up to `limit` lines after number `seq`, oldest first.
    pub fn after(&self, seq: i64, limit: usize) -> VaultResult<Vec<AuditEvent>> {
        self.select("WHERE row > ?1 ORDER BY row LIMIT ?2", [seq, count(limit)])
    }

    /// The lines that tell of `event`, oldest first.
    pub fn of(&self, event: Event) -> VaultResult<Vec<AuditEvent>> {
        self.select("WHERE event = ?1 ORDER BY row", [event.as_str()])
    }

    /// The number of the last line that the sink has taken; 0 for a new sink.
    pub fn acknowledged(&self, sink: &str) -> VaultResult<i64> {
        Ok(self.taken(&hash_of(sink))?.unwrap_or(0))
    }

    /// Notes that the sink has taken all lines up to `seq`, and returns how far it has got. A sink
    /// never goes back, and never ahead of the newest line.
    pub fn acknowledge(&self, sink: &str, seq: i64) -> VaultResult<i64> {
        let name = hash_of(sink);
        let before = self.taken(&name)?;
        let now = seq.min(self.newest()?).max(before.unwrap_or(0));
        let statement = match before {
            Some(_) => "UPDATE sinks SET seq = ?2 WHERE name = ?1",
            None => "INSERT INTO sinks (name, seq) VALUES (?1, ?2)",
        };
        self.connection.execute(statement, params![name, now])?;
        Ok(now)
    }

    /// The number of the newest line; 0 if there is none.
    pub fn newest(&self) -> VaultResult<i64> {
        let newest = "SELECT coalesce(max(row), 0) FROM audit";
        Ok(self.connection.prepare_cached(newest)?.query_row([], |row| row.get(0))?)
    }

    fn taken(&self, name: &str) -> VaultResult<Option<i64>> {
        let taken = "SELECT seq FROM sinks WHERE name = ?1";
        let mut statement = self.connection.prepare_cached(taken)?;
        Ok(statement.query_row([name], |row| row.get(0)).optional()?)
    }

    fn select(&self, rest: &str, params: impl Params) -> VaultResult<Vec<AuditEvent>> {
        let mut statement =
            self.connection.prepare_cached(&format!("SELECT {COLUMNS} FROM audit {rest}"))?;
        let lines = statement.query_map(params, read)?;
        Ok(lines.collect::<rusqlite::Result<_>>()?)
    }
}

/// The newest time written while the clock was known to be right.
pub fn newest_time(connection: &Connection) -> VaultResult<Option<UnixTime>> {
    Ok(connection
        .query_row("SELECT max(at) FROM audit WHERE clock_known = 1", [], |row| row.get(0))?)
}

fn read(row: &Row<'_>) -> rusqlite::Result<AuditEvent> {
    Ok(AuditEvent {
        seq: row.get(0)?,
        at: row.get(1)?,
        event: row.get(2)?,
        provider: row.get(3)?,
        account: row.get(4)?,
        outcome: row.get(5)?,
        detail: row.get(6)?,
    })
}

fn count(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

/// SHA-256, in hexadecimal digits.
fn hash_of(text: &str) -> String {
    hex(digest::digest(&digest::SHA256, text.as_bytes()).as_ref())
}

/// `text` on one line, with nothing hidden and of limited length.
fn escape(text: &str) -> String {
    let mut safe = redact::escape(text);
    if let Some((end, _)) = safe.char_indices().nth(LONGEST) {
        safe.truncate(end);
        safe.push('…');
    }
    safe
}
