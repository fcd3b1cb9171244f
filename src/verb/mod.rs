//! What can be asked of a keeper, by name, with plain data in and out. The Python package and the
//! command line are written against these names; python/sessionkeeper/_native.pyi documents them.

mod config;
mod leaving;
mod records;
mod session;

pub use config::config;

use crate::cancel::Cancel;
use crate::error::{Error, Kind, Result};
use crate::keeper::Keeper;
use crate::plain::{Dict, Plain, dict};
use std::time::Duration;

/// No wait is longer than a day; a longer one is a mistake.
const LONGEST_WAIT: f64 = 86_400.0;

/// What a verb works with.
struct Call<'a> {
    keeper: &'a Keeper,
    given: &'a mut Dict,
    cancel: &'a Cancel,
}

/// Does what `verb` says; the result is what the verb's line in `_native.pyi` promises.
pub fn run(keeper: &Keeper, verb: &str, mut given: Dict, cancel: &Cancel) -> Result<Plain> {
    let mut call = Call { keeper, given: &mut given, cancel };
    match verb {
        "status" => session::status(&mut call),
        "details" => session::details(&mut call),
        "restore" => session::restore(&mut call),
        "login" => session::login(&mut call),
        "login_start" => session::login_start(&mut call),
        "login_finish" => session::login_finish(&mut call),
        "renew" => session::renew(&mut call),
        "request" => session::request(&mut call),
        "session" => session::session(&mut call),
        "accounts" => session::accounts(&mut call),
        "switch" => session::switch(&mut call),
        "logout" => leaving::logout(&mut call),
        "outbox" => leaving::outbox(&mut call),
        "drain" => leaving::drain(&mut call),
        "next_work" => leaving::next_work(&mut call),
        "take_tasks" => leaving::take_tasks(&mut call),
        "finish_task" => leaving::finish_task(&mut call),
        "forget" => leaving::forget(&mut call),
        "audit" => records::audit(&mut call),
        "audit_since" => records::audit_since(&mut call),
        "audit_taken" => records::audit_taken(&mut call),
        "audit_refused" => records::audit_refused(&mut call),
        "doctor" => records::doctor(&mut call),
        _ => Err(Error::new(Kind::InvalidInput, format!("there is no verb '{verb}'"))),
    }
}

/// An error as Python gets it.
pub fn error(error: &Error) -> Plain {
    dict([(
        "error",
        dict([
            ("code", Plain::Text(error.code().to_owned())),
            ("message", Plain::Text(error.message().to_owned())),
            ("hint", Plain::Text(error.hint().to_owned())),
        ]),
    )])
}

/// Refuses arguments that the verb does not know, then works.
fn done(given: &mut Dict, work: impl FnOnce() -> Result<Plain>) -> Result<Plain> {
    given.finish()?;
    work()
}

fn required<T>(value: Option<T>, name: &str) -> Result<T> {
    value.ok_or_else(|| Error::new(Kind::InvalidInput, format!("'{name}' is missing")))
}

fn wait(from: &mut Dict, key: &str) -> Result<Option<Duration>> {
    let Some(seconds) = from.float(key)? else { return Ok(None) };
    if seconds > 0.0 && seconds <= LONGEST_WAIT {
        return Ok(Some(Duration::from_secs_f64(seconds)));
    }
    Err(Error::new(
        Kind::InvalidInput,
        format!("'{key}' has to be more than 0 and at most {LONGEST_WAIT} seconds"),
    ))
}
