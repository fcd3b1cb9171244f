//! The ways out: requests in order, what their answers have to show, and how to find out where they
//! prove nothing.

use super::hosts::Hosts;
use super::json_template::Json;
use super::leaf::{Address, CookieName, Method, Pointer, RefusalStatuses, Scalar, SuccessStatuses};
use super::oauth::{OAuth, need};
use super::problem::{At, Checked, Problem, limit};
use super::request::{Headers, Pairs, RequestTemplate, Target, request_table};
use super::scope::Scope;
use super::sign::{Signs, check_signs};
use super::take::Takes;
use super::url_template::UrlTemplate;
use serde::Deserialize;
use std::collections::BTreeMap;

/// The tokens that can be revoked (RFC 7009 section 2.1).
const REVOCABLE: [&str; 2] = ["refresh_token", "access_token"];

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Logout {
    /// What is sent, in order; absent only where the service has no way out, and `leaves` says so.
    #[serde(default)]
    pub steps: Vec<LogoutStep>,
    /// What logging out here does not end, as "the login in the browser".
    #[serde(default)]
    pub leaves: String,
    /// How to find out whether the session is dead, where the answers do not prove it.
    pub probe: Option<Probe>,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(tag = "flow"))]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum LogoutStep {
    /// One request with the session's cookies.
    Request(Box<LogoutRequest>),
    /// A page or an answer that holds what a later step sends; it proves nothing.
    Page(Box<LogoutPage>),
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
    url: Option<UrlTemplate>,
    /// The value, taken from an earlier step's answer, that says where it is sent.
    url_from: Option<String>,
    /// Added to the address's query.
    #[serde(default)]
    query: Pairs,
    /// More headers.
    #[serde(default)]
    headers: Headers,
    /// The body, as JSON.
    json: Option<Json>,
    /// The body, as a form.
    #[serde(default)]
    form: Pairs,
    /// True: the session's credential goes along, as `[api]` carries it.
    #[serde(default)]
    pub bearer: bool,
    /// Values to take from the answer for later steps, as far as it holds them.
    #[serde(default)]
    pub take: Takes,
    /// Where the JSON answer may hold a warning for the user.
    pub warning: Option<Pointer>,
    /// What the answer must show. Without a proof only the probe proves anything.
    pub proof: Option<Proof>,
    /// What the answer shows where what was sent was dead before, if its status does not tell.
    pub ended: Option<Signs>,
}

request_table! {
    pub struct LogoutPage, Get {
        /// What it is called in reports.
        pub name: String,
        /// Values to take from its answer.
        #[serde(default)]
        pub take: Takes,
        /// False: a redirect is not followed; it is the answer.
        #[serde(default = "yes")]
        pub follow: bool,
        /// True: the session's credential goes along, as `[api]` carries it.
        #[serde(default)]
        pub bearer: bool,
        /// What it shows where the session was over before.
        pub ended: Option<Signs>,
    }
}

fn yes() -> bool {
    true
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
    Request(Box<ProbeRequest>),
    /// The renewal, which a dead session is refused; needs `[renew]`.
    Renew {},
}

request_table! {
    pub struct ProbeRequest, Get {
        /// The statuses that only a dead session gets.
        pub refused_status: Option<RefusalStatuses>,
        /// What only the answer to a dead session shows, where its status does not tell.
        pub refused: Option<Signs>,
        /// True: the session's credential goes along, as `[api]` carries it.
        #[serde(default)]
        pub bearer: bool,
    }
}

fn both_tokens() -> Vec<String> {
    REVOCABLE.map(str::to_owned).to_vec()
}

impl LogoutRequest {
    pub fn target(&self) -> Target<'_> {
        match &self.url {
            Some(url) => Target::Given(url),
            None => Target::Taken(self.url_from.as_deref().unwrap_or_default()),
        }
    }

    pub fn request(&self) -> RequestTemplate<'_> {
        let LogoutRequest { method, query, headers, json, form, .. } = self;
        let (method, url, json) = (*method, self.target(), json.as_ref());
        RequestTemplate { method, url, query, headers, json, form }
    }

    fn check<'a>(&'a self, scope: &mut Scope<'a>, hosts: &Hosts) -> Checked {
        match (&self.url, &self.url_from) {
            (None, Some(_)) if !self.query.is_empty() || !self.headers.is_empty() => {
                let message = "with `url_from` there is no `query` and no `headers`";
                return Err(Problem::new("url_from", message, "The address is opened as it is."));
            }
            (None, Some(name)) if !scope.taken().any(|taken| taken == name) => {
                let message = format!("no earlier step takes '{name}'");
                let hint = "Take it from an answer, as in take.logout_url = [\"/logout_url\"].";
                return Err(Problem::new("url_from", message, hint));
            }
            (Some(_), None) | (None, Some(_)) => {}
            _ => return Err(Problem::new("", "give one of `url` and `url_from`", "")),
        }
        scope.check(self.request(), hosts)?;
        scope.take(&self.take)?;
        check_signs(self.ended.as_ref()).at("ended")?;
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
            LogoutStep::Request(request) => request.proof.as_ref(),
            LogoutStep::Page(_) | LogoutStep::Revoke { .. } | LogoutStep::EndSession {} => None,
        })
    }

    /// The cookies that the answers have to delete.
    pub fn deleted_cookies(&self) -> impl Iterator<Item = &str> {
        self.proofs().flat_map(|proof| proof.deletes.iter().flatten()).map(|name| &**name)
    }

    pub(super) fn check<'a>(
        &'a self,
        mut scope: Scope<'a>,
        hosts: &Hosts,
        oauth: Option<&OAuth>,
        can_renew: bool,
    ) -> Checked {
        let proves = |step: &LogoutStep| !matches!(step, LogoutStep::Page(_));
        let is_told = self.steps.is_empty() && !self.leaves.is_empty();
        if !is_told && !self.steps.iter().any(proves) {
            let hint = "Without a step the server never hears of the logout. Where there is no way, \
                say in `leaves` what stays.";
            return Err(Problem::new("steps", "name at least one", hint));
        }
        limit("steps", self.steps.len())?;
        let probe_scope = scope.clone();
        for (index, step) in self.steps.iter().enumerate() {
            step.check(&mut scope, hosts, oauth).at(&format!("steps[{index}]"))?;
        }
        match &self.probe {
            Some(Probe::Request(probe)) => probe.check(&probe_scope, hosts).at("probe"),
            Some(Probe::Renew {}) if !can_renew => {
                Err(Problem::new("probe", "there is no [renew] to try", ""))
            }
            Some(Probe::Renew {}) | None => Ok(()),
        }
    }
}

impl ProbeRequest {
    /// True for an answer's status that only a dead session gets.
    pub fn is_refused_by(&self, status: u16) -> bool {
        self.refused_status.as_ref().is_some_and(|statuses| statuses.contains(&status))
    }

    fn check(&self, scope: &Scope, hosts: &Hosts) -> Checked {
        scope.check(self.request(), hosts)?;
        check_signs(self.refused.as_ref()).at("refused")?;
        if self.refused_status.is_some() || self.refused.is_some() {
            return Ok(());
        }
        let message = "say how a dead session is refused: `refused_status` or `refused`";
        Err(Problem::new("", message, "As in refused_status = [401]."))
    }
}

impl LogoutStep {
    fn check<'a>(&'a self, scope: &mut Scope<'a>, hosts: &Hosts, oauth: Option<&OAuth>) -> Checked {
        match self {
            LogoutStep::Request(request) => request.check(scope, hosts),
            LogoutStep::Page(page) => {
                scope.check(page.request(), hosts)?;
                check_signs(page.ended.as_ref()).at("ended")?;
                scope.take(&page.take)
            }
            LogoutStep::Revoke { tokens } => {
                need(oauth, "revocation_endpoint")?;
                let is_odd = |name: &String| !REVOCABLE.contains(&name.as_str());
                if tokens.is_empty() || tokens.iter().any(is_odd) {
                    let message = format!("name tokens out of {}", REVOCABLE.join(", "));
                    return Err(Problem::new("tokens", message, ""));
                }
                Ok(())
            }
            LogoutStep::EndSession {} => need(oauth, "end_session_endpoint"),
        }
    }
}
