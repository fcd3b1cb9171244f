//! Requests as a provider file describes them: made of their templates, sent in order, and what is
//! taken from their answers. What an answer means for a session is decided above.

mod fill;
mod look;

pub use fill::{can_fill, fill};
pub use look::{find, shows, take};

use crate::context::Context;
use crate::error::{Error, Kind, Result};
use crate::http::Answer;
use crate::provider::{Step, Values};
use crate::session::Credentials;

/// Sends `steps` in order; each adds to `values` what it takes.
pub fn run(
    context: &Context,
    steps: &[Step],
    credentials: &mut Credentials,
    values: &mut Values,
) -> Result<()> {
    for step in steps {
        let answer = ask(context, step, credentials, values)?;
        take(&step.name, &step.take, &answer, &credentials.jar, values)?;
    }
    Ok(())
}

fn ask(
    context: &Context,
    step: &Step,
    credentials: &mut Credentials,
    values: &Values,
) -> Result<Answer> {
    log::debug!("asking for {}", step.name);
    let Context { provider, client, cancel, .. } = *context;
    let mut request = fill(context, step.request(), credentials, values)
        .ok_or_else(|| lacks_value(&step.name))?;
    if look::reads_json(&step.take) {
        request = request.accepting_json();
    }
    request.bearer = step.bearer.then(|| credentials.token(&provider.session)).flatten();
    let (hosts, jar) = (&provider.hosts, &mut credentials.jar);
    let answer = if step.follow {
        client.follow(&request, hosts, jar, cancel)
    } else {
        client.exchange(&request, hosts, jar, cancel)
    }?;
    match answer.status {
        200..300 if answer.is_cut => Err(unexpected(&step.name, "is larger than 1 MiB")),
        200..300 => Ok(answer),
        300..400 if !step.follow => Ok(answer),
        status => Err(unexpected_status(&step.name, status)),
    }
}

/// For a request of a login that cannot be made.
pub fn lacks_value(name: &str) -> Error {
    unexpected(name, "cannot be asked for: a value that it needs is not there")
}

pub fn unexpected_status(name: &str, status: u16) -> Error {
    unexpected(name, &format!("answered with status {status}"))
}

pub fn unexpected(name: &str, why: &str) -> Error {
    Error::new(Kind::UnexpectedAnswer, format!("{name} {why}"))
        .with_hint("Try again later. If that does not help, the provider file has to be updated.")
}
