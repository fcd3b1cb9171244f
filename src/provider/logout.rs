//! The ways out: requests in order, what their answers have to show, and how to find out where they
//! prove nothing.

use super::hosts::Hosts;
use super::leaf::{Address, CookieName, Method, Pointer, RefusalStatuses, Scalar, SuccessStatuses};
use super::oauth::{OAuth, need};
use super::problem::{At, Checked, Problem, limit};
use super::request::{Headers, Known, Pairs, RequestTemplate, TOKENS, allow};
use super::template::CLAIM;
use serde::Deserialize;
use std::collections::BTreeMap;
use url::Url;

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
    EndSession {},
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
    Fixed(&'a Url),
    /// The value of that name, which an earlier step's answer held.
    Taken(&'a str),
}

/// What an answer must show to prove that the session is dead.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Proof {
    /// The statuses that an answer may have.
    pub status: SuccessStatuses,
    /// Where the redirect may lead: scheme, host and path; the query is not compared. Not beside
    /// `deletes`: where cookies are deleted, the redirect decides nothing.
    #[serde(default)]
    pub locations: Vec<Address>,
    /// The cookies that the answer must delete, as far as they are held; each group is one cookie
    /// under all its names. The expiry alone decides, whatever the value (RFC 6265bis section 5.7).
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
        refused_status: RefusalStatuses,
        /// True: the access token goes along as `Authorization: Bearer`.
        #[serde(default)]
        bearer: bool,
    },
    /// The renewal, which a dead session is refused; needs `[renew]`.
    Renew {},
}

fn both_tokens() -> Vec<String> {
    REVOCABLE.map(str::to_owned).to_vec()
}

impl LogoutRequest {
    pub fn target(&self) -> LogoutTarget<'_> {
        match &self.url {
            Some(url) => LogoutTarget::Fixed(url),
            None => LogoutTarget::Taken(self.url_from.as_deref().unwrap_or_default()),
        }
    }

    pub fn request(&self) -> RequestTemplate<'_> {
        let LogoutRequest { query, headers, json, form, .. } = self;
        RequestTemplate { query, headers, json, form }
    }

    /// `taken` are the values that earlier steps take.
    fn check(&self, hosts: &Hosts, taken: &[&str]) -> Checked {
        match (&self.url, &self.url_from) {
            (Some(url), None) => allow(hosts, "url", url)?,
            (None, Some(_)) if !self.query.is_empty() || !self.headers.is_empty() => {
                let message = "with `url_from` there is no `query` and no `headers`";
                return Err(Problem::new("url_from", message, "The address is opened as it is."));
            }
            (None, Some(name)) if !taken.contains(&name.as_str()) => {
                let message = format!("no earlier step takes '{name}'");
                let hint = "Take it from an answer, as in take.logout_url = \"/logout_url\".";
                return Err(Problem::new("url_from", message, hint));
            }
            (None, Some(_)) => {}
            _ => return Err(Problem::new("", "give one of `url` and `url_from`", "")),
        }
        // An address may hold claims only: tokens do not belong there (RFC 9700 section 4.3.2).
        let held = [TOKENS.as_slice(), &[CLAIM]].concat();
        self.request().check(&Known { query: &[CLAIM], headers: &held, body: &held })?;
        if let Some(name) = self.take.keys().find(|name| held.contains(&name.as_str())) {
            let message = "a value of the session has this name already";
            return Err(Problem::new(format!("take.{name}"), message, ""));
        }
        self.proof.as_ref().map_or(Ok(()), Proof::check).at("proof")
    }
}

impl Proof {
    fn check(&self) -> Checked {
        if let Some(index) = self.deletes.iter().position(Vec::is_empty) {
            let key = format!("deletes[{index}]");
            return Err(Problem::new(key, "each group names at least one cookie", ""));
        }
        if !self.deletes.is_empty() && !self.locations.is_empty() {
            let message = "beside `deletes` the redirect decides nothing";
            return Err(Problem::new("locations", message, "Leave one of the two out."));
        }
        if self.deletes.is_empty() && self.locations.is_empty() && self.json.is_empty() {
            let message = "a status alone proves nothing: add `deletes`, `locations` or `json`";
            let hint =
                "Where the answer shows nothing, leave the proof out and add [logout.probe].";
            return Err(Problem::new("", message, hint));
        }
        let is_redirect = |status: &u16| (300..400).contains(status);
        if !self.locations.is_empty() && !self.status.iter().any(is_redirect) {
            let message = "an answer with one of these statuses has no Location";
            return Err(Problem::new("status", message, "Add that of the redirect, as in [302]."));
        }
        Ok(())
    }
}

impl Logout {
    pub fn proofs(&self) -> impl Iterator<Item = &Proof> {
        self.steps.iter().filter_map(|step| match step {
            Step::Request(request) => request.proof.as_ref(),
            Step::Revoke { .. } | Step::EndSession {} => None,
        })
    }

    /// The cookies that the answers have to delete.
    pub fn deleted_cookies(&self) -> impl Iterator<Item = &str> {
        self.proofs().flat_map(|proof| proof.deletes.iter().flatten()).map(|name| &**name)
    }

    pub(super) fn check(&self, hosts: &Hosts, oauth: Option<&OAuth>, can_renew: bool) -> Checked {
        if self.steps.is_empty() {
            let hint = "Without a step the server never hears of the logout.";
            return Err(Problem::new("steps", "name at least one", hint));
        }
        limit("steps", self.steps.len())?;
        let mut taken = Vec::new();
        for (index, step) in self.steps.iter().enumerate() {
            step.check(hosts, oauth, &taken).at(&format!("steps[{index}]"))?;
            if let Step::Request(request) = step {
                taken.extend(request.take.keys().map(String::as_str));
            }
        }
        match &self.probe {
            Some(Probe::Request { url, .. }) => allow(hosts, "probe.url", url),
            Some(Probe::Renew {}) if !can_renew => {
                Err(Problem::new("probe", "there is no [renew] to try", ""))
            }
            Some(Probe::Renew {}) | None => Ok(()),
        }
    }
}

impl Step {
    fn check(&self, hosts: &Hosts, oauth: Option<&OAuth>, taken: &[&str]) -> Checked {
        match self {
            Step::Request(request) => request.check(hosts, taken),
            Step::Revoke { tokens } => {
                need(oauth, "revocation_endpoint")?;
                let is_odd = |name: &String| !REVOCABLE.contains(&name.as_str());
                if tokens.is_empty() || tokens.iter().any(is_odd) {
                    let message = format!("name tokens out of {}", REVOCABLE.join(", "));
                    return Err(Problem::new("tokens", message, ""));
                }
                Ok(())
            }
            Step::EndSession {} => need(oauth, "end_session_endpoint"),
        }
    }
}
