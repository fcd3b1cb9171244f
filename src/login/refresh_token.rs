//! Renewing by the refresh token (RFC 6749 section 6).

use super::{Renewal, answer, judge_failure, judge_status};
use crate::context::Context;
use crate::error::Result;
use crate::oauth::{Endpoint, OAuthClient, errors};
use crate::session::{ACCESS_TOKEN, Credentials, REFRESH_TOKEN};

const NAME: &str = "the renewal";

pub(super) fn renew(context: &Context, mut credentials: Credentials) -> Result<Renewal> {
    let Some(token) = credentials.value(REFRESH_TOKEN).cloned() else { return Ok(Renewal::Over) };
    let oauth = OAuthClient::new(context.client, context.provider, context.cancel)?;
    let url = oauth.need(Endpoint::Token, &mut credentials)?;
    let fields = [("grant_type", "refresh_token"), ("refresh_token", token.expose())];
    let answer = match oauth.post(url, &fields) {
        Ok(answer) => answer,
        Err(error) => return judge_failure(error),
    };
    match answer.status {
        200 => {
            credentials.remove(ACCESS_TOKEN);
            match answer::read(context, NAME, &answer, &mut credentials) {
                Ok(()) => Ok(Renewal::Renewed(credentials)),
                // It may have been carried out all the same.
                Err(error) => Ok(Renewal::Lost(error)),
            }
        }
        // RFC 6749 section 5.2: "The provided authorization grant […] or refresh token is invalid,
        // expired, revoked […], or was issued to another client."
        400 | 401 if errors::code(&answer).as_deref() == Some("invalid_grant") => Ok(Renewal::Over),
        status => judge_status(NAME, status),
    }
}
