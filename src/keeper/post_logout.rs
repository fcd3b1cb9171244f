//! What is done on this device once a session is gone: the provider's clean-up, and the functions
//! of the embedding add-on.
//!
//! The work is queued in the logout's transaction and stays queued until it is done. A clean-up
//! step may run twice; one that fails or is cut short runs again at the next start. A hook runs at
//! least once. A failure is reported and stops nothing. What needs Kodi or Python is done there.

use super::handle::Keeper;
use super::report::{TaskLine, TaskOutcome};
use crate::audit::{Event, NewAuditEvent};
use crate::error::{Error, Kind, Result};
use crate::provider::Downgrade;
use crate::secret::Secret;
use crate::session::Session;
use crate::user_files;
use crate::vault::{QueuedTask, Task, TaskKind};
use std::sync::atomic::Ordering;

/// What is done here; the rest is done by those who take it.
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
        tasks.extend(hooks.iter().map(|name| task(TaskKind::Hook, &self.own_name(name))));
        if after.update {
            tasks.push(task(TaskKind::Update, TaskKind::Update.as_str()));
        }
        tasks
    }

    /// True when there is something to do here.
    pub(super) fn has_tasks(&self) -> Result<bool> {
        let tasks = self.vault()?.read(|tx| tx.tasks().list(&OWN))?;
        let now = self.shared.clock.instant();
        Ok(tasks.iter().any(|task| self.shared.begun_tasks.is_free(task, now)))
    }

    /// Does what can be done here, and says how it went.
    pub(super) fn do_tasks(&self) -> Vec<TaskLine> {
        let is_wanted = |task: &Task| OWN.contains(&task.kind);
        let tasks = self.begin_tasks(is_wanted).unwrap_or_else(|error| {
            log::error!("the work after a logout cannot be read: {error}");
            Vec::new()
        });
        let ended: Vec<_> = tasks
            .into_iter()
            .map(|QueuedTask { id, task }| {
                let (outcome, detail) = match self.do_task(&task) {
                    Ok(detail) => (TaskOutcome::Done, detail),
                    Err(error) => (TaskOutcome::Failed, error.message().to_owned()),
                };
                (id, TaskLine { name: task.name, outcome, detail })
            })
            .collect();
        if let Err(error) = self.settle_tasks(&ended, false) {
            log::error!("the work after a logout could not be noted: {error}");
        }
        ended.into_iter().map(|(_, line)| line).collect()
    }

    /// Does what earlier logouts left.
    pub(super) fn finish_tasks(&self) {
        // What an earlier process left may wait for somebody who never comes.
        let is_first = !self.shared.has_finished_tasks.swap(true, Ordering::Relaxed);
        self.do_tasks();
        if is_first && let Err(error) = self.settle_tasks(&[], true) {
            log::error!("the work after a logout cannot be read: {error}");
        }
    }

    /// The work of these kinds, and the caller's own hooks of these names, for a caller that can do
    /// it.
    pub fn take_tasks(&self, kinds: &[String], hooks: &[String]) -> Result<Vec<QueuedTask>> {
        let own: Vec<_> = hooks.iter().map(|name| self.own_name(name)).collect();
        let mut taken = self.begin_tasks(|task| match task.kind {
            TaskKind::Hook => own.contains(&task.name),
            TaskKind::WindowProperty | TaskKind::Builtin => {
                kinds.iter().any(|kind| kind == task.kind.as_str())
            }
            TaskKind::Delete | TaskKind::DowngradeEntitlements | TaskKind::Update => false,
        })?;
        for QueuedTask { task, .. } in &mut taken {
            if let Some(at) = own.iter().position(|name| *name == task.name) {
                task.name.clone_from(&hooks[at]);
            }
        }
        Ok(taken)
    }

    /// Notes what became of a task. False: it was noted before.
    pub fn finish_task(&self, id: i64, outcome: TaskOutcome, detail: &str) -> Result<bool> {
        let line = TaskLine { name: String::new(), outcome, detail: detail.to_owned() };
        self.settle_tasks(&[(id, line)], false)
    }

    /// Begins those of the tasks that are wanted and that this process has not begun.
    fn begin_tasks(&self, is_wanted: impl Fn(&Task) -> bool) -> Result<Vec<QueuedTask>> {
        let mut tasks = self.vault()?.read(|tx| tx.tasks().list(&TaskKind::ALL))?;
        let now = self.shared.clock.instant();
        tasks
            .retain(|queued| is_wanted(&queued.task) && self.shared.begun_tasks.begin(queued, now));
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

    /// Notes what became of tasks, in one transaction. Once nothing else is left to do, others are
    /// told to read the user's data again; with `is_late` also when the rest waits for somebody
    /// who may never come. True when something was noted.
    fn settle_tasks(&self, ended: &[(i64, TaskLine)], is_late: bool) -> Result<bool> {
        let vault = self.vault()?;
        let has_update = || vault.read(|tx| Ok(!tx.tasks().list(&[TaskKind::Update])?.is_empty()));
        if ended.is_empty() && !has_update()? {
            return Ok(false);
        }
        let (failed, updates, settled) = vault.transact(|tx| {
            let (mut failed, mut settled) = (Vec::new(), Vec::new());
            for (id, TaskLine { outcome, detail, .. }) in ended {
                let Some(queued) = tx.tasks().get(*id)? else { continue };
                settled.push(queued.clone());
                let task = queued.task;
                let is_done = *outcome == TaskOutcome::Done;
                // A clean-up step that failed is tried again at the next start.
                if is_done || task.kind == TaskKind::Hook {
                    tx.tasks().finish(*id)?;
                }
                if is_done {
                    tx.audit().append(&about(&task, Event::TaskDone, "done", detail))?;
                } else {
                    tx.audit().append(&about(&task, Event::TaskFailed, "failed", detail))?;
                    failed.push((task, detail));
                }
            }
            let is_settled = |queued: &QueuedTask| {
                settled.contains(queued) || self.shared.begun_tasks.is_settled(queued)
            };
            let (mut updates, others): (Vec<_>, Vec<_>) = tx
                .tasks()
                .list(&TaskKind::ALL)?
                .into_iter()
                .partition(|queued| queued.task.kind == TaskKind::Update);
            if !is_late && !others.iter().all(is_settled) {
                updates.clear();
            }
            for QueuedTask { id, task } in &updates {
                tx.tasks().finish(*id)?;
                tx.audit().append(&about(task, Event::Update, "ok", ""))?;
            }
            Ok((failed, updates, settled))
        })?;
        let now = self.shared.clock.instant();
        for task in &settled {
            self.shared.begun_tasks.settle(task, now);
        }
        for (task, detail) in failed {
            log::warn!("after the logout, {} failed: {detail}", task.name);
            self.shared.publish(&about(&task, Event::TaskFailed, &task.name, ""));
        }
        for QueuedTask { task, .. } in updates {
            self.shared.publish(&about(&task, Event::Update, "ok", ""));
        }
        Ok(!settled.is_empty())
    }
}

fn about(task: &Task, event: Event, outcome: &str, detail: &str) -> NewAuditEvent {
    let Task { name, provider, account, .. } = task;
    let separator = if detail.is_empty() { "" } else { ": " };
    NewAuditEvent::new(event, provider, account, outcome)
        .with_detail(&format!("{name}{separator}{detail}"))
}
