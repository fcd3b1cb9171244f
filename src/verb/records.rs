//! The audit trail and who else gets it; what this machine can do.

use super::{Call, done, required};
use crate::error::{Error, Kind, Result};
use crate::plain::{Dict, Plain, dict};

pub(super) fn audit(call: &mut Call) -> Result<Plain> {
    let limit = limit(call.given)?;
    done(call.given, || Ok(dict([("events", Plain::of(&call.keeper.audit(limit)?)?)])))
}

pub(super) fn audit_since(call: &mut Call) -> Result<Plain> {
    let sink = required(call.given.text("sink")?, "sink")?;
    let limit = limit(call.given)?;
    done(call.given, || Ok(dict([("events", Plain::of(&call.keeper.audit_since(&sink, limit)?)?)])))
}

pub(super) fn audit_taken(call: &mut Call) -> Result<Plain> {
    let sink = required(call.given.text("sink")?, "sink")?;
    let seq = required(call.given.int("seq")?, "seq")?;
    done(call.given, || Ok(dict([("seq", Plain::Int(call.keeper.audit_taken(&sink, seq)?))])))
}

pub(super) fn audit_refused(call: &mut Call) -> Result<Plain> {
    let reason = required(call.given.text("reason")?, "reason")?;
    done(call.given, || {
        call.keeper.audit_refused(&reason);
        Ok(dict([]))
    })
}

pub(super) fn doctor(call: &mut Call) -> Result<Plain> {
    done(call.given, || Plain::of(&call.keeper.facts()?))
}

fn limit(given: &mut Dict) -> Result<usize> {
    usize::try_from(given.int("limit")?.unwrap_or(100))
        .map_err(|_| Error::new(Kind::InvalidInput, "the limit is negative"))
}
