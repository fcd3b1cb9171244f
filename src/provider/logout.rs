//! The ways out: requests in order, what their answers have to show, and how to find out where they
//! prove nothing.

use super::hosts::Hosts;
use super::leaf::{Address, CookieName, Method, Pointer, Scalar, StatusList};
use super::oauth::{OAuth, need};
use super::problem::{At, Checked, Problem};
use super::request::{Body, Headers, Known, Pairs, RequestTemplate, TOKENS, allow, check_one_body};
use super::template::{CLAIM, Template};
use serde::Deserialize;
use std::collections::BTreeMap;

/// The tokens that can be revoked (RFC 7009 section 2.1).
const REVOCABLE: [&str; 2] = ["refresh_token", "access_token"];

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Logout {
    /// What is sent, in order.
    pub steps: Vec<Step>,
    /// How to find out whether the session is dead, where the answers do not prove it.
    pub probe: Option<Probe>,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(tag = "flow"))]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Step {
    /// One request with the session's cookies.
    Request(Box<LogoutRequest>),
    /// The tokens, one by one (RFC 7009); needs `[oauth]`.
    Revoke {
        /// Which tokens, in order.
        #[serde(default = "both_tokens")]
        tokens: Vec<String>,
    },
    /// The session at the issuer (RP-Initiated Logout 1.0); needs `[oauth]`.
    EndSession,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct LogoutRequest {
    /// GET, POST or DELETE.
    pub method: Method,
    /// Where it is sent.
    url: Option<Address>,
    /// The value, taken from an earlier step's answer, that says where it is sent.
    url_from: Option<String>,
    /// Added to the address's query.
    #[serde(default)]
    query: Pairs,
    /// More headers.
    #[serde(default)]
    headers: Headers,
    /// The body, as a flat JSON object.
    #[serde(default)]
    json: Pairs,
    /// The body, as a form.
    #[serde(default)]
    form: Pairs,
    /// True: the access token goes along as `Authorization: Bearer`.
    #[serde(default)]
    pub bearer: bool,
    /// Values to take from the JSON answer, by JSON pointer.
    #[serde(default)]
    pub take: BTreeMap<String, Pointer>,
    /// Where the JSON answer may hold a warning for the user.
    pub warning: Option<Pointer>,
    /// What the answer must show. Without a proof only the probe proves anything.
    pub proof: Option<Proof>,
}

/// Where a request of a logout goes.
pub enum LogoutTarget<'a> {
    Fixed(RequestTemplate<'a>),
    /// The value of that name, which an earlier step's answer held.
    Taken(&'a str),
}

/// What an answer must show to prove that the session is dead.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Proof {
    /// The statuses that an answer may have.
    pub status: StatusList,
    /// Where the redirect may lead: scheme, host and path; the query is not compared.
    #[serde(default)]
    pub locations: Vec<Address>,
    /// The cookies that the answer must delete; each group is one cookie under all its names.
    #[serde(default)]
    pub deletes: Vec<Vec<CookieName>>,
    /// What the JSON answer must hold, by JSON pointer: a text, a number, true or false.
    #[serde(default)]
    pub json: BTreeMap<Pointer, Scalar>,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(tag = "flow"))]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Probe {
    /// A request that a dead session is refused.
    Request {
        /// Where it is sent, by GET.
        url: Address,
        /// The statuses that only a dead session gets.
        refused_status: StatusList,
        /// True: the access token goes along as `Authorization: Bearer`.
        #[serde(default)]
        bearer: bool,
    },
    /// The renewal, which a dead session is refused; needs `[renew]`.
    Renew,
}

fn both_tokens() -> Vec<String> {
    REVOCABLE.map(str::to_owned).to_vec()
}

impl LogoutRequest {
    pub fn target(&self) -> LogoutTarget<'_> {
        let LogoutRequest { query, headers, .. } = self;
        match (&self.url, &self.url_from) {
            (Some(url), _) => {
                LogoutTarget::Fixed(RequestTemplate { url, query, headers, body: self.body() })
            }
            (None, name) => LogoutTarget::Taken(name.as_deref().unwrap_or_default()),
        }
    }

    pub fn body(&self) -> Body<'_> {
        Body::of(&self.json, &self.form)
    }

    pub fn templates(&self) -> impl Iterator<Item = &Template> {
        self.query.values().chain(self.headers.values()).chain(self.body().templates())
    }

    /// `taken` are the values that earlier steps take.
    fn check(&self, hosts: &Hosts, taken: &[&str]) -> Checked {
        // An address may hold claims only: tokens do not belong there (RFC 9700 section 4.3.2).
        let held = [TOKENS.as_slice(), &[CLAIM]].concat();
        match (self.target(), &self.url_from) {
            (LogoutTarget::Fixed(request), None) => {
                let known = Known { query: &[CLAIM], headers: &held, body: &held };
                request.check(hosts, &known)?;
            }
            (LogoutTarget::Taken(name), Some(_)) => {
                if !self.query.is_empty() || !self.headers.is_empty() {
                    return Err(Problem::new(
                        "with `url_from` there is no `query` and no `headers`",
                    )
                    .with_hint("The address that the answer holds is opened as it is."));
                }
                if !taken.contains(&name) {
                    return Err(Problem::new(format!("no earlier step takes '{name}'"))
                        .with_hint(
                            "Take it from an answer first, as in take.logout_url = \"/logout_url\".",
                        )
                        .at("url_from"));
                }
                self.body().check(&held)?;
            }
            _ => return Err(Problem::new("give one of `url` and `url_from`")),
        }
        if let Some(name) = self.take.keys().find(|name| held.contains(&name.as_str())) {
            return Err(Problem::new("a value of the session has this name already")
                .at(name.as_str())
                .at("take"));
        }
        check_one_body(&self.json, &self.form)?;
        self.proof.as_ref().map_or(Ok(()), Proof::check).at("proof")
    }
}

impl Proof {
    fn check(&self) -> Checked {
        if let Some(index) = self.deletes.iter().position(Vec::is_empty) {
            let message = "each group names at least one cookie";
            return Err(Problem::new(message).at(index).at("deletes"));
        }
        if self.deletes.is_empty() && self.locations.is_empty() && self.json.is_empty() {
            let message = "a status alone proves nothing: add `deletes`, `locations` or `json`";
            return Err(Problem::new(message).with_hint(
                "Where the answer shows nothing, leave the proof out and add [logout.probe].",
            ));
        }
        Ok(())
    }
}

impl Logout {
    pub(super) fn check(&self, hosts: &Hosts, oauth: Option<&OAuth>, can_renew: bool) -> Checked {
        if self.steps.is_empty() {
            return Err(Problem::new("there is none")
                .with_hint("Without a request the server never knows of the logout.")
                .at("steps"));
        }
        let mut taken = Vec::new();
        for (index, step) in self.steps.iter().enumerate() {
            step.check(hosts, oauth, &taken).at(index).at("steps")?;
            if let Step::Request(request) = step {
                taken.extend(request.take.keys().map(String::as_str));
            }
        }
        match &self.probe {
            Some(Probe::Request { url, .. }) => allow(hosts, url).at("url").at("probe"),
            Some(Probe::Renew) if !can_renew => {
                Err(Problem::new("there is no [renew] to try").at("probe"))
            }
            Some(Probe::Renew) | None => Ok(()),
        }
    }
}

impl Step {
    fn check(&self, hosts: &Hosts, oauth: Option<&OAuth>, taken: &[&str]) -> Checked {
        match self {
            Step::Request(request) => request.check(hosts, taken),
            Step::Revoke { tokens } => {
                need(oauth, "revocation_endpoint")?;
                match tokens.iter().find(|name| !REVOCABLE.contains(&name.as_str())) {
                    Some(odd) => {
                        Err(Problem::new(format!("'{odd}' is not a token that can be revoked")))
                    }
                    None if tokens.is_empty() => Err(Problem::new("name at least one token")),
                    None => Ok(()),
                }
                .at("tokens")
            }
            Step::EndSession => need(oauth, "end_session_endpoint"),
        }
    }
}
