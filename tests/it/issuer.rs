//! The server as an OAuth 2.0 issuer: discovery, the device grant, renewal, revocation.

use crate::fixture::{Device, clock, never};
use crate::grants::Grants;
use crate::server::{Seen, Server, Step, Steps, answer};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use sessionkeeper::error::Result;
use sessionkeeper::keeper::Status;
use sessionkeeper::provider::Provider;
use std::ops::Deref;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

pub const METADATA: &str = "/.well-known/openid-configuration";
/// Where RFC 8414 puts them.
pub const METADATA_TOO: &str = "/.well-known/oauth-authorization-server";

/// An issuer, and a device that may log in there.
pub struct Issuer {
    server: Server,
    /// As RFC 8414 calls its URL.
    pub identifier: String,
    pub device: Device,
    site: Arc<Site>,
}

impl Deref for Issuer {
    type Target = Server;

    fn deref(&self) -> &Server {
        &self.server
    }
}

struct Site {
    /// Where the metadata are, and what they say.
    metadata: Mutex<(String, Value)>,
    issued: AtomicU32,
    grants: Grants,
}

impl Issuer {
    pub fn start() -> Self {
        Issuer::at("", METADATA)
    }

    /// An issuer at whose token endpoint somebody has logged in.
    pub fn signed_in() -> Self {
        let issuer = Issuer::start();
        issuer.log_in().unwrap();
        issuer
    }

    /// An issuer with this path, whose metadata are at that place alone.
    pub fn at(path: &str, place: &str) -> Self {
        Issuer::with(path, place, |text| text)
    }

    /// The same, with another provider file.
    pub fn with(path: &str, place: &str, change: impl Fn(String) -> String) -> Self {
        let metadata = Mutex::new((place.to_owned(), Value::Null));
        let site =
            Arc::new(Site { metadata, issued: AtomicU32::new(0), grants: Grants::default() });
        let shared = Arc::clone(&site);
        let server = Server::start(move |seen| shared.answer(seen));
        let base = format!("http://{}", server.authority());
        let identifier = format!("{base}{path}");
        site.metadata.lock().unwrap().1 = json!({
            "issuer": identifier,
            "authorization_endpoint": format!("{base}/authorize"),
            "device_authorization_endpoint": format!("{base}/device"),
            "token_endpoint": format!("{base}/token"),
            "revocation_endpoint": format!("{base}/revoke"),
            "end_session_endpoint": format!("{base}/end"),
            "userinfo_endpoint": format!("{base}/userinfo"),
        });
        let text = include_str!("issuer.toml").replace("PORT", &server.port().to_string());
        let provider = Provider::parse(&change(text.replace("ISSUER", &identifier)), None).unwrap();
        let device = Device::new(provider, &clock());
        Issuer { server, identifier, device, site }
    }

    /// An issuer where a browser logs in, and a device with this provider file's login.
    pub fn for_browsers(login: &str) -> Self {
        Issuer::with("", METADATA, |text| text.replace("flow = \"device_code\"", login))
    }

    /// The viewer logs in at this address and agrees. Gives where her browser ends.
    pub fn authorize(&self, url: &str) -> String {
        self.site.grants.authorize(url, &self.metadata(&json!({})))
    }

    /// Changes one value of the metadata; `null` takes it away.
    pub fn change_metadata(&self, name: &str, value: &Value) {
        let mut metadata = self.site.metadata.lock().unwrap();
        metadata.1 = changed(metadata.1.take(), &json!({ name: value }));
    }

    /// The metadata with these changes.
    pub fn metadata(&self, changes: &Value) -> Value {
        changed(self.site.metadata.lock().unwrap().1.clone(), changes)
    }

    pub fn paths(&self) -> Vec<String> {
        self.journal().into_iter().map(|seen| seen.path).collect()
    }

    /// The refresh tokens that were sent for new ones.
    pub fn sent(&self) -> Vec<String> {
        self.renewals().iter().map(|seen| seen.form["refresh_token"].clone()).collect()
    }

    pub fn renewals(&self) -> Vec<Seen> {
        let all = self.requests("/token").into_iter();
        all.filter(|seen| seen.form["grant_type"] == "refresh_token").collect()
    }

    /// Logs in by whatever the token endpoint answers.
    pub fn log_in(&self) -> Result<Status> {
        let (number, _) = self.device.start_device_login(&never())?;
        self.device.finish_device_login(number, &never())
    }

    pub fn renew(&self) -> Result<Status> {
        self.device.renew(&never())
    }

    /// A good answer to a request for tokens, with these changes; `id_token` is given by its
    /// claims.
    pub fn tokens(&self, changes: &Value) -> Steps {
        json_answer(200, &self.site.tokens(changes))
    }
}

impl Site {
    fn answer(&self, seen: &Seen) -> Steps {
        let (place, metadata) = self.metadata.lock().unwrap().clone();
        match seen.path.as_str() {
            path if path == place => json_answer(200, &metadata),
            "/device" => code(&json!({})),
            "/token"
                if seen.form.get("grant_type").is_some_and(|it| it == "authorization_code") =>
            {
                match self.grants.redeem(seen) {
                    Ok(Some(nonce)) => {
                        json_answer(200, &self.tokens(&json!({ "id_token": { "nonce": nonce } })))
                    }
                    Ok(None) => json_answer(200, &self.tokens(&json!({}))),
                    Err(refusal) => refusal,
                }
            }
            "/token" => json_answer(200, &self.tokens(&json!({}))),
            "/revoke" | "/end" | "/me" => text_answer(200, "text/plain", ""),
            _ => text_answer(404, "text/plain", ""),
        }
    }

    fn tokens(&self, changes: &Value) -> Value {
        let number = self.issued.fetch_add(1, Ordering::SeqCst) + 1;
        let issuer = self.metadata.lock().unwrap().1["issuer"].clone();
        let claims = json!({
            "iss": issuer, "aud": "the client", "sub": "u1", "email": "zoë@例え.jp", "n": number,
        });
        let usual = json!({
            "access_token": format!("access-{number}"),
            "token_type": "Bearer",
            "expires_in": 3600,
            "refresh_token": format!("refresh-{number}"),
            "id_token": claims,
        });
        let mut tokens = changed(usual, changes);
        if tokens["id_token"].is_object() {
            let claims = changed(claims, &tokens["id_token"]).to_string();
            tokens["id_token"] = json!(format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(claims)));
        }
        tokens
    }
}

/// `value` with `changes` over it; `null` takes a value away.
pub fn changed(mut value: Value, changes: &Value) -> Value {
    for (name, change) in changes.as_object().unwrap() {
        if change.is_null() {
            value.as_object_mut().unwrap().remove(name);
        } else {
            value[name] = change.clone();
        }
    }
    value
}

/// A good answer to a request for a code, with these changes.
pub fn code(changes: &Value) -> Steps {
    let usual = json!({
        "device_code": "the device code",
        "user_code": "WDJB-MJHT",
        "verification_uri": "https://issuer.example/device",
        "expires_in": 600,
        "interval": 1,
    });
    json_answer(200, &changed(usual, changes))
}

/// An error answer of RFC 6749 section 5.2.
pub fn refusal(code: &str) -> Steps {
    json_answer(400, &json!({ "error": code }))
}

pub fn json_answer(status: u16, body: &Value) -> Steps {
    text_answer(status, "application/json", &body.to_string())
}

/// Each answer sets a cookie, which no request to the issuer's own endpoints may bring along.
pub fn text_answer(status: u16, kind: &str, body: &str) -> Steps {
    let headers = format!("Content-Type: {kind}\nSet-Cookie: tracker=1; Path=/; Max-Age=999");
    vec![Step::Send(answer(&format!("{status} Whatever"), &headers, body))]
}
