//! Logging in by one request with the name and the password, answered with JSON, cookies or both.
//!
//! Once it is sent it is not cancelled: the server may have opened a session by then, and somebody
//! has to know of it. A server that cannot read the one kind of body gets the other, if there is one.

use super::question::{Sent, settle};
use super::{Progress, Told, answer, refused, sent_elsewhere};
use crate::cancel::Cancel;
use crate::context::Context;
use crate::error::Result;
use crate::http::{Answer, Request};
use crate::provider::{PasswordLogin, RequestTemplate, Values};
use crate::secret::Secret;
use crate::session::Credentials;
use crate::steps::{self, unexpected, unexpected_status};

const NAME: &str = "the login";

pub(super) fn log_in(
    context: &Context,
    login: &PasswordLogin,
    username: &str,
    password: &Secret,
    credentials: &mut Credentials,
    told: Told,
) -> Result<()> {
    let mut values = Values::from([("username".to_owned(), Secret::new(username))]);
    steps::run(context, &login.steps, credentials, &mut values)?;
    answer::settle(context, &values, None, credentials)?;
    told.0.begins(credentials)?;
    context.cancel.check()?;
    values.insert("password".to_owned(), password.clone());
    let mut requests = login.requests();
    let first = requests.next().ok_or_else(|| unexpected(NAME, "has no body to send"))?;
    let mut sent = send(context, &filled(context, first, credentials, &values)?, credentials)?;
    // RFC 9110 sections 15.5.16 and 15.5.21: the body was not understood, and nobody logged in.
    if let (415 | 422, Some(other)) = (sent.answer.status, requests.next()) {
        sent = send(context, &filled(context, other, credentials, &values)?, credentials)?;
    }
    let next = |request: &Request, held: &mut Credentials, _: &mut dyn Progress| {
        send(context, request, held)
    };
    let asked = settle(context, &login.question, &sent, &mut values, credentials, told, &next)?;
    let is_refused = |answer: &Answer| {
        login.refused_status.contains(&answer.status)
            || login.refused.as_deref().is_some_and(|signs| steps::shows(signs, answer))
    };
    // Who was asked for more had the right password.
    if asked.is_none() && is_refused(&sent.answer) {
        return Err(refused());
    }
    read(context, login, &asked.unwrap_or(sent).answer, &mut values, credentials)
}

/// What the last answer says.
fn read(
    context: &Context,
    login: &PasswordLogin,
    answer: &Answer,
    values: &mut Values,
    credentials: &mut Credentials,
) -> Result<()> {
    match answer.status {
        200 | 201 | 204 => {}
        // A redirect says nothing by itself: the file has to know it for a success.
        301..=303 if login.done.is_some() => {
            let target = answer.location().transpose()?;
            target.map_or(Ok(()), |url| context.provider.hosts.check(&url))?;
        }
        307 | 308 => return Err(sent_elsewhere(NAME)),
        status => return Err(unexpected_status(NAME, status)),
    }
    if login.done.as_deref().is_some_and(|signs| !steps::shows(signs, answer)) {
        return Err(unexpected(NAME, "does not show that somebody is logged in"));
    }
    steps::take(NAME, &login.take, answer, &credentials.jar, values)?;
    answer::settle(context, values, answer.date(), credentials)?;
    match answer.status {
        200 | 201 => answer::read_login(context, NAME, answer, credentials),
        _ => Ok(()),
    }
}

fn filled(
    context: &Context,
    request: RequestTemplate,
    credentials: &Credentials,
    values: &Values,
) -> Result<Request> {
    let request = steps::fill(context, request, credentials, values);
    Ok(request.ok_or_else(|| steps::lacks_value(NAME))?.accepting_json())
}

fn send(context: &Context, request: &Request, credentials: &mut Credentials) -> Result<Sent> {
    let hosts = &context.provider.hosts;
    let answer = context.client.exchange(request, hosts, &mut credentials.jar, &Cancel::new())?;
    Ok(Sent { answer, landing: None })
}
