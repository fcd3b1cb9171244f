//! A page or an answer that is fetched for what a later step of the logout sends: a hidden token, a
//! token for the API. It proves nothing, unless it shows that the session was over before.

use super::request::unknown_to_the_server;
use super::{Verdict, bearer, outlives_token, proof};
use crate::context::Context;
use crate::error::Result;
use crate::provider::{LogoutPage, Values};
use crate::session::{Credentials, Outcome};
use crate::steps;

/// `None`: it gave what it was fetched for. Otherwise what it says of the logout: what needs its
/// values is not sent.
pub(super) fn fetch(
    context: &Context,
    page: &LogoutPage,
    credentials: &mut Credentials,
    values: &mut Values,
) -> Result<Option<Verdict>> {
    let Some(mut request) = steps::fill(context, page.request(), credentials, values) else {
        return Ok(Some(unknown_to_the_server()));
    };
    request.bearer = bearer(context.provider, credentials, page.bearer);
    let hosts = &context.provider.hosts;
    // What the page sets, as a token in a cookie, goes along with the steps that follow. A cookie
    // that it deletes stays: the proof is held against what was there.
    let mut jar = credentials.jar.clone();
    let answer = if page.follow {
        context.client.follow(&request, hosts, &mut jar, context.cancel)
    } else {
        context.client.exchange(&request, hosts, &mut jar, context.cancel)
    }?;
    if page.ended.as_ref().is_some_and(|signs| steps::shows(signs, &answer)) {
        let why = "the server says that the session was over";
        let ended = Verdict::of(&answer, Outcome::AlreadyEnded, why);
        if page.bearer && outlives_token(credentials, context.provider) {
            return Ok(Some(proof::token_refused(ended, Outcome::AlreadyEnded)));
        }
        return Ok(Some(ended));
    }
    credentials.jar = credentials.jar.overlaid_with(&jar);
    let is_answer = matches!(answer.status, 200..300) || (!page.follow && answer.status < 400);
    if !is_answer || answer.is_cut {
        return Ok(Some(proof::judge_useless(&page.name, &answer)));
    }
    match steps::take(&page.name, &page.take, &answer, &credentials.jar, values) {
        Ok(()) => Ok(None),
        Err(error) => Ok(Some(Verdict::of(&answer, Outcome::Unconfirmed, error.message()))),
    }
}
