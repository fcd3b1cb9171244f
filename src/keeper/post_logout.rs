//! What is done on this device once a session is gone: the provider's clean-up, and the functions
//! of the embedding add-on.
//!
//! The work was queued in the logout's own transaction and stays there until it is done. A clean-up
//! step may be done twice; one that fails or is interrupted is done again at the next start. A hook
//! runs at least once. A failure is told and stops nothing. What needs Kodi or Python is done by
//! them.

use super::Keeper;
use super::report::TaskLine;
use crate::audit::{Event, NewAuditEvent};
use crate::error::{Error, Kind, Result};
use crate::provider::{Downgrade, id_of};
use crate::secret::Secret;
use crate::session::Session;
use crate::user_files;
use crate::vault::{QueuedTask, Task, TaskKind};
use std::sync::atomic::Ordering;

/// What is done here; the rest is done by whoever asks for it.
const OWN: [TaskKind; 2] = [TaskKind::Delete, TaskKind::DowngradeEntitlements];

impl Keeper {
    /// What is to be done after the logout of this session, in order.
    pub(super) fn tasks_after_logout(&self, session: &Session, hooks: &[String]) -> Vec<Task> {
        let after = &self.provider.after_logout;
        let task = |kind: TaskKind, name: &str| Task {
            session_id: session.id.clone(),
            provider: session.provider.clone(),
            account: session.account.id.clone(),
            kind,
            name: name.to_owned(),
            payload: Secret::default(),
        };
        let mut tasks: Vec<Task> = Vec::new();
        if let Some(downgrade) = &after.downgrade_entitlements {
            let kind = TaskKind::DowngradeEntitlements;
            let payload = Secret::new(serde_json::to_string(downgrade).unwrap_or_default());
            tasks.push(Task { payload, ..task(kind, kind.as_str()) });
        }
        tasks.extend(after.delete.iter().map(|path| task(TaskKind::Delete, path)));
        let properties = after.window_properties.iter();
        tasks.extend(properties.map(|name| task(TaskKind::WindowProperty, name)));
        tasks.extend(after.builtins.iter().map(|name| task(TaskKind::Builtin, name)));
        tasks.extend(hooks.iter().map(|name| task(TaskKind::Hook, name)));
        if after.update {
            tasks.push(task(TaskKind::Update, TaskKind::Update.as_str()));
        }
        tasks
    }

    /// True when there is something to do here.
    pub(super) fn has_tasks(&self) -> Result<bool> {
        let tasks = self.shared.vault()?.read(|tx| tx.tasks().list(&OWN))?;
        let begun = self.shared.begun_tasks();
        Ok(tasks.iter().any(|task| !begun.contains_key(&task.id)))
    }

    /// Does what can be done here, and says how it went.
    pub(super) fn do_tasks(&self) -> Vec<TaskLine> {
        let tasks = self.begin_tasks(|task| OWN.contains(&task.kind)).unwrap_or_else(|error| {
            log::error!("the work after a logout cannot be read: {error}");
            Vec::new()
        });
        let mut lines = Vec::new();
        for QueuedTask { id, task } in tasks {
            let done = self.do_task(&task);
            let (outcome, detail) = match &done {
                Ok(detail) => ("done", detail.clone()),
                Err(error) => ("failed", error.message().to_owned()),
            };
            lines.push(TaskLine { name: task.name, outcome, detail: detail.clone() });
            if let Err(error) = self.settle_task(id, done.is_ok(), &detail) {
                log::error!("the work after a logout could not be noted: {error}");
            }
        }
        self.publish_update(false);
        lines
    }

    /// Does what earlier logouts left.
    pub(super) fn finish_tasks(&self) {
        self.do_tasks();
        // What an earlier process left may wait for somebody who never comes.
        let is_first = !self.shared.has_finished_tasks.swap(true, Ordering::Relaxed);
        self.publish_update(is_first);
    }

    /// The work of these kinds, and the hooks of these names, for whoever can do it.
    pub fn take_tasks(&self, kinds: &[String], hooks: &[String]) -> Result<Vec<QueuedTask>> {
        self.begin_tasks(|task| match task.kind {
            TaskKind::Hook => hooks.contains(&task.name),
            TaskKind::WindowProperty | TaskKind::Builtin => {
                kinds.iter().any(|kind| kind == task.kind.as_str())
            }
            TaskKind::Delete | TaskKind::DowngradeEntitlements | TaskKind::Update => false,
        })
    }

    /// Notes what became of a task. False: it was noted before.
    pub fn finish_task(&self, id: i64, is_done: bool, detail: &str) -> Result<bool> {
        let is_noted = self.settle_task(id, is_done, detail)?;
        self.publish_update(false);
        Ok(is_noted)
    }

    /// What is wanted of the tasks that nobody in this process has begun.
    fn begin_tasks(&self, is_wanted: impl Fn(&Task) -> bool) -> Result<Vec<QueuedTask>> {
        let mut tasks = self.shared.vault()?.read(|tx| tx.tasks().list(&TaskKind::ALL))?;
        let mut begun = self.shared.begun_tasks();
        tasks.retain(|QueuedTask { id, task }| {
            is_wanted(task) && !begun.contains_key(id) && begun.insert(*id, false).is_none()
        });
        Ok(tasks)
    }

    fn do_task(&self, task: &Task) -> Result<String> {
        let directory = &self.shared.directory;
        match task.kind {
            TaskKind::Delete => user_files::delete(directory, &task.name),
            TaskKind::DowngradeEntitlements => {
                let downgrade: Downgrade = serde_json::from_str(task.payload.expose())
                    .map_err(|_| Error::new(Kind::Storage, "the stored work cannot be read"))?;
                user_files::downgrade(directory, &downgrade)
            }
            _ => Err(Error::new(Kind::Internal, "this work is not done here")),
        }
    }

    fn settle_task(&self, id: i64, is_done: bool, detail: &str) -> Result<bool> {
        let (event, outcome) =
            if is_done { (Event::TaskDone, "done") } else { (Event::TaskFailed, "failed") };
        let task = self.shared.vault()?.transact(|tx| {
            let Some(QueuedTask { task, .. }) = tx.tasks().get(id)? else { return Ok(None) };
            // A clean-up step that failed is tried again at the next start.
            if is_done || task.kind == TaskKind::Hook {
                tx.tasks().finish(id)?;
            }
            tx.audit().append(&audit_event(&task, event, outcome, detail))?;
            Ok(Some(task))
        })?;
        self.shared.begun_tasks().insert(id, true);
        let Some(task) = task else { return Ok(false) };
        if !is_done {
            log::warn!("after the logout, {} failed: {detail}", task.name);
            let provider = id_of(&task.provider);
            self.shared.events.publish(event.as_str(), provider, &task.account, &task.name);
        }
        Ok(true)
    }

    /// Tells others to read the user's data again, once nothing else is left to do; or now, if what
    /// is left waits for somebody who may never come.
    fn publish_update(&self, is_late: bool) {
        let told = self.shared.vault().and_then(|vault| {
            let tasks = vault.read(|tx| tx.tasks().list(&TaskKind::ALL))?;
            let (updates, others): (Vec<_>, Vec<_>) =
                tasks.into_iter().partition(|queued| queued.task.kind == TaskKind::Update);
            let is_settled = |id: &i64| self.shared.begun_tasks().get(id).copied().unwrap_or(false);
            if !is_late && !others.iter().all(|queued| is_settled(&queued.id)) {
                return Ok(());
            }
            for QueuedTask { id, task } in updates {
                let is_ours = vault.transact(|tx| {
                    let is_ours = tx.tasks().finish(id)?;
                    if is_ours {
                        tx.audit().append(&audit_event(&task, Event::Update, "ok", ""))?;
                    }
                    Ok(is_ours)
                })?;
                if is_ours {
                    let provider = id_of(&task.provider);
                    self.shared.events.publish(
                        Event::Update.as_str(),
                        provider,
                        &task.account,
                        "ok",
                    );
                }
            }
            Ok(())
        });
        if let Err(error) = told {
            log::error!("the work after a logout cannot be read: {error}");
        }
    }
}

fn audit_event(task: &Task, event: Event, outcome: &str, detail: &str) -> NewAuditEvent {
    let name = &task.name;
    NewAuditEvent {
        event,
        provider: task.provider.clone(),
        account: task.account.clone(),
        outcome: outcome.to_owned(),
        detail: if detail.is_empty() { name.clone() } else { format!("{name}: {detail}") },
    }
}
