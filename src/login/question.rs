//! What the server asks after the name and the password, and the requests that carry the answers.
//!
//! The answer goes where its template stands, and nowhere else. A request that has carried one is
//! not cancelled: the server may have opened a session by then, and somebody has to know of it.

use super::{Progress, Question, Told};
use crate::context::Context;
use crate::error::{Error, Kind, Result};
use crate::http::{Answer, Request};
use crate::provider::{self, ANSWER, QuestionKind, Sign, Values};
use crate::secret::Secret;
use crate::session::Credentials;
use crate::steps::{self, unexpected};

/// No service asks for more in one login.
const MOST: usize = 5;

/// What errors call the request that carries an answer.
const NAME: &str = "the request with the code";

/// An answer, and that of where it sends on to.
pub(super) struct Sent {
    pub answer: Answer,
    pub landing: Option<Answer>,
}

impl Sent {
    fn last(&self) -> &Answer {
        self.landing.as_ref().unwrap_or(&self.answer)
    }

    fn shows(&self, signs: &[Sign]) -> bool {
        let mut answers = [Some(&self.answer), self.landing.as_ref()].into_iter().flatten();
        answers.any(|answer| steps::shows(signs, answer))
    }
}

/// How a request is sent: with its redirects or without.
pub(super) type Exchange<'a> =
    dyn Fn(&Request, &mut Credentials, &mut dyn Progress) -> Result<Sent> + 'a;

/// Puts what the server asks to the viewer, until it asks for nothing more: its last word. `None`
/// where it has asked for nothing.
pub(super) fn settle(
    context: &Context,
    questions: &[provider::Question],
    first: &Sent,
    values: &mut Values,
    credentials: &mut Credentials,
    (progress, viewer): Told,
    exchange: &Exchange,
) -> Result<Option<Sent>> {
    let mut last = None;
    for _ in 0..=MOST {
        let newest = last.as_ref().unwrap_or(first);
        let Some(question) = questions.iter().find(|question| newest.shows(&question.when)) else {
            return Ok(last);
        };
        log::info!("the service asks for something more ({:?})", question.kind);
        // What came so far is a session at some servers.
        progress.received(credentials);
        let name = "the answer that asks for more";
        steps::take(name, &question.take, newest.last(), &credentials.jar, values)?;
        steps::run(context, &question.steps, credentials, values)?;
        let told: Told = (progress, viewer);
        last = Some(ask(context, question, values, credentials, told, exchange)?);
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
    exchange: &Exchange,
) -> Result<Sent> {
    for wrong in 0..*question.tries {
        // The process may end while somebody types.
        progress.received(credentials);
        let given = viewer.ask(Question {
            kind: question.kind,
            about: question.about.to_string(),
            tries_left: *question.tries - wrong,
            again: wrong > 0,
        })?;
        context.cancel.check()?;
        progress.check()?;
        values.insert(ANSWER.to_owned(), tidied(question.kind, given));
        let request = steps::fill(context, question.request(), credentials, values);
        values.remove(ANSWER);
        let request = request.ok_or_else(|| steps::lacks_value(NAME))?.accepting_json();
        let reply = exchange(&request, credentials, progress)?;
        if question.expired.as_ref().is_some_and(|signs| reply.shows(signs)) {
            return Err(too_late());
        }
        if !is_refused(question, &reply) {
            return Ok(reply);
        }
        // It may bring what the next one has to carry.
        values.extend(steps::find(&question.take, reply.last(), &credentials.jar));
    }
    Err(Error::new(Kind::AnswerRefused, "the service did not accept the answer")
        .with_hint("Log in again, and look closely at what is asked for."))
}

/// A server that asks the same once more has refused what it got.
fn is_refused(question: &provider::Question, sent: &Sent) -> bool {
    question.refused_status.contains(&sent.answer.status)
        || question.refused.as_ref().is_some_and(|signs| sent.shows(signs))
        || sent.shows(&question.when)
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
