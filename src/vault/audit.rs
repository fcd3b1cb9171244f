//! The audit trail: lines are only ever added, each chained to the one before by its hash.
//!
//! The newest 10,000 are kept; the oldest kept line is where the chain starts. The sequence number
//! is the order to trust. No line holds a secret, and no line holds a control character.

use super::Vault;
use super::error::VaultResult;
use crate::audit::{AuditEvent, NewAuditEvent};
use crate::clock::{Clock, UnixTime};
use crate::error::Result;
use ring::digest;
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};
use std::fmt::Write;

//  hash = SHA-256(hash of the line before, or 32 zero bytes
//                 | seq: 8 | at: 8 | clock known: 8 | event | provider | account | outcome | detail)
//
//  Numbers are little-endian; each text is preceded by its length as eight bytes.

const NO_HASH: [u8; 32] = [0; 32];

/// The trigger in the schema holds the same number.
const KEPT: i64 = 10_000;

/// Longer texts are cut; ours are far shorter.
const LONGEST: usize = 500;

impl Vault {
    /// Adds a line to the trail.
    pub fn append(&self, record: &NewAuditEvent) -> Result<()> {
        self.write(|transaction, _| append(transaction, self.clock(), record))
    }

    /// The last `limit` lines, oldest first.
    pub fn trail(&self, limit: usize) -> Result<Vec<AuditEvent>> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let mut lines = self.read(|transaction, _| {
            let mut statement =
                transaction.prepare(&format!("{COLUMNS} ORDER BY row DESC LIMIT ?1"))?;
            let lines = statement.query_map([limit], |row| Stored::read(row).map(|s| s.line))?;
            Ok(lines.collect::<rusqlite::Result<Vec<_>>>()?)
        })?;
        lines.reverse();
        Ok(lines)
    }

    /// True when no line was changed, removed or put in between; `facts` tells it to `doctor`.
    #[cfg(test)]
    pub fn verify_trail(&self) -> Result<bool> {
        self.read(|transaction, _| verify(transaction))
    }
}

/// What `Stored::read` reads.
pub const COLUMNS: &str = "SELECT row, at, clock_known, event, provider, account, outcome, \
                           detail, hash FROM audit";

/// A line as it is stored.
pub struct Stored {
    pub line: AuditEvent,
    clock_known: bool,
    hash: Vec<u8>,
}

impl Stored {
    pub fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        let line = AuditEvent {
            seq: row.get(0)?,
            at: row.get(1)?,
            event: row.get(3)?,
            provider: row.get(4)?,
            account: row.get(5)?,
            outcome: row.get(6)?,
            detail: row.get(7)?,
        };
        Ok(Stored { line, clock_known: row.get::<_, i64>(2)? != 0, hash: row.get(8)? })
    }

    fn hash_after(&self, before: &[u8]) -> [u8; 32] {
        let AuditEvent { seq, at, event, provider, account, outcome, detail } = &self.line;
        let mut context = digest::Context::new(&digest::SHA256);
        context.update(before);
        for number in [*seq, *at, i64::from(self.clock_known)] {
            context.update(&number.to_le_bytes());
        }
        for text in [event, provider, account, outcome, detail] {
            context.update(&(text.len() as u64).to_le_bytes());
            context.update(text.as_bytes());
        }
        let mut hash = NO_HASH;
        hash.copy_from_slice(context.finish().as_ref());
        hash
    }
}

pub fn append(
    transaction: &Transaction<'_>,
    clock: &dyn Clock,
    record: &NewAuditEvent,
) -> VaultResult<()> {
    let (seq, _) = last(transaction)?;
    let line = AuditEvent {
        seq: seq + 1,
        at: clock.now(),
        event: record.event.as_str().to_owned(),
        provider: escape(&record.provider),
        account: escape(&record.account),
        outcome: escape(&record.outcome),
        detail: escape(&record.detail),
    };
    let stored = Stored { line, clock_known: clock.is_known(), hash: Vec::new() };
    insert(transaction, &stored)?;
    transaction.execute("DELETE FROM audit WHERE row <= ?1", [seq + 1 - KEPT])?;
    Ok(())
}

/// Adds a line at the end, with its own number and a hash that continues the chain.
pub fn insert(transaction: &Transaction<'_>, stored: &Stored) -> VaultResult<()> {
    let (seq, before) = last(transaction)?;
    let line = &stored.line;
    if line.seq <= seq {
        return Ok(());
    }
    transaction.execute(
        "INSERT INTO audit
         (row, at, clock_known, event, provider, account, outcome, detail, hash)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        params![
            line.seq,
            line.at,
            i64::from(stored.clock_known),
            line.event,
            line.provider,
            line.account,
            line.outcome,
            line.detail,
            stored.hash_after(&before)
        ],
    )?;
    Ok(())
}

/// At most `limit` lines that come after that one, oldest first.
pub fn after(connection: &Connection, seq: i64, limit: usize) -> VaultResult<Vec<AuditEvent>> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let mut statement =
        connection.prepare(&format!("{COLUMNS} WHERE row > ?1 ORDER BY row LIMIT ?2"))?;
    let lines = statement.query_map([seq, limit], |row| Stored::read(row).map(|s| s.line))?;
    Ok(lines.collect::<rusqlite::Result<_>>()?)
}

/// The number of the newest line; 0 where there is none.
pub fn newest(connection: &Connection) -> VaultResult<i64> {
    Ok(last(connection)?.0)
}

/// The newest time that was written while the clock was known to be right.
pub fn newest_time(connection: &Connection) -> VaultResult<Option<UnixTime>> {
    Ok(connection
        .query_row("SELECT max(at) FROM audit WHERE clock_known = 1", [], |row| row.get(0))?)
}

pub fn verify(connection: &Connection) -> VaultResult<bool> {
    let mut statement = connection.prepare(&format!("{COLUMNS} ORDER BY row"))?;
    let mut before: Option<Stored> = None;
    for stored in statement.query_map([], Stored::read)? {
        let stored = stored?;
        let holds = match &before {
            Some(before) => stored.hash == stored.hash_after(&before.hash),
            // Only the very first line has a known beginning.
            None => stored.line.seq > 1 || stored.hash == stored.hash_after(&NO_HASH),
        };
        if !holds {
            return Ok(false);
        }
        before = Some(stored);
    }
    Ok(true)
}

fn last(connection: &Connection) -> VaultResult<(i64, Vec<u8>)> {
    Ok(connection
        .query_row("SELECT row, hash FROM audit ORDER BY row DESC LIMIT 1", [], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .optional()?
        .unwrap_or_else(|| (0, NO_HASH.to_vec())))
}

/// A text that cannot break a line, hide a part of it, or fill the disk.
fn escape(text: &str) -> String {
    let mut safe = String::new();
    for character in text.chars() {
        if safe.len() >= LONGEST {
            safe.push('…');
            break;
        }
        let hidden = matches!(character, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}');
        if character.is_control() || hidden {
            // Writing to a String does not fail.
            let _ = write!(safe, "\\u{{{:x}}}", u32::from(character));
        } else {
            safe.push(character);
        }
    }
    safe
}
