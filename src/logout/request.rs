//! Logging out by a request that carries the session's credentials. A redirect is the answer
//! itself: it is looked at, not followed.
//!
//! A request without credentials proves nothing, whatever the answer; so none is made.

use super::{Notes, Tried, Verdict, carried, has_lapsed, outlives_token, proof, token_end};
use crate::context::Context;
use crate::cookies::Jar;
use crate::error::Result;
use crate::http::Request;
use crate::provider::{
    CLAIM, COOKIE, LogoutPage, LogoutRequest, ProbeRequest, Provider, RequestTemplate, TOKENS,
    Target, Values,
};
use crate::session::claims::is_showable;
use crate::session::{ACCESS_TOKEN, Credentials, Outcome, REFRESH_TOKEN};
use crate::steps;
use serde_json::Value;
use url::Url;

pub(super) fn send(
    context: &Context,
    logout: &LogoutRequest,
    credentials: &mut Credentials,
    values: &Values,
    notes: &mut Notes,
) -> Result<Verdict> {
    let Some(request) = build(context, logout, credentials, values) else {
        return Ok(match logout.target() {
            Target::Given(_) => unknown_to_the_server(),
            Target::Taken(name) => {
                let why = format!("no answer contained the '{name}' that is to be opened");
                Verdict { is_settled: true, ..Verdict::new(Outcome::Unconfirmed, why) }
            }
        });
    };
    let sends_cookies = credentials.jar.header_for(&request.url, context.clock).is_some();
    if matches!(logout.target(), Target::Given(_))
        && !sends_cookies
        && request.carried.is_empty()
        && !carries(context.provider, logout.request())
    {
        return Ok(unknown_to_the_server());
    }
    // The answer's cookies go into a copy: the originals are what the proof is held against.
    let mut copy = credentials.jar.clone();
    let hosts = &context.provider.hosts;
    let answer = context.client.exchange(&request, hosts, &mut copy, context.cancel)?;
    let (held, left) = (credentials.jar.names(), copy.names());
    notes.server_cookies_cleared.extend(held.into_iter().filter(|name| !left.contains(name)));
    let verdict = match &logout.ended {
        Some(signs) if steps::shows(signs, &answer) => {
            Verdict::of(&answer, Outcome::AlreadyEnded, "the server says that the session was over")
        }
        _ => proof::judge(logout.proof.as_ref(), &request.url, &credentials.jar, &answer),
    };
    let body: Value = serde_json::from_slice(&answer.body).unwrap_or(Value::Null);
    for (name, value) in steps::find(&logout.take, &answer, &copy) {
        credentials.set(&name, value);
    }
    if let Some(pointer) = &logout.warning {
        let text = body.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
        if notes.audit_warning.is_empty() && is_showable(text) {
            text.clone_into(&mut notes.audit_warning);
        }
    }
    // The refusal of a token, or of its absence, says nothing of what outlives it.
    let lacks_token = !context.provider.session.token_cookies.is_empty()
        && !carries_token_cookie(context, &request.url, &credentials.jar);
    let template = logout.request();
    let holds_token = holds(template, ACCESS_TOKEN) && !holds(template, REFRESH_TOKEN);
    let is_refused = (logout.bearer || holds_token || lacks_token)
        && (matches!(answer.status, 401 | 403) || verdict.outcome == Outcome::AlreadyEnded);
    if is_refused && outlives_token(credentials, context.provider) {
        return Ok(proof::token_refused(verdict, Outcome::AlreadyEnded));
    }
    Ok(verdict)
}

/// True when the request needs what an earlier answer should have held, and that answer was none.
pub(super) fn waits_in_vain(
    logout: &LogoutRequest,
    credentials: &Credentials,
    before: &[Verdict],
) -> bool {
    let has_failed = |verdict: &Verdict| {
        matches!(verdict.outcome, Outcome::Rejected | Outcome::Deferred | Outcome::AlreadyEnded)
    };
    let lacks = |name: &str| credentials.value(name).is_none();
    matches!(logout.target(), Target::Taken(name) if lacks(name)) && before.iter().any(has_failed)
}

/// Tries the credentials.
pub(super) fn probe(context: &Context, probe: &ProbeRequest, credentials: &Credentials) -> Tried {
    let template = probe.request();
    let carries_token = if probe.bearer {
        credentials.token(&context.provider.session).is_some()
    } else if holds(template, ACCESS_TOKEN) {
        true
    } else {
        carries_token_cookie(context, &probe.url, &credentials.jar)
            || carries(context.provider, template)
    };
    let request = steps::fill(context, template, credentials, &Values::new());
    let Some(mut request) = request.filter(|_| carries_token) else { return Tried::Unclear };
    if has_lapsed(context, credentials) {
        return Tried::Unclear;
    }
    request.carry(carried(context.provider, credentials, probe.bearer));
    let (hosts, mut jar) = (&context.provider.hosts, credentials.jar.clone());
    let answer = match context.client.exchange(&request, hosts, &mut jar, context.cancel) {
        Ok(answer) => answer,
        Err(error) => {
            log::debug!("the probe had no answer: {error}");
            return Tried::Unclear;
        }
    };
    log::debug!("the probe was answered with status {}", answer.status);
    // A token that has ended by itself is refused, too. Whether it has, the server's time tells.
    let now = answer.date().or_else(|| context.clock.known_now());
    let may_have_ended =
        token_end(context, credentials).is_some_and(|ends| now.is_none_or(|now| ends <= now));
    if may_have_ended && outlives_token(credentials, context.provider) {
        return Tried::Unclear;
    }
    match answer.status {
        status if probe.is_refused_by(status) => Tried::Refused(Some(status)),
        status if probe.refused.as_ref().is_some_and(|signs| steps::shows(signs, &answer)) => {
            Tried::Refused(Some(status))
        }
        200..300 => Tried::Accepted,
        _ => Tried::Unclear,
    }
}

/// True when the server would know the session by this request.
pub(super) fn is_sendable(
    provider: &Provider,
    logout: &LogoutRequest,
    credentials: &Credentials,
) -> bool {
    match logout.target() {
        Target::Taken(name) => credentials.value(name).is_some(),
        Target::Given(url) => {
            is_known_by(provider, logout.request(), url, logout.bearer, credentials)
        }
    }
}

/// The same of a page.
pub(super) fn is_page_sendable(
    provider: &Provider,
    page: &LogoutPage,
    credentials: &Credentials,
) -> bool {
    is_known_by(provider, page.request(), &page.url, page.bearer, credentials)
}

fn is_known_by(
    provider: &Provider,
    template: RequestTemplate,
    url: &Url,
    with_bearer: bool,
    credentials: &Credentials,
) -> bool {
    let sends_cookies = !credentials.jar.subset_for(&[url]).is_empty();
    let sends_token = with_bearer && credentials.token(&provider.session).is_some();
    let is_filled =
        || carries(provider, template) && steps::can_fill(provider, template, credentials);
    sends_cookies || sends_token || is_filled()
}

/// The request; `None` where it needs a value that is not there.
fn build(
    context: &Context,
    logout: &LogoutRequest,
    credentials: &Credentials,
    values: &Values,
) -> Option<Request> {
    let mut request = steps::fill(context, logout.request(), credentials, values)?;
    request.carry(carried(context.provider, credentials, logout.bearer));
    Some(request)
}

/// True when the request carries values of the session in its address, its headers or its body.
fn carries(provider: &Provider, template: RequestTemplate) -> bool {
    let kept = &provider.session.keep;
    template.places().any(|place| {
        TOKENS.contains(&place)
            || place.starts_with(CLAIM)
            || place.starts_with(COOKIE)
            || kept.iter().any(|kept| kept == place)
    })
}

/// True when the request carries that value of the session.
fn holds(template: RequestTemplate, value: &str) -> bool {
    template.places().any(|place| place == value)
}

/// True when a request to `url` would carry a token that has not ended by itself: only its refusal
/// says something about the session.
fn carries_token_cookie(context: &Context, url: &Url, jar: &Jar) -> bool {
    let sent = jar.subset_for(&[url]);
    context.provider.session.token_cookies.iter().any(|name| {
        let has_ended = sent.expires_at(name).is_some_and(|at| context.clock.is_past(at));
        sent.value(name).is_some() && !has_ended
    })
}

pub(super) fn unknown_to_the_server() -> Verdict {
    let why = "no credentials are left for the logout's address";
    Verdict { is_settled: true, ..Verdict::new(Outcome::Unconfirmed, why) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::LogoutStep;
    use crate::secret::Secret;

    /// Whether a request of which `lines` tell more says whose session it is about.
    fn is_known_by(lines: &str, credentials: &Credentials) -> bool {
        let text = include_str!("../../tests/it/service.toml").replace("PORT", "9");
        let place = "/logout\"\n";
        let text = text.replace(place, &format!("{place}{lines}\n")).replace("GET", "POST");
        let provider = Provider::parse(&text, None).unwrap();
        match provider.logout.steps.first() {
            Some(LogoutStep::Request(request)) => is_sendable(&provider, request, credentials),
            _ => panic!("the test service logs out by a request"),
        }
    }

    #[test]
    fn a_request_is_of_use_that_carries_something_of_the_session() {
        let (none, mut some) = (Credentials::new(), Credentials::new());
        some.set(ACCESS_TOKEN, Secret::new("at"));
        let values = "form = { token = \"{access_token}\" }";
        for (lines, without, with) in
            [("", false, false), ("bearer = true", false, true), (values, false, true)]
        {
            assert_eq!(is_known_by(lines, &none), without, "{lines}");
            assert_eq!(is_known_by(lines, &some), with, "{lines}");
        }
    }
}
