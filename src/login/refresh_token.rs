//! Renewing by the refresh token (RFC 6749 section 6).

use super::{Renewal, judge_failure, read_answer, unexpected};
use crate::credentials::{ACCESS_TOKEN, Credentials, REFRESH_TOKEN};
use crate::error::Result;
use crate::oauth::{Endpoint, Speaker, errors};
use crate::visit::Visit;

const NAME: &str = "the renewal";

pub(super) fn renew(visit: &Visit, mut held: Credentials) -> Result<Renewal> {
    let Some(token) = held.value(REFRESH_TOKEN).cloned() else { return Ok(Renewal::Over) };
    let speaker = Speaker::new(visit.client, visit.provider, visit.cancel)?;
    let url = speaker.need(Endpoint::Token, &mut held)?;
    let fields = [("grant_type", "refresh_token"), ("refresh_token", token.expose())];
    let answer = match speaker.post(url, &fields) {
        Ok(answer) => answer,
        Err(error) => return judge_failure(error),
    };
    match answer.status {
        200 => {
            held.remove(ACCESS_TOKEN);
            match read_answer(visit, NAME, &answer, &mut held) {
                Ok(()) => Ok(Renewal::Renewed(held)),
                // It may have been carried out all the same.
                Err(error) => Ok(Renewal::Lost(error)),
            }
        }
        // RFC 6749 section 5.2: "The provided authorization grant […] or refresh token is invalid,
        // expired, revoked […], or was issued to another client."
        400 | 401 if errors::code(&answer).as_deref() == Some("invalid_grant") => Ok(Renewal::Over),
        // Something in between answered; the server may have carried it out all the same.
        status if status < 400 || matches!(status, 502 | 504) => {
            Ok(Renewal::Lost(unexpected(NAME, &format!("answered with status {status}"))))
        }
        status => Err(unexpected(NAME, &format!("answered with status {status}"))),
    }
}
