//! Logging in by one request with the name and the password, answered with JSON, cookies or both.
//!
//! Once it is sent it is not cancelled: the server may have opened a session by then, and somebody
//! has to know of it. A server that cannot read the one kind of body gets the other, if there is one.

use super::question::{Asked, settle};
use super::{Progress, Told, answer, refused, sent_elsewhere, unexpected, unexpected_status};
use crate::cancel::Cancel;
use crate::context::Context;
use crate::error::Result;
use crate::http::Request;
use crate::provider::{PasswordLogin, Values};
use crate::secret::Secret;
use crate::session::Credentials;

const NAME: &str = "the login";

pub(super) fn log_in(
    context: &Context,
    login: &PasswordLogin,
    username: &str,
    password: &Secret,
    credentials: &mut Credentials,
    (progress, viewer): Told,
) -> Result<()> {
    progress.begins(credentials)?;
    context.cancel.check()?;
    let values = Values::from([
        ("username".to_owned(), Secret::new(username)),
        ("password".to_owned(), password.clone()),
    ]);
    let mut requests = login.requests().map(|body| {
        Request::filled("POST", &login.url, body, &values).with_header("Accept", "application/json")
    });
    let mut send = |request: &Request, held: &mut Credentials, _: &mut dyn Progress| {
        let hosts = &context.provider.hosts;
        context.client.exchange(request, hosts, &mut held.jar, &Cancel::new())
    };
    let first = requests.next().ok_or_else(|| unexpected(NAME, "has no body to send"))?;
    let mut answer = send(&first, credentials, progress)?;
    // RFC 9110 sections 15.5.16 and 15.5.21: the body was not understood, and nobody logged in.
    if let (415 | 422, Some(other)) = (answer.status, requests.next()) {
        answer = send(&other, credentials, progress)?;
    }
    let asked = Asked { questions: &login.question, values };
    let told = (progress, viewer);
    let answer = settle(context, asked, answer, credentials, told, &mut send)?;
    match answer.status {
        status if login.refused_status.contains(&status) => Err(refused()),
        200 | 201 => answer::read(context, NAME, &answer, credentials),
        204 => Ok(()),
        307 | 308 => Err(sent_elsewhere(NAME)),
        status => Err(unexpected_status(NAME, status)),
    }
}
