//! The OAuth client and its authorization server (RFC 6749, RFC 8414), and what a server wants that
//! does not speak quite as these say: another place for the client's id, JSON, other names.

use super::hosts::Hosts;
use super::leaf::{Address, Pointer, leaf};
use super::problem::{At, Checked, Problem};
use super::request::{Headers, NO_PAIRS, Pairs, allow, allow_text};
use super::scope::DEVICE_ID;
use super::web_page;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use url::Url;

/// The client and its authorization server (RFC 6749, RFC 8414).
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct OAuth {
    /// The client's id at the server.
    pub client_id: String,
    /// Sent where the server insists. What is in an add-on is no secret.
    pub client_secret: Option<String>,
    /// Where the client's id and secret go: "body", "basic" or "none".
    #[serde(default)]
    pub client_auth: ClientAuth,
    /// How the body is written: "form" or "json".
    #[serde(default)]
    pub encoding: Encoding,
    /// What is asked for, separated by spaces.
    #[serde(default)]
    pub scope: String,
    /// The issuer, whose metadata name the endpoints that are not given here (RFC 8414).
    // As written: the metadata have to name the very same (section 3.3).
    #[cfg_attr(test, schemars(with = "Option<Address>"))]
    pub issuer: Option<String>,
    /// The page on which the user logs in (RFC 6749 section 3.1).
    pub authorization_endpoint: Option<Address>,
    /// Where a device asks for a code (RFC 8628).
    pub device_authorization_endpoint: Option<Address>,
    /// Where tokens come from (RFC 6749).
    pub token_endpoint: Option<Address>,
    /// Where tokens are revoked (RFC 7009).
    pub revocation_endpoint: Option<Address>,
    /// Where the session is ended (OpenID Connect RP-Initiated Logout 1.0).
    pub end_session_endpoint: Option<Address>,
    /// Where it is asked who has logged in (OpenID Connect Core 1.0 section 5.3).
    pub userinfo_endpoint: Option<Address>,
    /// More parameters, for each kind of request.
    #[serde(default)]
    extra: Extra,
    /// More headers, at every endpoint that is asked with the client's id.
    #[serde(default)]
    pub headers: Headers,
    /// What the server calls the fields of a request, where it is not as the RFCs do.
    #[serde(default)]
    names: BTreeMap<String, FieldName>,
    /// What the server calls a grant, where it is not as the RFCs do.
    #[serde(default)]
    pub grant_types: GrantTypes,
    /// Where an error answer has its word.
    #[serde(default = "error_pointer")]
    pub error: Pointer,
}

/// How the client says who it is (RFC 6749 section 2.3.1, RFC 7591 section 2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum ClientAuth {
    /// Its id in the body, and its secret where there is one.
    #[default]
    Body,
    /// Both in a header `Authorization: Basic`; without a secret, an empty one.
    Basic,
    /// Its id in the body; it has no secret.
    None,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Encoding {
    /// As the RFCs have it.
    #[default]
    Form,
    /// A flat JSON object.
    Json,
}

/// More parameters than the RFCs name.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
struct Extra {
    /// In the address of the page on which the user logs in.
    authorization: Pairs,
    /// With the request for a code.
    device: Pairs,
    /// With every request to the token endpoint.
    token: Pairs,
    /// With every request to the revocation endpoint.
    revocation: Pairs,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct GrantTypes {
    /// For the code that was entered on another device (RFC 8628 section 3.4).
    pub device_code: Option<FieldName>,
}

leaf! {
    /// What a server calls something: visible characters, at least one.
    FieldName(String as str) from "String" String, |text| {
        if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Ok(text);
        }
        Err(format!("'{text}' cannot be a name in a request"))
    }
}

/// What only the flows themselves send, or what they rest on.
const OURS: [&str; 9] = [
    "code_challenge",
    "code_challenge_method",
    "code_verifier",
    "id_token_hint",
    "nonce",
    "redirect_uri",
    "response_mode",
    "response_type",
    "state",
];

/// The fields of requests that some servers call otherwise, as the RFCs call them.
const FIELDS: [&str; 9] = [
    "client_id",
    "client_secret",
    "code",
    "device_code",
    "grant_type",
    "refresh_token",
    "scope",
    "token",
    "token_type_hint",
];

/// Those of which no request has two.
const ALONE: [&str; 4] = ["code", "device_code", "refresh_token", "token"];

fn error_pointer() -> Pointer {
    Pointer::fixed("/error")
}

impl OAuth {
    pub(super) fn check(&self, hosts: &Hosts) -> Checked {
        if self.client_id.is_empty() {
            let hint = "The server gave one when the application was registered there.";
            return Err(Problem::new("client_id", "it is empty", hint));
        }
        if let Some(issuer) = &self.issuer {
            allow_text(hosts, "issuer", issuer)?;
            // RFC 8414 section 2: "with no query or fragment components".
            if issuer.contains(['?', '#']) {
                return Err(Problem::new("issuer", "an issuer has no query and no fragment", ""));
            }
        } else if self.token_endpoint.is_none() {
            let hint = "Give the issuer, or the endpoints themselves.";
            return Err(Problem::new("", "neither `issuer` nor `token_endpoint` is there", hint));
        }
        for (name, endpoint) in self.endpoints() {
            match endpoint {
                // It is opened in a browser, and never asked from here.
                Some(url) if name == AUTHORIZATION => web_page::check(name, url)?,
                Some(url) => allow(hosts, name, url)?,
                None => {}
            }
        }
        if self.client_auth == ClientAuth::None && self.client_secret.is_some() {
            let hint = "Take the secret out, or write client_auth = \"body\" or \"basic\".";
            let message = "with client_auth = \"none\" it is never sent";
            return Err(Problem::new("client_secret", message, hint));
        }
        for (name, template) in &self.headers {
            template.check(&EXTRA_KNOWN).at(name).at("headers")?;
        }
        self.check_names()?;
        self.check_extra()
    }

    fn check_names(&self) -> Checked {
        if let Some(odd) = self.names.keys().find(|name| !FIELDS.contains(&name.as_str())) {
            let message = format!("no request has a field '{odd}' that could be called otherwise");
            let hint = format!("One of {}.", FIELDS.join(", "));
            return Err(Problem::new(format!("names.{odd}"), message, hint));
        }
        for field in self.names.keys() {
            let (field, name) = (field.as_str(), self.name_of(field));
            let is_beside = |other: &&str| !(ALONE.contains(&field) && ALONE.contains(other));
            let mut others = FIELDS.into_iter().filter(|other| *other != field).filter(is_beside);
            if OURS.contains(&name) || others.any(|other| self.name_of(other) == name) {
                let message = format!("'{name}' is the name of another field already");
                let hint = "Two fields of one request need two names.";
                return Err(Problem::new(format!("names.{field}"), message, hint));
            }
        }
        Ok(())
    }

    fn check_extra(&self) -> Checked {
        let Extra { authorization, device, token, revocation } = &self.extra;
        let tables = [
            ("authorization", authorization),
            ("device", device),
            ("token", token),
            ("revocation", revocation),
        ];
        for (table, pairs) in tables {
            let key = format!("extra.{table}");
            for (name, template) in pairs {
                template.check(&EXTRA_KNOWN).at(name).at(&key)?;
                let is_free = name == self.name_of("client_id")
                    && self.client_auth == ClientAuth::Basic
                    && table != "authorization";
                let is_sent = |field: &&str| self.name_of(field) == name;
                if OURS.contains(&name.as_str()) || (FIELDS.iter().any(is_sent) && !is_free) {
                    let hint = "Take it out: it is sent where it belongs.";
                    let message = "Sessionkeeper sends this itself";
                    return Err(Problem::new(format!("{key}.{name}"), message, hint));
                }
            }
        }
        Ok(())
    }

    /// What this server calls the field that the RFCs call so.
    pub fn name_of<'a>(&'a self, field: &'a str) -> &'a str {
        self.names.get(field).map_or(field, |name| name)
    }

    /// What goes along to that endpoint beside what the RFCs name.
    pub fn extra(&self, endpoint: &str) -> &Pairs {
        match endpoint {
            AUTHORIZATION => &self.extra.authorization,
            "device_authorization_endpoint" => &self.extra.device,
            "token_endpoint" => &self.extra.token,
            "revocation_endpoint" => &self.extra.revocation,
            _ => &NO_PAIRS,
        }
    }

    /// Where that endpoint is, or else where the metadata are that name it.
    pub(super) fn address_of(&self, endpoint: &str) -> Option<Url> {
        let given = self.endpoints().into_iter().find(|(name, _)| *name == endpoint)?.1;
        given.map(Address::to_url).or_else(|| Url::parse(self.issuer.as_deref()?).ok())
    }

    fn endpoints(&self) -> [(&'static str, Option<&Address>); 6] {
        [
            (AUTHORIZATION, self.authorization_endpoint.as_ref()),
            ("device_authorization_endpoint", self.device_authorization_endpoint.as_ref()),
            ("token_endpoint", self.token_endpoint.as_ref()),
            ("revocation_endpoint", self.revocation_endpoint.as_ref()),
            ("end_session_endpoint", self.end_session_endpoint.as_ref()),
            ("userinfo_endpoint", self.userinfo_endpoint.as_ref()),
        ]
    }
}

const AUTHORIZATION: &str = "authorization_endpoint";

/// The values that what goes along may hold.
const EXTRA_KNOWN: [&str; 1] = [DEVICE_ID];

/// For a way that speaks OAuth, by the endpoint that it needs.
pub(super) fn need(oauth: Option<&OAuth>, endpoint: &str) -> Checked {
    let Some(oauth) = oauth else {
        let hint = "Add [oauth] with client_id, and an issuer or the endpoints.";
        return Err(Problem::new("flow", "this flow needs a table [oauth]", hint));
    };
    let is_given = |(name, url): &(&str, Option<&Address>)| *name == endpoint && url.is_some();
    if oauth.issuer.is_some() || oauth.endpoints().iter().any(is_given) {
        return Ok(());
    }
    let hint = format!("Add oauth.{endpoint}, or an issuer whose metadata name it.");
    Err(Problem::new("flow", format!("[oauth] names no {endpoint}"), hint))
}
