//! Renewing by a page: given the long-lived cookie, it ends signed in, with a new token in a cookie;
//! without one that the server accepts, it ends at the login form.
//!
//! What counts is the token: when a new one came, the renewal worked, whatever the last page says.

use super::{Renewal, page_text, unexpected};
use crate::credentials::Credentials;
use crate::error::Result;
use crate::http::{Request, form};
use crate::provider::RenewPage;
use crate::secret::Secret;
use crate::visit::Visit;

pub(super) fn renew(visit: &Visit, page: &RenewPage, mut held: Credentials) -> Result<Renewal> {
    if held.jar.value(&page.needs_cookie).is_none() {
        return Ok(Renewal::Over);
    }
    let before = held.jar.clone();
    let rule = &visit.provider.session;
    let request = Request::get(page.url.clone());
    let answer = visit.client.follow(&request, &visit.provider.hosts, &mut held.jar, visit.cancel);
    // A token under a former name, left behind when the present one is deleted, is not a new one.
    let is_old = |token: &Secret| {
        rule.token_cookies.iter().any(|name| before.value(name).as_ref() == Some(token))
    };
    if held.token(rule).is_some_and(|token| !is_old(&token)) {
        return Ok(Renewal::Renewed(held));
    }
    let text = page_text("the renewal page", &answer?)?;
    if form::input_value(&text, &page.form_input).is_some() {
        return Ok(Renewal::Over);
    }
    Err(unexpected("the renewal page", "gave no new token and is not the login form"))
}
