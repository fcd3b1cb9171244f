//! Renewing by one request, answered with JSON, cookies or both.

use super::{Renewal, answer, judge_failure, judge_status};
use crate::context::Context;
use crate::error::Result;
use crate::provider::{RenewRequest, Values};
use crate::session::Credentials;
use crate::steps::{self, unexpected};

const NAME: &str = "the renewal";

pub(super) fn renew(
    context: &Context,
    renew: &RenewRequest,
    mut credentials: Credentials,
) -> Result<Renewal> {
    let rule = &context.provider.session;
    let mut values = Values::new();
    steps::run(context, &renew.steps, &mut credentials, &mut values)?;
    let Some(request) = steps::fill(context, renew.request(), &credentials, &values) else {
        return Ok(Renewal::Over);
    };
    let request = request.accepting_json();
    let before = credentials.token(rule);
    let hosts = &context.provider.hosts;
    let answer =
        match context.client.exchange(&request, hosts, &mut credentials.jar, context.cancel) {
            Ok(answer) => answer,
            Err(error) => return judge_failure(error),
        };
    match answer.status {
        status if renew.refused_status.contains(&status) => Ok(Renewal::Over),
        _ if renew.refused.as_ref().is_some_and(|signs| steps::shows(signs, &answer)) => {
            Ok(Renewal::Over)
        }
        200 | 201 | 204 => {
            if let Err(error) = answer::read(context, NAME, &answer, &mut credentials) {
                return Ok(Renewal::Lost(error));
            }
            if credentials.token(rule).is_none() || credentials.token(rule) == before {
                return Ok(Renewal::Lost(unexpected(NAME, "gave no new token")));
            }
            Ok(Renewal::Renewed(credentials))
        }
        status => judge_status(NAME, status),
    }
}
