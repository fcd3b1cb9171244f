//! Logging in with a code that the user enters on another device (RFC 8628).

use super::code::{self, AskedWith, Device, NAME, Shown, Turn};
use super::{Progress, answer};
use crate::cancel::Cancel;
use crate::context::Context;
use crate::error::Result;
use crate::http::Answer;
use crate::oauth::{Endpoint, OAuthClient};
use crate::secret::Secret;
use crate::session::Credentials;
use crate::session::claims::is_showable;
use crate::steps::unexpected;
use serde_json::Value;

/// RFC 8628 section 3.2: "If no value is provided, clients MUST use 5 as the default."
const INTERVAL: u64 = 5;

/// Section 3.4.
const GRANT_TYPE: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// The member with the code in it.
const COMPLETE: &str = "verification_uri_complete";

/// RFC 8628 section 3.1.
pub(super) fn ask(context: &Context, mut learned: Credentials) -> Result<Device> {
    let oauth = OAuthClient::new(context.client, context.provider, context.cancel)?;
    let url = oauth.need(Endpoint::DeviceAuthorization, &mut learned)?;
    // Nobody enters a code in vain because the metadata cannot be had later.
    oauth.need(Endpoint::Token, &mut learned)?;
    let scope = oauth.oauth.scope.as_str();
    let fields = [("scope", scope)];
    let fields: &[_] = if scope.is_empty() { &[] } else { &fields };
    let answer = oauth.post(Endpoint::DeviceAuthorization, url, fields, &learned)?;
    if answer.status != 200 || answer.is_cut {
        let why = oauth.error_code(&answer).map(|code| format!(" ({code})")).unwrap_or_default();
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
    let life = life.ok_or_else(|| unexpected(NAME, "holds no expires_in"))?;
    let interval = body.get("interval").and_then(Value::as_u64).unwrap_or(INTERVAL);
    let shown = Shown {
        code: needed("user_code")?,
        url: ("verification_uri", address),
        url_with_code: text(COMPLETE).map(|text| (COMPLETE, text)),
        life,
        interval,
    };
    Device::new(context, &shown, AskedWith::DeviceCode(Secret::new(code)), learned)
}

/// Waits until the user has entered the code, or its time is over: asks for the tokens until there
/// is a final answer (RFC 8628 sections 3.4 and 3.5).
pub(super) fn wait(
    context: &Context,
    device: &Device,
    device_code: &Secret,
    credentials: &mut Credentials,
    progress: &mut dyn Progress,
) -> Result<()> {
    // A request that is under way is not cut off: its answer may hold the tokens.
    let whole = Cancel::new();
    let oauth = OAuthClient::new(context.client, context.provider, &whole)?;
    let url = oauth.need(Endpoint::Token, credentials)?;
    let fields = [
        ("grant_type", oauth.oauth.grant_types.device_code.as_deref().unwrap_or(GRANT_TYPE)),
        ("device_code", device_code.expose()),
    ];
    progress.begins(credentials)?;
    let mut ask = || oauth.post(Endpoint::Token, url.clone(), &fields, credentials);
    let judge = |answer: &Answer| judge(answer, oauth.error_code(answer).as_deref());
    let answer = code::wait(context, device, progress, &mut ask, &judge)?;
    answer::read(context, "the login", &answer, credentials)
}

fn judge(answer: &Answer, code: Option<&str>) -> Result<Turn> {
    // Some servers, GitHub's among them, answer with status 200 while they wait.
    if answer.status == 200 && code.is_none() {
        return Ok(Turn::Granted);
    }
    match code {
        Some("authorization_pending") => Ok(Turn::Pending),
        Some("slow_down") => Ok(Turn::Slower),
        Some("access_denied") => Err(code::denied()),
        // RFC 6749 section 5.2, "invalid, expired, revoked": Google's word for a code that is over.
        Some("expired_token" | "invalid_grant") => Err(code::expired()),
        code => code::judge_other(answer.status, code),
    }
}
