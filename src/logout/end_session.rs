//! Ending the session at the issuer (OpenID Connect RP-Initiated Logout 1.0).
//!
//! The issuer's own session lives in the browser in which the user entered the code, and the issuer
//! may want to ask there. So what this request is answered proves nothing, and a token that was
//! revoked stays revoked whatever it is answered: only trouble on the way is a reason to come back.

use super::{Verdict, proof};
use crate::backoff::Outcome;
use crate::context::Context;
use crate::oauth::{Endpoint, OAuthClient};
use crate::session::{Credentials, ID_TOKEN};

/// `None` where the server has no such endpoint, or has been told and need not prove anything.
pub(super) fn end(context: &Context, credentials: &mut Credentials) -> Option<Verdict> {
    let token = credentials.value(ID_TOKEN)?.clone();
    let oauth = match OAuthClient::new(context.client, context.provider, context.cancel) {
        Ok(oauth) => oauth,
        Err(error) => return Some(proof::judge_failure(&error)),
    };
    let url = match oauth.find(Endpoint::EndSession, credentials) {
        Ok(found) => found?,
        Err(error) => return Some(proof::judge_failure(&error)),
    };
    // Section 2: "OpenID Providers MUST support the use of the HTTP GET and POST methods". POST
    // keeps the ID token out of the address; but there are issuers that only know GET.
    let fields = [("id_token_hint", token.expose())];
    let answer = match oauth.post(url.clone(), &fields) {
        Ok(answer) if matches!(answer.status, 404 | 405) => oauth.get(url, &fields),
        sent => sent,
    };
    let answer = match answer {
        Ok(answer) => answer,
        Err(error) => return Some(proof::judge_failure(&error)),
    };
    match answer.status {
        408 | 425 | 429 | 500.. => Some(Verdict {
            status: Some(answer.status),
            retry_after: answer.retry_after(),
            ..Verdict::new(
                Outcome::Deferred,
                format!("the issuer cannot end its session now, status {}", answer.status),
            )
        }),
        status => {
            log::info!("the issuer was told to end its own session, and answered {status}");
            let is_alone = context.provider.logout.steps.len() == 1;
            is_alone.then(|| Verdict {
                status: Some(status),
                ..Verdict::new(Outcome::Unconfirmed, format!("status {status} proves nothing"))
            })
        }
    }
}
