//! What is left to do on this device after a logout: stored with it, kept until finished.
//!
//! Nobody reserves a task. The one who runs it marks it finished, and a task that a crash
//! interrupts runs again, so each runs at least once. This module does not know what a task means.

use super::error::VaultResult;
use super::seal::{Keys, Purpose};
use super::table::{Owner, Record, Table};
use crate::secret::Secret;
use rusqlite::types::Value;
use rusqlite::{Connection, Row};
use serde::{Deserialize, Serialize};

/// The kind of work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TaskKind {
    /// A file or directory in the data directory.
    Delete,
    DowngradeEntitlements,
    WindowProperty,
    Builtin,
    /// A function of the embedding add-on, by name.
    Hook,
    /// Tells others to reload the user's data.
    Update,
}

impl TaskKind {
    pub const ALL: [TaskKind; 6] = [
        TaskKind::Delete,
        TaskKind::DowngradeEntitlements,
        TaskKind::WindowProperty,
        TaskKind::Builtin,
        TaskKind::Hook,
        TaskKind::Update,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            TaskKind::Delete => "delete",
            TaskKind::DowngradeEntitlements => "downgrade_entitlements",
            TaskKind::WindowProperty => "window_property",
            TaskKind::Builtin => "builtin",
            TaskKind::Hook => "hook",
            TaskKind::Update => "update",
        }
    }
}

/// One thing to do. Sealed as a whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Task {
    /// The session whose logout left it.
    pub session_id: String,
    pub provider: String,
    /// The account's id.
    pub account: String,
    pub kind: TaskKind,
    pub name: String,
    /// The data it needs.
    #[serde(with = "crate::secret::sealed")]
    pub payload: Secret,
}

/// An unfinished task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueuedTask {
    pub id: i64,
    pub task: Task,
}

impl Record for QueuedTask {
    const TABLE: &'static str = "tasks";
    const PURPOSE: Purpose = Purpose::Task;
    const COLUMNS: &'static [&'static str] = &["kind", "name"];
    type Sealed = Task;

    fn sealed(&self) -> &Task {
        &self.task
    }

    fn owner(&self) -> Owner<'_> {
        let Task { session_id, provider, account, .. } = &self.task;
        Owner { session: session_id, provider, account }
    }

    fn columns(&self) -> Vec<Value> {
        vec![self.task.kind.as_str().to_owned().into(), self.task.name.clone().into()]
    }

    fn read(id: i64, task: Task, _: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(QueuedTask { id, task })
    }
}

pub struct Tasks<'a>(Table<'a, QueuedTask>);

impl<'a> Tasks<'a> {
    pub fn new(connection: &'a Connection, keys: &'a Keys) -> Self {
        Tasks(Table::new(connection, keys))
    }

    pub fn add(&self, task: Task) -> VaultResult<QueuedTask> {
        let mut queued = QueuedTask { id: 0, task };
        queued.id = self.0.insert(None, &queued)?;
        Ok(queued)
    }

    pub fn get(&self, id: i64) -> VaultResult<Option<QueuedTask>> {
        self.0.first("WHERE row = ?1", [id])
    }

    /// The tasks of these kinds, oldest first.
    pub fn list(&self, kinds: &[TaskKind]) -> VaultResult<Vec<QueuedTask>> {
        let kinds: Vec<_> = kinds.iter().map(|kind| format!("'{}'", kind.as_str())).collect();
        self.0.all(&format!("WHERE kind IN ({}) ORDER BY row", kinds.join(", ")), [])
    }

    /// False if somebody else has finished it.
    pub fn finish(&self, id: i64) -> VaultResult<bool> {
        Ok(self.0.delete("row = ?1", [id])? > 0)
    }
}
