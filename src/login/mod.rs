//! The ways in, a file each. They turn requests and answers into credentials; what becomes of these
//! is the keeper's business. Nothing is stored here.

mod answer;
mod device_code;
mod hosted_form;
mod page_renewal;
mod password;
mod refresh_token;
mod request_renewal;

pub use answer::ACCOUNT;
pub use device_code::Device;

use crate::clock::Clock;
use crate::credentials::{Credentials, REFRESH_TOKEN};
use crate::error::{Error, Fault, Kind, Result};
use crate::http::Answer;
use crate::provider::{Login, Provider, Renew};
use crate::secret::Secret;
use crate::visit::Visit;

/// What a renewal came to.
pub enum Renewal {
    /// Fresh credentials, all there are.
    Renewed(Credentials),
    /// The server wants the user again.
    Over,
    /// The request was sent, and no answer came that could be used: whether the server carried it
    /// out, and so used up what it was given, is not known.
    Lost(Error),
}

/// Signs in with a name and a password. Whatever comes of it, what the server gave is in `gained`: a
/// login that breaks half-way may have opened a session.
pub fn log_in(
    visit: &Visit,
    username: &str,
    password: &Secret,
    gained: &mut Credentials,
) -> Result<()> {
    match &visit.provider.login {
        Login::HostedForm(form) => hosted_form::log_in(visit, form, username, password, gained),
        Login::Password(login) => password::log_in(visit, login, username, password, gained),
        Login::DeviceCode => {
            let message = format!("{} is signed in to with a code", visit.provider.name);
            Err(Error::new(Kind::InvalidInput, message).hint(
                "Ask for a code, and enter it on another device; no password is needed here.",
            ))
        }
    }
}

/// Asks for a code that the user enters on another device.
pub fn ask_for_code(visit: &Visit) -> Result<Device> {
    match &visit.provider.login {
        Login::DeviceCode => device_code::ask(visit),
        Login::HostedForm(_) | Login::Password(_) => {
            let message = format!("{} is signed in to with a password", visit.provider.name);
            Err(Error::new(Kind::InvalidInput, message).hint("Log in with a name and a password."))
        }
    }
}

/// Waits until the user has entered the code, or its time is over.
pub fn await_approval(visit: &Visit, device: &Device, gained: &mut Credentials) -> Result<()> {
    device_code::wait(visit, device, gained)
}

/// Gets fresh tokens without the user.
pub fn renew(visit: &Visit, renew: &Renew, held: Credentials) -> Result<Renewal> {
    match renew {
        Renew::Page(page) => page_renewal::renew(visit, page, held),
        Renew::Request(request) => request_renewal::renew(visit, request, held),
        Renew::RefreshToken { .. } => refresh_token::renew(visit, held),
    }
}

/// True when `held` has what the provider's renewal sends, and it has not certainly ended.
pub fn can_renew(provider: &Provider, held: &Credentials, clock: &dyn Clock) -> bool {
    let holds_cookie = |name: &str| {
        let has_ended = held.jar.expires_at(name).is_some_and(|at| clock.is_past(at));
        held.jar.value(name).is_some() && !has_ended
    };
    match &provider.renew {
        None => false,
        Some(_) if provider.rotates() && held.is_spent() => false,
        Some(Renew::Page(page)) => holds_cookie(&page.needs_cookie),
        Some(Renew::Request(request)) => match &request.needs_cookie {
            Some(name) => holds_cookie(name),
            None => held.value(REFRESH_TOKEN).is_some(),
        },
        Some(Renew::RefreshToken { .. }) => held.value(REFRESH_TOKEN).is_some(),
    }
}

fn read_answer(visit: &Visit, name: &str, answer: &Answer, gained: &mut Credentials) -> Result<()> {
    answer::read(visit.provider, visit.clock.now(), name, answer, gained)
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

/// The page's text, if it is a whole page that came with success.
fn page_text(name: &str, answer: &Answer) -> Result<String> {
    check_whole(name, answer)?;
    Ok(answer.text())
}

fn check_whole(name: &str, answer: &Answer) -> Result<()> {
    if answer.status != 200 {
        return Err(unexpected(name, &format!("answered with status {}", answer.status)));
    }
    if answer.is_cut {
        return Err(unexpected(name, "is larger than 1 MiB"));
    }
    Ok(())
}

fn unexpected(name: &str, why: &str) -> Error {
    Error::new(Kind::UnexpectedAnswer, format!("{name} {why}"))
        .hint("Try again later. If it stays so, the service has changed and its provider file has to follow.")
}

fn refused() -> Error {
    Error::new(Kind::CredentialsRefused, "the user name or the password is wrong")
        .hint("Check both, also upper and lower case, and try again.")
}

/// RFC 9700 section 4.12: what was posted must not be sent on.
fn sent_elsewhere(name: &str) -> Error {
    let message = format!("{name} asked for the password to be sent to another address");
    Error::new(Kind::HostNotAllowed, message)
        .hint("The password was not sent on. Somebody may be tampering with the connection.")
}
