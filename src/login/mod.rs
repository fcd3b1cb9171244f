//! The ways to log in, one file each. They turn requests and answers into credentials; what
//! becomes of these is the keeper's business. Nothing is stored here.

mod account;
mod answer;
mod device_code;
mod hosted_form;
mod page_renewal;
mod password;
mod refresh_token;
mod request_renewal;

pub use account::{Known, identify, identify_offline, is_known};
pub use answer::take_given;
pub use device_code::{Device, wait as await_approval};

use crate::clock::Clock;
use crate::context::Context;
use crate::error::{Error, Fault, Kind, Result};
use crate::http::Answer;
use crate::provider::{Login, LoginKind, Provider, Renew};
use crate::secret::Secret;
use crate::session::{Credentials, REFRESH_TOKEN};
use crate::steps::{unexpected, unexpected_status};

/// What a renewal came to.
pub enum Renewal {
    /// Fresh credentials, all there are.
    Renewed(Credentials),
    /// The server wants the user again.
    Over,
    /// The request was sent, and no answer came that could be used: whether the server carried it
    /// out, and so used up what it was given, is not known.
    Lost(Error),
    /// The server failed over it; that it was not carried out is likely, and not certain.
    Failed(Error),
    /// The server has no such way.
    Absent(Error),
}

/// Who has to know how far a login is: its process may end at any moment, or a logout come first.
pub trait Progress {
    /// Called before the first request that may open a session; `held` is what came before that.
    /// After an error nothing is sent.
    fn begins(&mut self, held: &Credentials) -> Result<()>;

    /// Called with all that came so far, before anything else makes the login wait.
    fn received(&self, held: &Credentials);

    /// Fails when a logout came first.
    fn check(&self) -> Result<()>;
}

/// Logs in with a name and a password. What the server gave is in `credentials`, also after an
/// error: a login that breaks half-way may have opened a session.
pub fn log_in(
    context: &Context,
    username: &str,
    password: &Secret,
    credentials: &mut Credentials,
    progress: &mut dyn Progress,
) -> Result<()> {
    match context.provider.login(LoginKind::Password) {
        Some(Login::HostedForm(form)) => {
            hosted_form::log_in(context, form, username, password, credentials, progress)
        }
        Some(Login::Password(login)) => {
            password::log_in(context, login, username, password, credentials, progress)
        }
        _ => {
            let message = format!("{} wants a code, not a password", context.provider.name);
            Err(Error::new(Kind::InvalidInput, message).with_hint(
                "Ask for a code, and enter it on another device; no password is needed here.",
            ))
        }
    }
}

/// Asks for a code that the user enters on another device.
/// `credentials` are what the login begins with.
pub fn ask_for_code(context: &Context, credentials: Credentials) -> Result<Device> {
    match context.provider.login(LoginKind::DeviceCode) {
        Some(Login::DeviceCode {}) => device_code::ask(context, credentials),
        _ => {
            let message =
                format!("{} wants a name and a password, not a code", context.provider.name);
            Err(Error::new(Kind::InvalidInput, message)
                .with_hint("Log in with a name and a password."))
        }
    }
}

/// Gets fresh tokens without the user.
pub fn renew(context: &Context, renew: &Renew, credentials: Credentials) -> Result<Renewal> {
    match renew {
        Renew::Page(page) => page_renewal::renew(context, page, credentials),
        Renew::Request(request) => request_renewal::renew(context, request, credentials),
        Renew::RefreshToken { .. } => refresh_token::renew(context, credentials),
    }
}

/// True when `credentials` has what the provider's renewal sends, and it has not certainly ended.
pub fn can_renew(provider: &Provider, credentials: &Credentials, clock: &dyn Clock) -> bool {
    let holds_cookie = |name: &str| {
        let has_ended = credentials.jar.expires_at(name).is_some_and(|at| clock.is_past(at));
        credentials.jar.value(name).is_some() && !has_ended
    };
    match &provider.renew {
        None => false,
        Some(_) if provider.rotates() && credentials.is_spent => false,
        Some(Renew::Page(page)) => holds_cookie(&page.needs_cookie),
        Some(Renew::Request(request)) => match &request.needs_cookie {
            Some(name) => holds_cookie(name),
            None => credentials.value(REFRESH_TOKEN).is_some(),
        },
        Some(Renew::RefreshToken { .. }) => credentials.value(REFRESH_TOKEN).is_some(),
    }
}

/// What a renewal's request that failed means for what it carried.
fn judge_failure(error: Error) -> Result<Renewal> {
    match error.kind() {
        // It never arrived.
        Kind::Network(Fault::Dns | Fault::Connect | Fault::Tls) => Err(error),
        Kind::Network(_) | Kind::Cancelled => Ok(Renewal::Lost(error)),
        _ => Err(error),
    }
}

/// What a status means that no renewal ends with.
fn judge_status(name: &str, status: u16) -> Result<Renewal> {
    match status {
        // Something in between answered; the server may have carried it out all the same.
        ..400 | 502 | 504 => Ok(Renewal::Lost(unexpected_status(name, status))),
        404 | 405 | 410 | 501 => Ok(Renewal::Absent(unexpected_status(name, status))),
        408 | 500.. => Ok(Renewal::Failed(unexpected_status(name, status))),
        _ => Err(unexpected_status(name, status)),
    }
}

/// The page's text, if it is a whole page that came with success.
fn page_text(name: &str, answer: &Answer) -> Result<String> {
    match answer.status {
        200 if answer.is_cut => Err(unexpected(name, "is larger than 1 MiB")),
        200 => Ok(answer.text()),
        status => Err(unexpected_status(name, status)),
    }
}

fn refused() -> Error {
    Error::new(Kind::CredentialsRefused, "the user name or the password is wrong")
        .with_hint("Check both, including upper and lower case, and try again.")
}

/// RFC 9700 section 4.12: what was posted must not be sent on.
fn sent_elsewhere(name: &str) -> Error {
    let message = format!("{name} asked for the password to be sent to another address");
    Error::new(Kind::HostNotAllowed, message)
        .with_hint("The password was not sent on. Somebody may be tampering with the connection.")
}
