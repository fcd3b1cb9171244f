//! What is left to do on this device after a logout: stored with it, handed out once, and removed
//! when it is done.
//!
//! A task that was handed out is not handed out again, whatever became of whoever took it: it is done
//! at most once. What a task means is not known here.

use super::error::{VaultError, VaultResult};
use super::seal::{Keys, Place, Purpose};
use super::{Vault, audit};
use crate::audit::NewAuditEvent;
use crate::clock::UnixTime;
use crate::error::Result;
use crate::secret::Secret;
use crate::session::Session;
use rusqlite::{Connection, Row, Transaction, params};
use serde::{Deserialize, Serialize};

/// The kind that is handed out by its name only, to whoever has a function of that name.
const HOOK: &str = "hook";

/// No task runs as long as this, in seconds: a task that was taken so far ahead was taken before the
/// clock was set back.
const ABSURD: i64 = 24 * 3600;

/// One thing to do. Sealed as a whole; kind and name are readable as well.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Task {
    pub kind: String,
    pub name: String,
    /// What is needed to do it.
    #[serde(with = "crate::secret::sealed")]
    pub payload: Secret,
}

/// A task that was handed out, and the session after which it is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TakenTask {
    pub id: i64,
    pub session_id: String,
    pub provider: String,
    /// The account's id.
    pub account: String,
    pub task: Task,
}

const COLUMNS: &str = "SELECT row, session, provider, account, kind, name, sealed FROM tasks";

impl Vault {
    /// Hands the waiting tasks of these kinds out, oldest first; of the kind "hook" only those whose
    /// name is in `hooks`. Nobody gets them again, in any process.
    pub fn take_tasks(&self, kinds: &[&str], hooks: &[String]) -> Result<Vec<TakenTask>> {
        let is_wanted = |kind: &str, name: &str| {
            kinds.contains(&kind) && (kind != HOOK || hooks.iter().any(|hook| hook == name))
        };
        if self.read(|transaction, _| Ok(waiting(transaction, &is_wanted)?.is_empty()))? {
            return Ok(Vec::new());
        }
        self.write(|transaction, keys| {
            let mut taken = Vec::new();
            for row in waiting(transaction, &is_wanted)? {
                taken.push(load(transaction, keys, row)?);
                transaction.execute(
                    "UPDATE tasks SET taken_at = ?2 WHERE row = ?1",
                    [row, self.clock().now()],
                )?;
            }
            Ok(taken)
        })
    }

    /// Removes a task that was handed out, and writes its line. False, and no line, when it is not
    /// there any more.
    pub fn finish_task(&self, id: i64, record: &NewAuditEvent) -> Result<bool> {
        self.write(|transaction, _| {
            let removed = transaction
                .execute("DELETE FROM tasks WHERE row = ?1 AND taken_at IS NOT NULL", [id])?;
            if removed > 0 {
                audit::append(transaction, self.clock(), record)?;
            }
            Ok(removed > 0)
        })
    }

    /// Removes the tasks that were handed out before that time and not finished, writes a line for
    /// each, and gives them: whoever took them did not live to say what became of them.
    pub fn abandon_tasks(
        &self,
        before: UnixTime,
        record_for: &mut dyn FnMut(&TakenTask) -> NewAuditEvent,
    ) -> Result<Vec<TakenTask>> {
        let absurd = self.clock().now().saturating_add(ABSURD);
        if self.read(|transaction, _| Ok(overdue(transaction, before, absurd)?.is_empty()))? {
            return Ok(Vec::new());
        }
        self.write(|transaction, keys| {
            let mut abandoned = Vec::new();
            for row in overdue(transaction, before, absurd)? {
                let task = load(transaction, keys, row)?;
                transaction.execute("DELETE FROM tasks WHERE row = ?1", [row])?;
                audit::append(transaction, self.clock(), &record_for(&task))?;
                abandoned.push(task);
            }
            Ok(abandoned)
        })
    }

    /// How many tasks of other kinds are not finished, taken or not.
    pub fn unfinished_tasks(&self, but: &str) -> Result<u64> {
        self.read(|transaction, _| {
            let count: i64 = transaction.query_row(
                "SELECT count(*) FROM tasks WHERE kind <> ?1",
                [but],
                |row| row.get(0),
            )?;
            Ok(u64::try_from(count).unwrap_or(0))
        })
    }

    /// True when a task of these kinds is there that nobody has taken yet.
    pub fn has_waiting(&self, kinds: &[&str]) -> Result<bool> {
        let is_wanted = |kind: &str, _: &str| kinds.contains(&kind);
        self.read(|transaction, _| Ok(!waiting(transaction, &is_wanted)?.is_empty()))
    }

    /// How many tasks nobody has taken yet.
    #[cfg(test)]
    pub fn waiting_tasks(&self) -> Result<u64> {
        self.read(|transaction, _| {
            let count: i64 = transaction.query_row(
                "SELECT count(*) FROM tasks WHERE taken_at IS NULL",
                [],
                |row| row.get(0),
            )?;
            Ok(u64::try_from(count).unwrap_or(0))
        })
    }
}

pub fn insert(
    transaction: &Transaction<'_>,
    keys: &Keys,
    session: &Session,
    task: &Task,
) -> VaultResult<()> {
    let Session { id, provider, account, .. } = session;
    let sealed = keys.seal(task, place(id, provider, &account.id))?;
    transaction.execute(
        "INSERT INTO tasks (session, provider, account, kind, name, sealed)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        params![id, provider, account.id, task.kind, task.name, sealed],
    )?;
    Ok(())
}

pub fn delete_unreadable(transaction: &Transaction<'_>, keys: &Keys) -> VaultResult<()> {
    let mut bad = Vec::new();
    let mut statement = transaction.prepare(COLUMNS)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        if open(row, keys).is_err() {
            bad.push(row.get::<_, i64>(0)?);
        }
    }
    for row in bad {
        transaction.execute("DELETE FROM tasks WHERE row = ?1", [row])?;
    }
    Ok(())
}

fn place<'a>(session: &'a str, provider: &'a str, account: &'a str) -> Place<'a> {
    Place { purpose: Purpose::Task, provider, account, row: session }
}

fn waiting(
    connection: &Connection,
    is_wanted: &dyn Fn(&str, &str) -> bool,
) -> VaultResult<Vec<i64>> {
    let mut statement = connection
        .prepare_cached("SELECT row, kind, name FROM tasks WHERE taken_at IS NULL ORDER BY row")?;
    let mut rows = statement.query([])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let (number, kind, name): (i64, String, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
        if is_wanted(&kind, &name) {
            found.push(number);
        }
    }
    Ok(found)
}

fn overdue(connection: &Connection, before: UnixTime, absurd: UnixTime) -> VaultResult<Vec<i64>> {
    let mut statement = connection.prepare_cached(
        "SELECT row FROM tasks WHERE taken_at < ?1 OR taken_at > ?2 ORDER BY row",
    )?;
    let rows = statement.query_map([before, absurd], |row| row.get(0))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

fn load(connection: &Connection, keys: &Keys, row: i64) -> VaultResult<TakenTask> {
    let mut statement = connection.prepare_cached(&format!("{COLUMNS} WHERE row = ?1"))?;
    let mut rows = statement.query([row])?;
    open(rows.next()?.ok_or(VaultError::Damaged)?, keys)
}

fn open(row: &Row<'_>, keys: &Keys) -> VaultResult<TakenTask> {
    let (session_id, provider, account): (String, String, String) =
        (row.get(1)?, row.get(2)?, row.get(3)?);
    let (kind, name): (String, String) = (row.get(4)?, row.get(5)?);
    let sealed = row.get_ref(6)?.as_blob().map_err(|_| VaultError::Damaged)?;
    let task: Task =
        keys.open(sealed, place(&session_id, &provider, &account)).ok_or(VaultError::BadRow)?;
    if task.kind != kind || task.name != name {
        return Err(VaultError::BadRow);
    }
    Ok(TakenTask { id: row.get(0)?, session_id, provider, account, task })
}
