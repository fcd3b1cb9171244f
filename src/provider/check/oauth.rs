//! The OAuth client and its endpoints.

use super::{Builder, invalid, refuse};
use crate::error::Result;
use crate::provider::definition::OAuth;
use crate::provider::file;
use url::Url;

impl Builder<'_> {
    pub(super) fn oauth(&self, oauth: &file::OAuth) -> Result<OAuth> {
        if oauth.client_id.is_empty() {
            return Err(invalid("oauth.client_id", "it is empty")
                .with_hint("The server gave one when the application was registered there."));
        }
        if let Some(issuer) = &oauth.issuer {
            let url = self.url("oauth.issuer", issuer)?;
            // RFC 8414 section 2: "with no query or fragment components".
            if url.query().is_some() || url.fragment().is_some() {
                return refuse("oauth.issuer", "an issuer has no query and no fragment");
            }
        } else if oauth.token_endpoint.is_none() {
            return Err(invalid("oauth", "neither `issuer` nor `token_endpoint` is there")
                .with_hint("Give the issuer, or the endpoints themselves."));
        }
        Ok(OAuth {
            device_authorization: self.endpoint(
                "device_authorization_endpoint",
                oauth.device_authorization_endpoint.as_deref(),
            )?,
            token: self.endpoint("token_endpoint", oauth.token_endpoint.as_deref())?,
            revocation: self
                .endpoint("revocation_endpoint", oauth.revocation_endpoint.as_deref())?,
            end_session: self
                .endpoint("end_session_endpoint", oauth.end_session_endpoint.as_deref())?,
            client_id: oauth.client_id.clone(),
            client_secret: oauth.client_secret.clone(),
            scope: oauth.scope.clone(),
            issuer: oauth.issuer.clone(),
        })
    }

    fn endpoint(&self, name: &str, text: Option<&str>) -> Result<Option<Url>> {
        text.map(|text| self.url(&format!("oauth.{name}"), text)).transpose()
    }
}
