//! The account's sessions on other devices: the service lists them, and each is ended by itself.

use super::request::unknown_to_the_server;
use super::{Verdict, carried, proof};
use crate::context::Context;
use crate::error::Result;
use crate::http::{Answer, Request};
use crate::provider::{EndOthers, SessionList, Values};
use crate::session::{Credentials, Outcome};
use crate::steps;
use serde_json::Value;
use url::Url;

/// Nobody is logged in on more devices; a longer list is a mistake.
const MOST: usize = 200;

/// Ends all but this one, which ends by the logout itself. `others_ended` counts those that the
/// server says it has ended.
pub(super) fn end(
    context: &Context,
    list: &SessionList,
    credentials: &Credentials,
) -> Result<Verdict> {
    let credentials = &mut credentials.clone();
    let mut values = Values::new();
    steps::run(context, &list.steps, credentials, &mut values)?;
    let Some(request) = steps::fill(context, list.request(), credentials, &values) else {
        return Ok(unknown_to_the_server());
    };
    let mut request = request.accepting_json();
    request.carry(carried(context.provider, credentials, list.bearer));
    let answer = ask(context, &request, credentials)?;
    if answer.status != 200 {
        return Ok(refused(&answer, "the list of the account's sessions"));
    }
    let body: Value = serde_json::from_slice(&answer.body).unwrap_or(Value::Null);
    let Some(sessions) = body.pointer(&list.sessions).and_then(Value::as_array) else {
        let why = "the account's sessions could not be read";
        return Ok(Verdict::new(Outcome::Unconfirmed, why));
    };
    let mut others_ended = 0;
    let mut left: Option<Verdict> = None;
    for session in sessions.iter().take(MOST) {
        if session.pointer(&list.current) == Some(&Value::Bool(true)) {
            continue;
        }
        let verdict = match address(list, session) {
            Some(url) => end_one(context, list, url, credentials)
                .unwrap_or_else(|error| proof::judge_failure(&error)),
            None => Verdict::new(Outcome::Unconfirmed, "a session of the account has no id"),
        };
        if verdict.outcome.is_final() {
            others_ended += 1;
            continue;
        }
        let is_away = verdict.status.is_none();
        left = Some(verdict);
        if is_away {
            break;
        }
    }
    if sessions.len() > MOST {
        left = Some(Verdict::new(Outcome::Unconfirmed, "the account has too many sessions"));
    }
    let done = || Verdict::new(Outcome::Revoked, "the account's other sessions are ended");
    Ok(Verdict { others_ended, ..left.unwrap_or_else(done) })
}

/// Ends them all by one request; how many there were, nobody says.
pub(super) fn end_all(
    context: &Context,
    end: &EndOthers,
    credentials: &Credentials,
) -> Result<Verdict> {
    let credentials = &mut credentials.clone();
    let mut values = Values::new();
    steps::run(context, &end.steps, credentials, &mut values)?;
    let Some(request) = steps::fill(context, end.request(), credentials, &values) else {
        return Ok(unknown_to_the_server());
    };
    let mut request = request.accepting_json();
    request.carry(carried(context.provider, credentials, end.bearer));
    let answer = ask(context, &request, credentials)?;
    if steps::shows(&end.done, &answer) {
        let why = "the account's other sessions are ended";
        return Ok(Verdict { is_uncounted: true, ..Verdict::of(&answer, Outcome::Revoked, why) });
    }
    Ok(refused(&answer, "the end of the other sessions"))
}

fn end_one(
    context: &Context,
    list: &SessionList,
    url: Url,
    credentials: &Credentials,
) -> Result<Verdict> {
    let mut request = Request::new(list.end_method.as_str(), url);
    request.carry(carried(context.provider, credentials, list.bearer));
    let answer = ask(context, &request, credentials)?;
    Ok(if list.end_status.contains(&answer.status) {
        Verdict::new(Outcome::Revoked, "the server ended the session")
    } else {
        refused(&answer, "the end of another session")
    })
}

fn ask(context: &Context, request: &Request, credentials: &Credentials) -> Result<Answer> {
    let hosts = &context.provider.hosts;
    context.client.exchange(request, hosts, &mut credentials.jar.clone(), context.cancel)
}

fn refused(answer: &Answer, what: &str) -> Verdict {
    let status = answer.status;
    let outcome = if proof::is_busy(status) { Outcome::Deferred } else { Outcome::Unconfirmed };
    Verdict::of(answer, outcome, format!("{what} was answered with status {status}"))
}

/// Where the session is ended; its id is one part of the path, whatever it holds.
fn address(list: &SessionList, session: &Value) -> Option<Url> {
    let id = match session.pointer(&list.id)? {
        Value::String(text) if !matches!(text.as_str(), "" | "." | "..") => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    list.end_url(&id)
}
