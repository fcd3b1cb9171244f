//! Signing out, and what is left to do for it: at the server, and on this device.

use super::{Call, done, required, wait};
use crate::error::{Error, Kind, Result};
use crate::keeper::LogoutOptions;
use crate::plain::{Plain, dict};
use crate::provider;

pub(super) fn logout(call: &mut Call) -> Result<Plain> {
    let manner = LogoutOptions {
        local_only: call.given.flag("local_only")?,
        everywhere: call.given.flag("everywhere")?,
        deadline: wait(call.given, "deadline")?,
        account: call.given.text("account")?,
        hooks: call.given.texts("hooks")?,
    };
    done(call.given, || Plain::of(&call.keeper.log_out(&manner, call.cancel)?))
}

pub(super) fn outbox(call: &mut Call) -> Result<Plain> {
    done(call.given, || Plain::of(&call.keeper.outbox()?))
}

pub(super) fn drain(call: &mut Call) -> Result<Plain> {
    let due_only = call.given.flag("due_only")?;
    done(call.given, || Plain::of(&call.keeper.drain(due_only, call.cancel)?))
}

pub(super) fn next_work(call: &mut Call) -> Result<Plain> {
    done(call.given, || Plain::of(&call.keeper.schedule()?))
}

pub(super) fn take_tasks(call: &mut Call) -> Result<Plain> {
    let (kinds, hooks) = (call.given.texts("kinds")?, call.given.texts("hooks")?);
    done(call.given, || {
        let tasks = call.keeper.take_tasks(&kinds, &hooks)?.into_iter().map(|taken| {
            dict([
                ("id", Plain::Int(taken.id)),
                ("kind", Plain::Text(taken.task.kind.as_str().to_owned())),
                ("name", Plain::Text(taken.task.name)),
                ("provider", Plain::Text(provider::id_of(&taken.task.provider).to_owned())),
                ("account", Plain::Text(taken.task.account)),
            ])
        });
        Ok(dict([("tasks", Plain::List(tasks.collect()))]))
    })
}

pub(super) fn finish_task(call: &mut Call) -> Result<Plain> {
    let id = required(call.given.int("id")?, "id")?;
    let outcome = required(call.given.text("outcome")?, "outcome")?;
    let detail = call.given.text("detail")?.unwrap_or_default();
    done(call.given, || {
        let is_done = match outcome.as_str() {
            "done" => true,
            "failed" => false,
            _ => {
                let message = "'outcome' is neither 'done' nor 'failed'";
                return Err(Error::new(Kind::InvalidInput, message));
            }
        };
        let is_noted = call.keeper.finish_task(id, is_done, &detail)?;
        Ok(dict([("finished", Plain::Bool(is_noted))]))
    })
}

pub(super) fn forget(call: &mut Call) -> Result<Plain> {
    done(call.given, || Plain::of(&call.keeper.forget(call.cancel)?))
}
