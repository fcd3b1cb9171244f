//! What is done on this device once a session is gone: the provider's clean-up, and the functions of
//! the embedding add-on.
//!
//! The work was queued in the logout's own transaction. Each piece is handed out once and done alone;
//! a failure is told and stops nothing. What needs Kodi or Python is handed out to them.

use super::Keeper;
use super::report::TaskLine;
use crate::audit::{Event, NewAuditEvent};
use crate::error::{Error, Kind, Result};
use crate::provider::{Downgrade, id_of};
use crate::secret::Secret;
use crate::user_files;
use crate::vault::{TakenTask, Task};
use std::sync::atomic::Ordering;

const DELETE: &str = "delete";
const DOWNGRADE: &str = "downgrade_entitlements";
const UPDATE: &str = "update";
const HOOK: &str = "hook";

/// What is done here; the rest is done by whoever asks for it.
const OWN: [&str; 2] = [DELETE, DOWNGRADE];

/// Nobody works on one piece for this long, in seconds: it was cut short.
const LONGEST: i64 = 600;

impl Keeper {
    /// What is to be done after a logout, in order.
    pub(super) fn tasks_after_logout(&self, hooks: &[String]) -> Vec<Task> {
        let after = &self.provider.after_logout;
        let task = |kind: &str, name: &str| Task {
            kind: kind.to_owned(),
            name: name.to_owned(),
            payload: Secret::default(),
        };
        let mut tasks: Vec<Task> = Vec::new();
        if let Some(downgrade) = &after.downgrade {
            let payload = serde_json::to_string(downgrade).unwrap_or_default();
            tasks.push(Task { payload: Secret::new(payload), ..task(DOWNGRADE, DOWNGRADE) });
        }
        tasks.extend(after.delete.iter().map(|path| task(DELETE, path)));
        tasks.extend(after.window_properties.iter().map(|name| task("window_property", name)));
        tasks.extend(after.builtins.iter().map(|name| task("builtin", name)));
        tasks.extend(hooks.iter().map(|name| task(HOOK, name)));
        if after.update {
            tasks.push(task(UPDATE, UPDATE));
        }
        tasks
    }

    /// True when there is something to do here.
    pub(super) fn has_tasks(&self) -> Result<bool> {
        self.shared.vault()?.has_waiting(&OWN)
    }

    /// Does what can be done here, and says what became of it.
    pub(super) fn do_tasks(&self) -> Vec<TaskLine> {
        let taken = self.shared.vault().and_then(|vault| vault.take_tasks(&OWN, &[]));
        let taken = taken.unwrap_or_else(|error| {
            log::error!("the work after a logout cannot be read: {error}");
            Vec::new()
        });
        let mut lines = Vec::new();
        for task in taken {
            let done = self.do_task(&task.task);
            let (outcome, detail) = match &done {
                Ok(detail) => ("done", detail.clone()),
                Err(error) => ("failed", error.message().to_owned()),
            };
            lines.push(TaskLine { name: task.task.name.clone(), outcome, detail: detail.clone() });
            if let Err(error) = self.settle_task(&task, done.is_ok(), &detail) {
                log::error!("the work after a logout could not be noted: {error}");
            }
        }
        self.tell_update(false);
        lines
    }

    /// Does what earlier logouts left, and gives up what was cut short.
    pub(super) fn finish_tasks(&self) {
        let before = self.shared.clock.now().saturating_sub(LONGEST);
        let mut record_for =
            |task: &TakenTask| record(task, Event::TaskFailed, "failed", "it was cut short");
        let abandoned =
            self.shared.vault().and_then(|vault| vault.abandon_tasks(before, &mut record_for));
        match abandoned {
            Ok(abandoned) => {
                for task in abandoned {
                    self.shared.handed_out().remove(&task.id);
                    log::warn!("work after a logout was cut short: {}", task.task.name);
                    self.tell_task(&task, Event::TaskFailed);
                }
            }
            Err(error) => log::error!("the work after a logout cannot be read: {error}"),
        }
        self.do_tasks();
        // What an earlier process left may wait for somebody who never comes.
        let is_first = !self.shared.has_finished_tasks.swap(true, Ordering::Relaxed);
        self.tell_update(is_first);
    }

    /// Hands work out to whoever can do it; nobody gets it again.
    pub fn take_tasks(&self, kinds: &[String], hooks: &[String]) -> Result<Vec<TakenTask>> {
        let mut wanted: Vec<&str> = kinds.iter().map(String::as_str).collect();
        wanted.retain(|kind| !OWN.contains(kind) && *kind != UPDATE);
        if !hooks.is_empty() {
            wanted.push(HOOK);
        }
        let taken = self.shared.vault()?.take_tasks(&wanted, hooks)?;
        self.shared.handed_out().extend(taken.iter().map(|task| (task.id, task.clone())));
        Ok(taken)
    }

    /// Notes what became of work that was handed out. False: it was noted before.
    pub fn finish_task(&self, id: i64, is_done: bool, detail: &str) -> Result<bool> {
        let task = self.shared.handed_out().remove(&id);
        let Some(task) = task else { return Ok(false) };
        let is_noted = self.settle_task(&task, is_done, detail)?;
        self.tell_update(false);
        Ok(is_noted)
    }

    fn do_task(&self, task: &Task) -> Result<String> {
        let directory = &self.shared.directory;
        match task.kind.as_str() {
            DELETE => user_files::delete(directory, &task.name),
            DOWNGRADE => {
                let downgrade: Downgrade = serde_json::from_str(task.payload.expose())
                    .map_err(|_| Error::new(Kind::Storage, "the stored work cannot be read"))?;
                user_files::downgrade(directory, &downgrade)
            }
            _ => Err(Error::new(Kind::Internal, "this work is not done here")),
        }
    }

    fn settle_task(&self, task: &TakenTask, is_done: bool, detail: &str) -> Result<bool> {
        let (event, outcome) =
            if is_done { (Event::TaskDone, "done") } else { (Event::TaskFailed, "failed") };
        if !is_done {
            log::warn!("after the logout, {} failed: {detail}", task.task.name);
        }
        let noted =
            self.shared.vault()?.finish_task(task.id, &record(task, event, outcome, detail))?;
        if noted && !is_done {
            self.tell_task(task, event);
        }
        Ok(noted)
    }

    fn tell_task(&self, task: &TakenTask, event: Event) {
        let provider = id_of(&task.provider);
        self.shared.events.tell(event.as_str(), provider, &task.account, &task.task.name);
    }

    /// Tells others to read the user's data again, once nothing else is left to do; or now, if what is
    /// left waits for somebody who may never come.
    fn tell_update(&self, is_late: bool) {
        let told = self.shared.vault().and_then(|vault| {
            if !is_late && vault.unfinished_tasks(UPDATE)? > 0 {
                return Ok(());
            }
            for task in vault.take_tasks(&[UPDATE], &[])? {
                vault.finish_task(task.id, &record(&task, Event::Update, "ok", ""))?;
                let provider = id_of(&task.provider);
                self.shared.events.tell(Event::Update.as_str(), provider, &task.account, "ok");
            }
            Ok(())
        });
        if let Err(error) = told {
            log::error!("the work after a logout cannot be read: {error}");
        }
    }
}

fn record(task: &TakenTask, event: Event, outcome: &str, detail: &str) -> NewAuditEvent {
    let name = &task.task.name;
    NewAuditEvent {
        event,
        provider: task.provider.clone(),
        account: task.account.clone(),
        outcome: outcome.to_owned(),
        detail: if detail.is_empty() { name.clone() } else { format!("{name}: {detail}") },
    }
}
