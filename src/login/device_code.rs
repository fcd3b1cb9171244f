//! Logging in with a code that the user enters on another device (RFC 8628).

use super::{Progress, answer};
use crate::cancel::{Cancel, cancelled};
use crate::clock::UnixTime;
use crate::context::Context;
use crate::error::{Error, Kind, Result};
use crate::http::Answer;
use crate::oauth::{Endpoint, OAuthClient, errors};
use crate::provider::is_loopback;
use crate::secret::Secret;
use crate::session::Credentials;
use crate::session::claims::is_showable;
use crate::steps::unexpected;
use serde_json::Value;
use std::time::{Duration, Instant};
use url::Url;

const NAME: &str = "the answer to the request for a code";

/// The member with the code in it.
const COMPLETE: &str = "verification_uri_complete";

/// RFC 8628 section 3.2: "If no value is provided, clients MUST use 5 as the default."
const INTERVAL: Duration = Duration::from_secs(5);

/// RFC 8628 section 3.5: "the interval MUST be increased by 5 seconds for this and all subsequent
/// requests".
const SLOWER: Duration = Duration::from_secs(5);

/// An interval or a lifetime beyond these is a mistake of the server's.
const LONGEST_INTERVAL: Duration = Duration::from_secs(60);
const LONGEST_LIFE: u64 = 3600;

/// A code, and where it is entered.
#[derive(Clone)]
pub struct Device {
    pub user_code: String,
    pub verification_uri: String,
    /// With the code in it; what a QR code shows.
    pub verification_uri_complete: Option<String>,
    pub expires_at: UnixTime,
    pub interval: Duration,
    code: Secret,
    deadline: Instant,
    /// The endpoints that were learned, for the session.
    learned: Credentials,
}

/// RFC 8628 section 3.1.
pub(super) fn ask(context: &Context, mut learned: Credentials) -> Result<Device> {
    let oauth = OAuthClient::new(context.client, context.provider, context.cancel)?;
    let url = oauth.need(Endpoint::DeviceAuthorization, &mut learned)?;
    // Nobody enters a code in vain because the metadata cannot be had later.
    oauth.need(Endpoint::Token, &mut learned)?;
    let scope = oauth.oauth.scope.as_str();
    let fields = [("scope", scope)];
    let answer = oauth.post(url, if scope.is_empty() { &[] } else { &fields })?;
    if answer.status != 200 || answer.is_cut {
        let why = errors::code(&answer).map(|code| format!(" ({code})")).unwrap_or_default();
        return Err(unexpected(NAME, &format!("came with status {}{why}", answer.status)));
    }
    read(context, &answer, learned)
}

/// RFC 8628 section 3.2.
fn read(context: &Context, answer: &Answer, learned: Credentials) -> Result<Device> {
    let body: Value = serde_json::from_slice(&answer.body).unwrap_or(Value::Null);
    let text = |name: &str| body.get(name).and_then(Value::as_str).filter(|text| is_showable(text));
    let needed =
        |name: &str| text(name).ok_or_else(|| unexpected(NAME, &format!("holds no {name}")));
    // Some servers still use the name of an early draft.
    let address = text("verification_uri").or_else(|| text("verification_url"));
    let address = address.ok_or_else(|| unexpected(NAME, "holds no verification_uri"))?;
    let code = body.get("device_code").and_then(Value::as_str).filter(|code| !code.is_empty());
    let code = code.ok_or_else(|| unexpected(NAME, "holds no device_code"))?;
    let life = body.get("expires_in").and_then(Value::as_u64).filter(|seconds| *seconds > 0);
    let life = life.ok_or_else(|| unexpected(NAME, "holds no expires_in"))?.min(LONGEST_LIFE);
    let interval = body.get("interval").and_then(Value::as_u64).map(Duration::from_secs);
    Ok(Device {
        user_code: needed("user_code")?.to_owned(),
        verification_uri: checked("verification_uri", address)?,
        verification_uri_complete: text(COMPLETE)
            .map(|text| checked(COMPLETE, text))
            .transpose()?,
        expires_at: context.clock.now() + i64::try_from(life).unwrap_or(0),
        interval: interval.unwrap_or(INTERVAL).clamp(Duration::from_secs(1), LONGEST_INTERVAL),
        code: Secret::new(code),
        deadline: context.clock.instant() + Duration::from_secs(life),
        learned,
    })
}

/// An address that a person can open: it is shown, and never requested from here. The person logs
/// in there, so it is https; http is for this machine alone.
fn checked(name: &str, text: &str) -> Result<String> {
    let is_safe = |url: &Url| match url.scheme() {
        "https" => url.has_host(),
        "http" => is_loopback(url),
        _ => false,
    };
    let is_plain = |url: &Url| url.username().is_empty() && url.password().is_none();
    match Url::parse(text) {
        Ok(url) if is_safe(&url) && is_plain(&url) => Ok(text.to_owned()),
        _ => Err(unexpected(NAME, &format!("holds a {name} that is no https address"))),
    }
}

/// Waits until the user has entered the code, or its time is over: asks for the tokens until there
/// is a final answer (RFC 8628 sections 3.4 and 3.5).
pub fn wait(
    context: &Context,
    device: &Device,
    credentials: &mut Credentials,
    progress: &mut dyn Progress,
) -> Result<()> {
    // A request that is under way is not cut off: its answer may hold the tokens.
    let whole = Cancel::new();
    let oauth = OAuthClient::new(context.client, context.provider, &whole)?;
    *credentials = device.learned.clone();
    let url = oauth.need(Endpoint::Token, credentials)?;
    let fields = [
        ("grant_type", "urn:ietf:params:oauth:grant-type:device_code"),
        ("device_code", device.code.expose()),
    ];
    progress.begins(credentials)?;
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
        match oauth.post(url.clone(), &fields) {
            Ok(answer) => match judge(&answer)? {
                Turn::Granted => return answer::read(context, "the login", &answer, credentials),
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

enum Turn {
    Granted,
    Pending,
    Slower,
}

fn judge(answer: &Answer) -> Result<Turn> {
    let code = errors::code(answer);
    // Some servers, GitHub's among them, answer with status 200 while they wait.
    if answer.status == 200 && code.is_none() {
        return Ok(Turn::Granted);
    }
    match code.as_deref() {
        Some("authorization_pending") => Ok(Turn::Pending),
        Some("slow_down") => Ok(Turn::Slower),
        Some("access_denied") => {
            Err(Error::new(Kind::LoginDenied, "the login was refused on the other device")
                .with_hint("Ask for a new code and approve it."))
        }
        Some("expired_token") => Err(expired()),
        // The server has trouble, which says nothing of the code.
        None if matches!(answer.status, 408 | 429 | 500..) => Ok(Turn::Slower),
        // "The client MUST stop polling" on any other error.
        code => {
            let why = code.map(|code| format!(" ({code})")).unwrap_or_default();
            Err(unexpected("the login", &format!("ended with status {}{why}", answer.status)))
        }
    }
}

fn expired() -> Error {
    Error::new(Kind::CodeExpired, "the code was not entered in time")
        .with_hint("Ask for a new code.")
}
