//! The viewer's browser at the issuer's page, and what the token endpoint makes of the codes that it
//! gives out: each for one client, one redirect address, one verifier, once (RFC 6749 section 4.1.3,
//! RFC 7636 section 4.6).

use crate::issuer::refusal;
use crate::server::{Seen, Steps};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;
use std::collections::HashMap;
use std::sync::Mutex;
use url::Url;

#[derive(Default)]
pub struct Grants(Mutex<HashMap<String, Grant>>);

#[derive(Clone)]
struct Grant {
    asked: HashMap<String, String>,
    is_used: bool,
}

/// The parameters of the address that a browser opens; none comes twice.
pub fn asked(url: &str) -> HashMap<String, String> {
    let url = Url::parse(url).unwrap();
    let all: Vec<(String, String)> = url.query_pairs().into_owned().collect();
    let asked: HashMap<String, String> = all.iter().cloned().collect();
    assert_eq!(asked.len(), all.len(), "a parameter comes twice");
    asked
}

impl Grants {
    /// The viewer logs in at `url` and agrees. Gives where her browser ends.
    pub fn authorize(&self, url: &str, metadata: &Value) -> String {
        let asked = asked(url);
        let mut grants = self.0.lock().unwrap();
        let code = format!("code-{}", grants.len());
        let mut end = Url::parse(&asked["redirect_uri"]).unwrap();
        end.query_pairs_mut().append_pair("code", &code).append_pair("state", &asked["state"]);
        if metadata["authorization_response_iss_parameter_supported"] == true {
            end.query_pairs_mut().append_pair("iss", metadata["issuer"].as_str().unwrap());
        }
        grants.insert(code, Grant { asked, is_used: false });
        end.into()
    }

    /// The nonce of the login that a code is for, or why the code is not taken.
    pub fn redeem(&self, seen: &Seen) -> Result<Option<String>, Steps> {
        let field = |name: &str| seen.form.get(name).map_or("", String::as_str);
        let mut grants = self.0.lock().unwrap();
        let grant = grants.get_mut(field("code")).ok_or_else(|| refusal("invalid_grant"))?;
        let digest = ring::digest::digest(&ring::digest::SHA256, field("code_verifier").as_bytes());
        let is_right = grant.asked["code_challenge_method"] == "S256"
            && grant.asked["code_challenge"] == URL_SAFE_NO_PAD.encode(digest)
            && grant.asked["redirect_uri"] == field("redirect_uri")
            && grant.asked["client_id"] == field("client_id");
        if !is_right || std::mem::replace(&mut grant.is_used, true) {
            return Err(refusal("invalid_grant"));
        }
        Ok(grant.asked.get("nonce").cloned())
    }
}
