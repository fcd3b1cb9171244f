//! Logging in with a browser (RFC 6749 section 4.1 with PKCE, RFC 8252): it is sent to the service,
//! and comes back with a code, to this machine or as an address that the user pastes.

use super::loopback::Loopback;
use super::{Progress, answer};
use crate::cancel::{Cancel, cancelled};
use crate::clock::{Clock, UnixTime};
use crate::context::Context;
use crate::error::{Error, Kind, Result};
use crate::oauth::authorization::{Authorization, Refused};
use crate::oauth::{Endpoint, OAuthClient};
use crate::provider::AuthorizationCode;
use crate::secret::Secret;
use crate::session::{Credentials, ID_TOKEN, IdToken};
use crate::steps::unexpected;
use serde::Deserialize;
use std::time::{Duration, Instant};

const NAME: &str = "the login";

/// How long a browser is waited for.
const LONGEST_WAIT: Duration = Duration::from_secs(300);

/// How long somebody may take who carries an address by hand.
const LONGEST_PASTE: Duration = Duration::from_secs(900);

/// How often it is looked whether the browser is there.
const LOOK: Duration = Duration::from_millis(50);

/// How many looks lie between two questions whether a logout came first.
const LOOKS_BEFORE_A_CHECK: u32 = 20;

/// How the answer comes back from the browser.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Redirect {
    // The browser is on this machine, and ends at a page of ours.
    Loopback,
    // The user gives the address at which the browser ended.
    Paste,
}

/// A login that is on its way in a browser. Dropping it ends it.
pub struct BrowserLogin {
    pub authorization: Authorization,
    pub expires_at: UnixTime,
    deadline: Instant,
    /// The endpoints that were learned, for the session.
    learned: Credentials,
    loopback: Option<Loopback>,
}

pub(super) fn begin(
    context: &Context,
    login: &AuthorizationCode,
    redirect: Redirect,
    mut learned: Credentials,
) -> Result<BrowserLogin> {
    let no_such = |what: &str, hint: &str| {
        let message = format!("the provider file names no redirect address {what}");
        Error::new(Kind::InvalidInput, message).with_hint(hint)
    };
    let (loopback, redirect_uri, life) = match redirect {
        Redirect::Loopback => {
            let hint = "Paste the address at which the browser ends instead.";
            let uri = login.loopback().ok_or_else(|| no_such("on this machine", hint))?;
            let loopback = Loopback::open(uri)?;
            let uri = loopback.redirect_uri.clone();
            (Some(loopback), uri, LONGEST_WAIT)
        }
        Redirect::Paste => {
            let uri = login.pasted().ok_or_else(|| no_such("at all", ""))?;
            (None, uri.clone(), LONGEST_PASTE)
        }
    };
    let oauth = OAuthClient::new(context.client, context.provider, context.cancel)?;
    let authorization = Authorization::request(&oauth, redirect_uri, &mut learned)?;
    Ok(BrowserLogin {
        authorization,
        expires_at: context.clock.now() + i64::try_from(life.as_secs()).unwrap_or(0),
        deadline: context.clock.instant() + life,
        learned,
        loopback,
    })
}

impl BrowserLogin {
    pub fn is_over(&self, clock: &dyn Clock) -> bool {
        clock.instant() >= self.deadline
    }

    /// True where the browser ends at a page of ours.
    pub fn listens(&self) -> bool {
        self.loopback.is_some()
    }

    /// The code in the address that somebody has pasted.
    pub fn read(&self, address: &str) -> std::result::Result<Secret, Refused> {
        self.authorization.read(address)
    }
}

/// Waits for the browser, and logs in.
pub fn wait(
    context: &Context,
    mut login: BrowserLogin,
    credentials: &mut Credentials,
    progress: &mut dyn Progress,
) -> Result<()> {
    let Some(mut loopback) = login.loopback.take() else {
        return Err(Error::new(Kind::Internal, "nobody listens for the browser"));
    };
    *credentials = login.learned.clone();
    progress.begins(credentials)?;
    let code = hear(context, &login, &mut loopback, progress)?;
    // Nobody else is heard.
    drop(loopback);
    exchange(context, &login, &code, credentials)
}

/// Logs in with the code that an address held.
pub fn finish(
    context: &Context,
    login: &BrowserLogin,
    code: &Secret,
    credentials: &mut Credentials,
    progress: &mut dyn Progress,
) -> Result<()> {
    *credentials = login.learned.clone();
    progress.begins(credentials)?;
    exchange(context, login, code, credentials)
}

/// The code with which the browser comes. Whoever else comes is sent away, and ends nothing.
fn hear(
    context: &Context,
    login: &BrowserLogin,
    loopback: &mut Loopback,
    progress: &mut dyn Progress,
) -> Result<Secret> {
    let mut looks = 0_u32;
    loop {
        while let Some(caller) = loopback.next(Instant::now()) {
            match login.read(&caller.address) {
                Err(Refused { is_final: false, .. }) => {
                    log::warn!("a browser came with what is no answer to this login");
                    caller.refuse();
                }
                answer => {
                    caller.thank();
                    return answer.map_err(|refused| refused.error);
                }
            }
        }
        if login.is_over(context.clock) {
            return Err(expired());
        }
        if !context.clock.wait(LOOK, context.cancel) {
            return Err(cancelled());
        }
        looks = looks.wrapping_add(1);
        if looks.is_multiple_of(LOOKS_BEFORE_A_CHECK) {
            progress.check()?;
        }
    }
}

/// RFC 6749 section 4.1.3.
fn exchange(
    context: &Context,
    login: &BrowserLogin,
    code: &Secret,
    credentials: &mut Credentials,
) -> Result<()> {
    context.cancel.check()?;
    // It is not cut off: the answer may hold the tokens.
    let whole = Cancel::new();
    let oauth = OAuthClient::new(context.client, context.provider, &whole)?;
    let url = oauth.need(Endpoint::Token, credentials)?;
    let fields = login.authorization.exchange(code);
    let answer = oauth.post(Endpoint::Token, url, &fields, credentials)?;
    let word = oauth.error_code(&answer);
    match (answer.status, word.as_deref()) {
        // GitHub answers a refusal with status 200.
        (200, None) => {}
        (200 | 400 | 401 | 403, Some("invalid_grant" | "bad_verification_code")) => {
            let message = "the service does not accept the code of this login";
            return Err(Error::new(Kind::LoginDenied, message).with_hint(
                "Begin another login. Each serves once, and soon after the browser has ended.",
            ));
        }
        (status, word) => {
            let why = word.map(|word| format!(" ({word})")).unwrap_or_default();
            return Err(unexpected(NAME, &format!("ended with status {status}{why}")));
        }
    }
    answer::read(context, NAME, &answer, credentials)?;
    check_nonce(context, login, credentials)
}

/// OpenID Connect Core 1.0 section 3.1.3.7: "If a nonce value was sent in the Authentication Request,
/// a nonce Claim MUST be present and its value checked to verify that it is the same value as the
/// one that was sent".
fn check_nonce(context: &Context, login: &BrowserLogin, held: &Credentials) -> Result<()> {
    let sent = login.authorization.nonce().zip(held.value(ID_TOKEN));
    let Some((nonce, token)) = sent else { return Ok(()) };
    match IdToken::read(token, context.provider.oauth.as_ref()) {
        IdToken::Ours(claims) if !claims.is("nonce", nonce) => {
            Err(unexpected(NAME, "gave an ID token of another login"))
        }
        _ => Ok(()),
    }
}

pub fn expired() -> Error {
    Error::new(Kind::CodeExpired, "the login was not finished in the browser in time")
        .with_hint("Begin another login.")
}
