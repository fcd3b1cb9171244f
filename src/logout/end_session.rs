//! Ending the session at the issuer (OpenID Connect RP-Initiated Logout 1.0).
//!
//! The issuer's own session lives in the browser in which the user entered the code, and the
//! issuer may want to ask there. So the answer to this request proves nothing, and cannot undo
//! that a token was revoked: only trouble on the way is a reason to come back.

use super::{Verdict, proof};
use crate::context::Context;
use crate::error::Result;
use crate::oauth::{Endpoint, OAuthClient};
use crate::session::{Credentials, ID_TOKEN, Outcome};

/// `None` where the server has no such endpoint, or has been told and need not prove anything.
pub(super) fn end(context: &Context, credentials: &mut Credentials) -> Result<Option<Verdict>> {
    let Some(token) = credentials.value(ID_TOKEN).cloned() else { return Ok(None) };
    let oauth = OAuthClient::new(context.client, context.provider, context.cancel)?;
    let Some(url) = oauth.find(Endpoint::EndSession, credentials)? else { return Ok(None) };
    // Section 2: "OpenID Providers MUST support the use of the HTTP GET and POST methods". POST
    // keeps the ID token out of the address; but there are issuers that only know GET.
    let fields = [("id_token_hint", token.expose())];
    let mut answer = oauth.post(Endpoint::EndSession, url.clone(), &fields, credentials)?;
    if matches!(answer.status, 404 | 405) {
        answer = oauth.get(url, &fields)?;
    }
    let status = answer.status;
    if proof::is_busy(status) {
        let why = format!("the issuer cannot end its session now, status {status}");
        return Ok(Some(Verdict::of(&answer, Outcome::Deferred, why)));
    }
    log::info!("the issuer was told to end its own session, and answered {status}");
    let is_alone = context.provider.logout.steps.len() == 1;
    Ok(is_alone.then(|| {
        let why = format!("status {status} proves nothing");
        let is_settled = matches!(status, 200..400);
        Verdict { is_settled, ..Verdict::of(&answer, Outcome::Unconfirmed, why) }
    }))
}
