//! The account's sessions on other devices: the service lists them, and each is ended by a request
//! of its own.

use super::{Verdict, bearer, proof};
use crate::backoff::Outcome;
use crate::context::Context;
use crate::http::{Answer, Request};
use crate::provider::SessionList;
use crate::session::Credentials;
use serde_json::Value;
use url::Url;

/// Nobody is logged in on more devices; a longer list is a mistake.
const MOST: usize = 200;

/// Ends all but this session, which ends by the logout itself. `others_ended` counts those that the
/// server says it has ended.
pub(super) fn end(context: &Context, list: &SessionList, credentials: &Credentials) -> Verdict {
    let mut request = Request::get(list.url.to_url()).with_header("Accept", "application/json");
    request.bearer = bearer(context.provider, credentials, list.bearer);
    let answer = match ask(context, &request, credentials) {
        Ok(answer) if answer.status == 200 => answer,
        Ok(answer) => return refused(&answer, "the list of the account's sessions"),
        Err(verdict) => return verdict,
    };
    let body: Value = serde_json::from_slice(&answer.body).unwrap_or(Value::Null);
    let Some(sessions) = body.pointer(&list.sessions).and_then(Value::as_array) else {
        return Verdict::new(Outcome::Unconfirmed, "the account's sessions could not be read");
    };
    let mut others_ended = 0;
    let mut left: Option<Verdict> = None;
    for session in sessions.iter().take(MOST) {
        if session.pointer(&list.current) == Some(&Value::Bool(true)) {
            continue;
        }
        let verdict = match address(list, session) {
            Some(url) => end_one(context, list, url, credentials),
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
    Verdict { others_ended, ..left.unwrap_or_else(done) }
}

fn end_one(context: &Context, list: &SessionList, url: Url, credentials: &Credentials) -> Verdict {
    let mut request = Request::new(list.end_method.as_str(), url);
    request.bearer = bearer(context.provider, credentials, list.bearer);
    match ask(context, &request, credentials) {
        Ok(answer) if list.end_status.contains(&answer.status) => {
            Verdict::new(Outcome::Revoked, "the server ended the session")
        }
        Ok(answer) => refused(&answer, "the end of another session"),
        Err(verdict) => verdict,
    }
}

fn ask(context: &Context, request: &Request, credentials: &Credentials) -> Result<Answer, Verdict> {
    let hosts = &context.provider.hosts;
    let sent =
        context.client.exchange(request, hosts, &mut credentials.jar.clone(), context.cancel);
    sent.map_err(|error| proof::judge_failure(&error))
}

fn refused(answer: &Answer, what: &str) -> Verdict {
    let status = answer.status;
    let outcome = match status {
        408 | 425 | 429 | 500.. => Outcome::Deferred,
        _ => Outcome::Unconfirmed,
    };
    Verdict {
        status: Some(status),
        retry_after: answer.retry_after(),
        ..Verdict::new(outcome, format!("{what} was answered with status {status}"))
    }
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
