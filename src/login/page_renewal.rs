//! Renewing by a page: given the long-lived cookie, it ends logged in, with a new token in a
//! cookie; without one that the server accepts, it ends at the login form.
//!
//! What counts is the token: when a new one came, the renewal worked, whatever the last page says.

use super::{Renewal, page_text};
use crate::context::Context;
use crate::error::Result;
use crate::http::{Request, form};
use crate::provider::RenewPage;
use crate::secret::Secret;
use crate::session::Credentials;
use crate::steps::unexpected;

pub(super) fn renew(
    context: &Context,
    page: &RenewPage,
    mut credentials: Credentials,
) -> Result<Renewal> {
    if credentials.jar.value(&page.needs_cookie).is_none() {
        return Ok(Renewal::Over);
    }
    let before = credentials.jar.clone();
    let rule = &context.provider.session;
    let request = Request::get(page.url.to_url());
    let answer = context.client.follow(
        &request,
        &context.provider.hosts,
        &mut credentials.jar,
        context.cancel,
    );
    // A token under a former name, left behind when the present one is deleted, is not a new one.
    let is_old = |token: &Secret| {
        rule.token_cookies.iter().any(|name| before.value(name).as_ref() == Some(token))
    };
    if credentials.token(rule).is_some_and(|token| !is_old(&token)) {
        return Ok(Renewal::Renewed(credentials));
    }
    let text = page_text("the renewal page", &answer?)?;
    if form::input_value(&text, &page.form_input).is_some() {
        return Ok(Renewal::Over);
    }
    Err(unexpected("the renewal page", "gave no new token and is not the login form"))
}
