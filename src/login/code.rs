//! What every login with a code on another device has in common: what is shown, and asking again
//! and again until the user is done there, as RFC 8628 section 3.5 has it.

use super::Progress;
use crate::cancel::cancelled;
use crate::clock::UnixTime;
use crate::context::Context;
use crate::error::{Error, Kind, Result};
use crate::http::Answer;
use crate::provider::{Values, is_safe_page};
use crate::secret::Secret;
use crate::session::Credentials;
use crate::session::claims::is_showable;
use crate::steps::unexpected;
use std::time::{Duration, Instant};
use url::Url;

/// What errors call the answer that holds the code.
pub(super) const NAME: &str = "the answer to the request for a code";

/// RFC 8628 section 3.5: "the interval MUST be increased by 5 seconds for this and all subsequent
/// requests".
const SLOWER: Duration = Duration::from_secs(5);

/// An interval or a lifetime beyond these is a mistake of the server's.
const LONGEST_INTERVAL: Duration = Duration::from_secs(60);
const LONGEST_LIFE: u64 = 3600;

/// A code, and where it is entered.
#[derive(Clone)]
pub struct Device {
    /// Empty where only the address is opened.
    pub user_code: String,
    pub verification_uri: String,
    /// With the code in it; what a QR code shows.
    pub verification_uri_complete: Option<String>,
    pub expires_at: UnixTime,
    pub interval: Duration,
    deadline: Instant,
    pub(super) asked_with: AskedWith,
    /// What the answers gave by then, for the session.
    pub(super) learned: Credentials,
}

/// What the server knows the code by.
#[derive(Clone)]
pub(super) enum AskedWith {
    /// The `device_code` of RFC 8628.
    DeviceCode(Secret),
    /// What the steps of a `poll` have taken.
    Values(Values),
}

/// What an answer holds, not yet looked at.
pub(super) struct Shown<'a> {
    pub code: &'a str,
    /// With its name in the answer.
    pub url: (&'a str, &'a str),
    pub url_with_code: Option<(&'a str, &'a str)>,
    /// In seconds.
    pub life: u64,
    pub interval: u64,
}

impl Device {
    pub(super) fn new(
        context: &Context,
        shown: &Shown,
        asked_with: AskedWith,
        learned: Credentials,
    ) -> Result<Self> {
        if !shown.code.is_empty() && !is_showable(shown.code) {
            return Err(unexpected(NAME, "holds a code that cannot be shown"));
        }
        let life = shown.life.min(LONGEST_LIFE);
        let interval = Duration::from_secs(shown.interval);
        Ok(Device {
            user_code: shown.code.to_owned(),
            verification_uri: checked(context, shown.url)?,
            verification_uri_complete: shown
                .url_with_code
                .map(|url| checked(context, url))
                .transpose()?,
            expires_at: context.clock.now() + i64::try_from(life).unwrap_or(0),
            interval: interval.clamp(Duration::from_secs(1), LONGEST_INTERVAL),
            deadline: context.clock.instant() + Duration::from_secs(life),
            asked_with,
            learned,
        })
    }
}

/// An address that a person can open: it is shown, and never requested from here. The person logs
/// in there, so it is https, unless the service itself is reached without.
fn checked(context: &Context, (name, text): (&str, &str)) -> Result<String> {
    let is_safe = |url: &Url| is_safe_page(url) || context.provider.hosts.check(url).is_ok();
    match Url::parse(text) {
        Ok(url) if is_showable(text) && is_safe(&url) => Ok(text.to_owned()),
        _ => Err(unexpected(NAME, &format!("holds a {name} that is no https address"))),
    }
}

/// What an answer means for the wait.
pub(super) enum Turn {
    Granted,
    Pending,
    Slower,
}

/// Asks until the user is done or the code's time is over; gives the answer that is the last. What
/// `ask` sends is not cut off: its answer may hold the tokens.
pub(super) fn wait(
    context: &Context,
    device: &Device,
    progress: &mut dyn Progress,
    ask: &mut dyn FnMut() -> Result<Answer>,
    judge: &dyn Fn(&Answer) -> Result<Turn>,
) -> Result<Answer> {
    let mut interval = device.interval;
    loop {
        let left = device.deadline.saturating_duration_since(context.clock.instant());
        if !context.clock.wait(interval.min(left), context.cancel) {
            return Err(cancelled());
        }
        if left <= interval {
            return Err(expired());
        }
        progress.check()?;
        match ask() {
            Ok(answer) => match judge(&answer)? {
                Turn::Granted => return Ok(answer),
                Turn::Pending => {}
                Turn::Slower => interval += SLOWER,
            },
            // "On encountering a connection timeout, clients MUST unilaterally reduce their polling
            // frequency before retrying. The use of an exponential backoff algorithm to achieve
            // this, such as doubling the polling interval on each such connection timeout, is
            // RECOMMENDED."
            Err(error) if error.is_network() => {
                log::info!("the server was not reached while waiting for the code: {error}");
                // Never sooner than `slow_down` has asked for.
                interval = interval.max((interval * 2).min(LONGEST_INTERVAL));
            }
            Err(error) => return Err(error),
        }
    }
}

/// What an answer means that says neither: the server has trouble, which says nothing of the code;
/// or "The client MUST stop polling" on any other error. `code`: what it calls the error.
pub(super) fn judge_other(status: u16, code: Option<&str>) -> Result<Turn> {
    if code.is_none() && matches!(status, 408 | 429 | 500..) {
        return Ok(Turn::Slower);
    }
    let why = code.map(|code| format!(" ({code})")).unwrap_or_default();
    Err(unexpected("the login", &format!("ended with status {status}{why}")))
}

pub(super) fn denied() -> Error {
    Error::new(Kind::LoginDenied, "the login was refused on the other device")
        .with_hint("Ask for a new code and approve it.")
}

pub(super) fn expired() -> Error {
    Error::new(Kind::CodeExpired, "the code was not entered in time")
        .with_hint("Ask for a new code.")
}
