//! Requests as a provider file describes them: made of their templates, sent in order, and what is
//! taken from their answers. What an answer means for a session is decided above.

mod carry;
mod errors;
mod fill;
mod look;

pub use carry::carried;
pub use errors::{lacks_value, unexpected, unexpected_status};
pub use fill::{can_fill, fill};
pub use look::{find, shows, take};

use crate::context::Context;
use crate::error::Result;
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

/// Sends one step; its answer is one of success.
pub fn ask(
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
    if step.bearer {
        request.carry(carried(provider, credentials).unwrap_or_default());
    }
    let (hosts, jar) = (&provider.hosts, &mut credentials.jar);
    let answer = if step.follow {
        client.follow(&request, hosts, jar, cancel)
    } else {
        client.exchange(&request, hosts, jar, cancel)
    }?;
    if step.unavailable.as_ref().is_some_and(|signs| shows(signs, &answer)) {
        return Err(errors::unavailable(&step.name));
    }
    match answer.status {
        200..300 if answer.is_cut => Err(unexpected(&step.name, "is larger than 1 MiB")),
        200..300 => Ok(answer),
        300..400 if !step.follow => Ok(answer),
        status => Err(unexpected_status(&step.name, status)),
    }
}
