//! What the server asks after the name and the password, and the requests that carry the answers.
//!
//! The answer goes where its template stands, and nowhere else. A request that has carried one is
//! not cancelled: the server may have opened a session by then, and somebody has to know of it.

use super::{Progress, Question, Told, unexpected};
use crate::context::Context;
use crate::error::{Error, Kind, Result};
use crate::http::{Answer, Request, form};
use crate::provider::{self, ANSWER, QuestionKind, Sign, Values};
use crate::secret::Secret;
use crate::session::Credentials;
use serde_json::Value;

/// No service asks for more in one login.
const MOST: usize = 5;

/// How an answer is had of a request: with its redirects or without.
pub(super) type Send<'a> =
    dyn FnMut(&Request, &mut Credentials, &mut dyn Progress) -> Result<Answer> + 'a;

/// What a login that may be asked something knows.
pub(super) struct Asked<'a> {
    pub questions: &'a [provider::Question],
    pub values: Values,
}

impl Asked<'_> {
    /// True where the answer asks for something.
    pub fn is_by(&self, answer: &Answer) -> bool {
        self.questions.iter().any(|question| shows(&question.when, answer))
    }
}

/// Puts the questions that `answer` asks to the viewer, until an answer comes that asks nothing.
pub(super) fn settle(
    context: &Context,
    mut asked: Asked,
    mut answer: Answer,
    credentials: &mut Credentials,
    (progress, viewer): Told,
    send: &mut Send,
) -> Result<Answer> {
    for _ in 0..MOST {
        let is_asked = |question: &&provider::Question| shows(&question.when, &answer);
        let Some(question) = asked.questions.iter().find(is_asked) else { return Ok(answer) };
        log::info!("the service asks for something more: {:?}", question.kind);
        take(question, &answer, &mut asked.values);
        if let Some(name) = question.take.keys().find(|name| !asked.values.contains_key(*name)) {
            return Err(unexpected("the answer that asks for more", &format!("holds no {name}")));
        }
        let values = &mut asked.values;
        answer = ask(context, question, values, credentials, (progress, viewer), send)?;
    }
    Err(unexpected("the login", "asks for more and more"))
}

/// Asks until the answer is not refused.
fn ask(
    context: &Context,
    question: &provider::Question,
    values: &mut Values,
    credentials: &mut Credentials,
    (progress, viewer): Told,
    send: &mut Send,
) -> Result<Answer> {
    let mut tries_left = *question.tries;
    while tries_left > 0 {
        // What came so far is a session at some servers: the process may end while somebody types.
        progress.received(credentials);
        let given = viewer.ask(Question {
            kind: question.kind,
            about: question.about.to_string(),
            tries_left,
            again: tries_left < *question.tries,
        })?;
        context.cancel.check()?;
        progress.check()?;
        values.insert(ANSWER.to_owned(), tidied(question.kind, given));
        let request = Request::filled("POST", &question.url, question.request(), values)
            .with_header("Accept", "application/json");
        values.remove(ANSWER);
        let answer = send(&request, credentials, progress)?;
        if question.expired.as_ref().is_some_and(|sign| shows(sign, &answer)) {
            return Err(too_late());
        }
        if !is_refused(question, &answer) {
            return Ok(answer);
        }
        tries_left -= 1;
        // It may bring what the next one has to carry.
        take(question, &answer, values);
    }
    Err(Error::new(Kind::AnswerRefused, "the service did not accept the answer")
        .with_hint("Log in again, and look closely at what is asked for."))
}

/// A server that asks the same once more has refused what it got.
fn is_refused(question: &provider::Question, answer: &Answer) -> bool {
    question.refused_status.contains(&answer.status)
        || question.refused.as_ref().is_some_and(|sign| shows(sign, answer))
        || shows(&question.when, answer)
}

/// Apps show codes in groups, and people type them so.
fn tidied(kind: QuestionKind, given: Secret) -> Secret {
    match kind {
        QuestionKind::Text => given,
        _ => Secret::new(given.expose().split_whitespace().collect::<String>()),
    }
}

pub fn too_late() -> Error {
    Error::new(Kind::CodeExpired, "the question was not answered in time")
        .with_hint("Log in again, and answer sooner.")
}

fn take(question: &provider::Question, answer: &Answer, values: &mut Values) {
    let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    for (name, pointer) in &question.take {
        if let Some(text) = body.pointer(pointer).and_then(Value::as_str) {
            values.insert(name.clone(), Secret::new(text));
        }
    }
}

fn shows(sign: &Sign, answer: &Answer) -> bool {
    let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    (sign.status.is_empty() || sign.status.contains(&answer.status))
        && sign.json.iter().all(|(pointer, value)| body.pointer(pointer) == Some(value))
        && sign.class.as_ref().is_none_or(|class| form::has_class(&answer.text(), class))
}
