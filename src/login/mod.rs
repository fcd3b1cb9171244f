//! The ways in, a file each. They turn requests and pages into a cookie jar; what becomes of it is
//! the keeper's business. Nothing is stored here.

mod hosted_form;
mod page_renewal;

use crate::cancel::Cancel;
use crate::error::{Error, Kind, Result};
use crate::http::{Answer, Client, Jar};
use crate::provider::{Login, Provider, Renew};
use crate::secret::Secret;

/// What a way in works with.
pub struct Visit<'a> {
    pub client: &'a Client,
    pub provider: &'a Provider,
    pub cancel: &'a Cancel,
}

/// What a renewal came to.
pub enum Renewal {
    /// Fresh tokens are in the jar.
    Renewed(Jar),
    /// The server wants the user again.
    Over,
}

/// Signs in with a name and a password. Whatever comes of it, the server's cookies are in `jar`: a
/// login that breaks half-way may have opened a session.
pub fn log_in(visit: &Visit, username: &str, password: &Secret, jar: &mut Jar) -> Result<()> {
    match &visit.provider.login {
        Login::HostedForm(form) => hosted_form::log_in(visit, form, username, password, jar),
    }
}

/// Gets fresh tokens without the user, starting from the session's cookies.
pub fn renew(visit: &Visit, renew: &Renew, jar: Jar) -> Result<Renewal> {
    match renew {
        Renew::Page(page) => page_renewal::renew(visit, page, jar),
    }
}

/// The session's access token: the best of the cookies that may hold it.
pub fn token(provider: &Provider, jar: &Jar) -> Option<Secret> {
    let names = &provider.session.token_cookies;
    names.iter().filter_map(|name| jar.value(name)).find(|token| !token.is_empty())
}

/// The page's text, if it is a whole page that came with success.
fn page_text(name: &str, answer: &Answer) -> Result<String> {
    if answer.status != 200 {
        return Err(unexpected(name, &format!("answered with status {}", answer.status)));
    }
    if answer.is_cut {
        return Err(unexpected(name, "is larger than 1 MiB"));
    }
    Ok(answer.text())
}

fn unexpected(name: &str, why: &str) -> Error {
    Error::new(Kind::UnexpectedAnswer, format!("{name} {why}"))
        .hint("Try again later. If it stays so, the service has changed and its provider file has to follow.")
}
