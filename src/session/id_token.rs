//! ID tokens of OpenID Connect: whose they are, before anything is made of what they say.

use super::claims::Claims;
use crate::provider::OAuth;
use crate::secret::Secret;

/// An ID token, held against what the provider file says of the issuer and the client.
pub enum IdToken {
    /// Of this issuer, for this client.
    Ours(Claims),
    /// What is not ours about it: "issuer" or "application".
    Foreign(&'static str),
    /// The file names no issuer, so there is nothing to hold it against.
    Unknown,
}

impl IdToken {
    /// OpenID Connect Core 1.0 section 3.1.3.7: the issuer "MUST exactly match the value of the iss
    /// (issuer) Claim", and the client "MUST validate that the aud (audience) Claim contains its
    /// client_id". No request of ours has a `nonce` that would have to come back. The signature is
    /// not checked: "If the ID Token is received via direct communication between the Client and
    /// the Token Endpoint […], the TLS server validation MAY be used to validate the issuer in
    /// place of checking the token signature." Nor is `exp`, which a device without the right time
    /// cannot judge: the token has just come.
    pub fn read(token: &Secret, oauth: Option<&OAuth>) -> Self {
        let named = oauth.and_then(|oauth| Some((oauth.issuer.as_deref()?, &oauth.client_id)));
        let Some((issuer, client)) = named else { return IdToken::Unknown };
        let claims = Claims::read(token);
        if !claims.is("iss", issuer) {
            IdToken::Foreign("issuer")
        } else if !claims.is("aud", client) {
            IdToken::Foreign("application")
        } else {
            IdToken::Ours(claims)
        }
    }
}
