//! Renewing by the refresh token (RFC 6749 section 6).

use super::{Renewal, answer, judge_failure, judge_status};
use crate::context::Context;
use crate::error::Result;
use crate::oauth::{Endpoint, OAuthClient};
use crate::session::{ACCESS_TOKEN, Credentials, REFRESH_TOKEN};

const NAME: &str = "the renewal";

/// What says that the token is dead.
pub(super) struct Refusal<'a> {
    pub errors: &'a [String],
    pub statuses: &'a [u16],
}

impl Refusal<'_> {
    fn is(&self, status: u16, word: Option<&str>) -> bool {
        let is_named = |word: &str| self.errors.iter().any(|error| error == word);
        // Some say it with 200 (GitHub) or 403 (Auth0). A server that is in trouble has said nothing
        // of the token, whatever its words.
        let can_tell = matches!(status, 200 | 400..500) && !matches!(status, 408 | 425 | 429);
        self.statuses.contains(&status) || (can_tell && word.is_some_and(is_named))
    }
}

pub(super) fn renew(
    context: &Context,
    refusal: &Refusal,
    mut credentials: Credentials,
) -> Result<Renewal> {
    let Some(token) = credentials.value(REFRESH_TOKEN).cloned() else { return Ok(Renewal::Over) };
    let oauth = OAuthClient::new(context.client, context.provider, context.cancel)?;
    let url = oauth.need(Endpoint::Token, &mut credentials)?;
    let fields = [("grant_type", "refresh_token"), ("refresh_token", token.expose())];
    let answer = match oauth.post(Endpoint::Token, url, &fields, &credentials) {
        Ok(answer) => answer,
        Err(error) => return judge_failure(error),
    };
    match answer.status {
        status if refusal.is(status, oauth.error_word(&answer).as_deref()) => Ok(Renewal::Over),
        200 => {
            credentials.remove(ACCESS_TOKEN);
            match answer::read(context, NAME, &answer, &mut credentials) {
                Ok(()) => Ok(Renewal::Renewed(credentials)),
                // It may have been carried out all the same.
                Err(error) => Ok(Renewal::Lost(error)),
            }
        }
        status => judge_status(NAME, status),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_says_that_the_token_is_dead_unless_the_server_is_in_trouble() {
        let errors = ["bad_refresh_token".to_owned()];
        let refusal = Refusal { errors: &errors, statuses: &[410] };
        for status in [200, 400, 401, 403, 404] {
            assert!(refusal.is(status, Some("bad_refresh_token")), "{status}");
            assert!(!refusal.is(status, Some("slow_down")), "{status}");
            assert!(!refusal.is(status, None), "{status}");
        }
        for status in [302, 408, 425, 429, 500, 503] {
            assert!(!refusal.is(status, Some("bad_refresh_token")), "{status}");
        }
        assert!(refusal.is(410, None));
    }
}
