//! The definition of a provider: what `login`, `logout` and the keeper work from.
//!
//! The types are the provider file's: serde reads them, unknown keys are refused, and each leaf
//! checks itself. `finish` holds the parts against each other; after that nobody checks again. The
//! comments of the fields are what editors show: docs/provider.schema.json is made of them.

use super::account::AccountRequest;
use super::api::ApiRule;
use super::document;
use super::everywhere::Everywhere;
use super::hosts::{Hosts, is_private};
use super::key;
use super::leaf::{CookieName, Pointer, Website};
use super::login::{Login, LoginKind, check_all};
use super::logout::{Logout, LogoutStep, Probe};
use super::oauth::OAuth;
use super::origin::Origin;
use super::parameters::{self, Declared, Given, Parameter};
use super::post_logout::AfterLogout;
use super::problem::{At, Checked, Problem};
use super::renewal::Renew;
use super::request::{RequestTemplate, Target};
use super::scope::{self, Scope};
use super::template::COOKIE;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use url::{Position, Url};

/// A service: how to log in to it, to stay logged in, and to log out so that it can be proved.
// `Debug` shows the id: parameters may be secrets, and stand everywhere.
#[derive(Clone, PartialEq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Provider {
    /// The service's name for programs: 1 to 40 lower-case letters, digits and '-'.
    pub id: String,
    /// The service's name for people.
    pub name: String,
    /// Shown to people; no request is sent to it.
    pub website: Website,
    /// All hosts that requests may go to, as "www.example.com", "localhost:8080" or an address.
    pub hosts: Hosts,
    /// Counted up with each change of the file: of two files with one id, the higher one is used.
    #[serde(default = "first")]
    pub revision: u32,
    /// Who is offered the service in Kodi's list.
    #[serde(default)]
    pub audience: Audience,
    /// Domains that cookies may be set for, besides the hosts themselves.
    #[serde(default)]
    cookie_domains: Vec<String>,
    /// True: a host in the viewer's own network may be reached by http, once she has agreed.
    #[serde(default)]
    lan: bool,
    /// Values that the user or the add-on gives; "{name}" stands for one anywhere in the file.
    #[serde(default)]
    pub parameters: BTreeMap<String, Parameter>,
    /// Where the access token and the account are found.
    #[serde(default)]
    pub session: SessionRule,
    /// The request that tells whose account it is, where tokens do not.
    pub account: Option<AccountRequest>,
    /// The requests of add-ons.
    #[serde(default)]
    pub api: ApiRule,
    /// The OAuth 2.0 client and its authorization server.
    pub oauth: Option<OAuth>,
    /// The ways in: one, or a list of several with the preferred one first.
    // `from_value` makes a list of a single table.
    #[cfg_attr(test, schemars(with = "super::several::Several<Login>"))]
    #[serde(rename = "login")]
    pub logins: Vec<Login>,
    /// The way to fresh tokens without the user.
    pub renew: Option<Renew>,
    /// The way out.
    pub logout: Logout,
    /// The way to end the account's other sessions.
    pub everywhere: Option<Everywhere>,
    /// What is cleaned up on this device after a logout.
    #[serde(default)]
    pub after_logout: AfterLogout,
    /// What sessions are kept under: the id, the parameters and the hosts.
    #[serde(skip)]
    pub key: String,
    /// The definition with its parameters filled in, kept with each session: see `from_kept`.
    #[serde(skip)]
    pub source: String,
    /// Where it was found.
    #[serde(skip)]
    pub origin: Origin,
}

/// The form of a service's name for programs.
pub(super) fn is_id(text: &str) -> bool {
    let good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    (1..=40).contains(&text.len()) && text.chars().all(good)
}

fn first() -> u32 {
    1
}

/// Who is offered a service.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Audience {
    // Everybody.
    #[default]
    Viewer,
    // Who has asked for services that are there to build and test with.
    Developer,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct SessionRule {
    /// Cookies that may hold the access token, best first.
    pub token_cookies: Vec<CookieName>,
    /// Claims of the ID token or the access token that may hold the account's id, best first.
    pub account_id: Vec<String>,
    /// The same for the e-mail address.
    pub account_email: Vec<String>,
    /// The same for the name.
    pub account_name: Vec<String>,
    /// Where a JSON answer to a login or a renewal holds what.
    pub answer: AnswerRule,
    /// Values that a login takes and the session keeps, for its later requests.
    pub keep: Vec<String>,
}

/// JSON pointers (RFC 6901) into the answer. The defaults are the names of RFC 6749 section 5.1.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct AnswerRule {
    /// The access token.
    pub access_token: Pointer,
    /// The refresh token.
    pub refresh_token: Pointer,
    /// The ID token of OpenID Connect.
    pub id_token: Pointer,
    /// In how many seconds the access token ends.
    pub expires_in: Pointer,
    /// The same in milliseconds.
    pub expires_in_ms: Option<Pointer>,
    /// The account's id, where no claim tells it.
    pub account_id: Pointer,
    /// The account's e-mail address, where no claim tells it.
    pub account_email: Pointer,
    /// The account's name, where no claim tells it.
    pub account_name: Pointer,
}

impl Default for AnswerRule {
    fn default() -> Self {
        AnswerRule {
            access_token: Pointer::fixed("/access_token"),
            refresh_token: Pointer::fixed("/refresh_token"),
            id_token: Pointer::fixed("/id_token"),
            expires_in: Pointer::fixed("/expires_in"),
            expires_in_ms: None,
            account_id: Pointer::fixed("/user/id"),
            account_email: Pointer::fixed("/user/email"),
            account_name: Pointer::fixed("/user/name"),
        }
    }
}

impl SessionRule {
    /// `taken` are the names of what the logins take.
    fn check(&self, taken: &[&str]) -> Checked {
        let is_odd = |name: &String| !taken.contains(&name.as_str());
        let Some(index) = self.keep.iter().position(is_odd) else { return Ok(()) };
        let message = format!("no login takes '{}'", self.keep[index]);
        let hint = "Take it from an answer, as in take = { client_id = \"/client_id\" }.";
        Err(Problem::new(format!("keep[{index}]"), message, hint))
    }
}

impl Provider {
    /// The way in of that kind.
    pub fn login(&self, kind: LoginKind) -> Option<&Login> {
        self.logins.iter().find(|login| login.kind() == kind)
    }

    /// The host, with its port, that a logout goes to first.
    pub fn logout_host(&self) -> String {
        self.logout_url()[Position::BeforeHost..Position::AfterPort].to_owned()
    }

    /// The host whose cookies make the session, as far as can be told without any of them.
    pub fn cookie_host(&self) -> String {
        let url = self.renewal_url().cloned().unwrap_or_else(|| self.logout_url());
        url.host_str().unwrap_or_default().to_owned()
    }

    fn logout_url(&self) -> Url {
        let oauth = self.oauth.as_ref();
        let fixed = self.logout.steps.iter().find_map(|step| match step {
            LogoutStep::Request(request) => match request.target() {
                Target::Given(url) => Some(Url::clone(url)),
                Target::Taken(_) => None,
            },
            LogoutStep::Page(page) => Some(Url::clone(&page.url)),
            LogoutStep::Revoke { .. } => oauth?.address_of("revocation_endpoint"),
            LogoutStep::EndSession {} => oauth?.address_of("end_session_endpoint"),
        });
        fixed.unwrap_or_else(|| self.website.to_url())
    }

    /// Reads a provider file with values for its parameters, or with its own examples.
    pub fn parse(text: &str, given: Option<&Given>) -> Checked<Self> {
        document::read(text, |tree| Self::from_value(tree, given))
    }

    /// Reads a definition from plain data: a provider file's keys and values, as from a dictionary.
    pub fn from_value(tree: Value, given: Option<&Given>) -> Checked<Self> {
        document::refuse_control_characters("", &tree)?;
        let declared = parameters::declared(&tree)?;
        let given = given.map_or_else(|| parameters::examples(&declared), Given::clone);
        Self::filled(tree, declared.clone(), &given)
            .map_err(|problem| parameters::without_secrets(problem, &declared, &given))
    }

    fn filled(tree: Value, declared: Declared, given: &Given) -> Checked<Self> {
        let mut tree = parameters::fill(tree, &declared, given)?;
        let source = tree.to_string();
        let is_one_login = tree.get("login").is_some_and(|login| !login.is_array());
        if let Some(login) = tree.get_mut("login").filter(|_| is_one_login) {
            *login = Value::Array(vec![login.take()]);
        }
        let read = nest_flows(&mut tree)
            .and_then(|()| document::typed::<Provider>(tree))
            .and_then(|provider| Provider { source, ..provider }.finish());
        let mut provider = read.map_err(|problem| match problem.key.strip_prefix("login[0]") {
            Some(rest) if is_one_login => Problem { key: format!("login{rest}"), ..problem },
            _ => problem,
        })?;
        let service = key::service_key(&provider.id, &declared, given);
        provider.parameters = declared;
        let key = key::key(&service, &provider.hosts, &provider.api.bearer_hosts);
        Ok(Provider { key, ..provider })
    }

    #[must_use]
    pub(super) fn found_at(self, origin: Origin) -> Self {
        Provider { origin, ..self }
    }

    /// Reads what was kept as [`Provider::source`], with the key that it had.
    pub fn from_kept(source: &str, key: &str) -> Checked<Self> {
        let tree = serde_json::from_str(source)
            .map_err(|_| Problem::new("", "the definition that was kept cannot be read", ""))?;
        let provider = Self::from_value(tree, Some(&Given::new()))?;
        Ok(Provider { key: key.to_owned(), ..provider })
    }

    /// True where these values of its parameters lead to its sessions.
    pub fn has_parameters(&self, given: &Given) -> bool {
        let is_known = given.keys().all(|name| self.parameters.contains_key(name));
        let service = key::service_key(&self.id, &self.parameters, given);
        is_known && key::service_of(&self.key) == service
    }

    /// Holds the parts against each other: what one of them needs or allows, another must be.
    fn finish(mut self) -> Checked<Self> {
        if !is_id(&self.id) {
            let message = "use 1 to 40 lower-case letters, digits and '-'";
            return Err(Problem::new("id", message, ""));
        }
        if self.hosts.is_empty() {
            let hint = "Every host that a request goes to, as in [\"www.example.com\"].";
            return Err(Problem::new("hosts", "name at least one", hint));
        }
        self.hosts.set_cookie_domains(&self.cookie_domains)?;
        if self.lan {
            self.hosts.allow_lan();
            self.api.bearer_hosts.allow_lan();
        }
        for words in &mut self.api.unauthenticated {
            *words = words.to_lowercase();
        }
        let (hosts, oauth) = (&self.hosts, self.oauth.as_ref());
        let parameters = || self.parameters.keys().map(String::as_str);
        oauth.map_or(Ok(()), |oauth| oauth.check(hosts)).at("oauth")?;
        let login = Scope::login(parameters());
        let taken = check_all(&self.logins, &login, hosts, oauth).at("login")?;
        self.session.check(&taken).at("session")?;
        let scope = Scope::session(parameters(), self.session.keep.iter().map(String::as_str));
        self.api.check(hosts, &scope).at("api")?;
        if let Some(account) = &self.account {
            account.check(scope.clone(), hosts).at("account")?;
        }
        let is_form = |login: &Login| matches!(login, Login::HostedForm(_));
        if self.session.token_cookies.is_empty() && self.logins.iter().any(is_form) {
            let hint = "Which cookie of the form's answer says that somebody is logged in?";
            return Err(Problem::new("session.token_cookies", "name at least one", hint));
        }
        if let Some(renew) = &self.renew {
            renew.check(scope.clone(), hosts, oauth).at("renew")?;
        }
        self.logout.check(scope.clone(), hosts, oauth, self.renew.is_some()).at("logout")?;
        if let Some(Probe::Request(probe)) = &self.logout.probe
            && !probe.bearer
            && !self.carries_credential(probe.request())
        {
            let message = "the probe carries no token, so its answer says nothing of the session";
            let hint = "Add bearer = true, or name the token's cookie in session.token_cookies.";
            return Err(Problem::new("logout.probe", message, hint));
        }
        if let Some(everywhere) = &self.everywhere {
            everywhere.check(scope, hosts).at("everywhere")?;
        }
        self.after_logout.check().at("after_logout")?;
        Ok(self)
    }

    /// Where the file leads to without encryption: addresses in the viewer's own network, each as
    /// "http://HOST:PORT".
    pub fn unencrypted(&self) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        let tree = serde_json::from_str(&self.source).unwrap_or(Value::Null);
        collect_unencrypted(&tree, &mut found);
        found
    }

    /// True for a request that the server knows the session by, as far as the file tells.
    pub fn carries_credential(&self, request: RequestTemplate) -> bool {
        let is_credential = |name: &str| {
            scope::TOKENS.contains(&name)
                || name.starts_with(COOKIE)
                || self.session.keep.iter().any(|kept| kept == name)
        };
        !self.session.token_cookies.is_empty() || request.places().any(is_credential)
    }

    /// True where a request says which installation it comes from.
    pub fn names_device(&self) -> bool {
        self.source.contains("{device_id}")
    }

    /// The cookies that make a session: others that a service sets do not matter for it.
    pub fn credential_cookies(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.session.token_cookies.iter().map(|name| &**name).collect();
        names.extend(self.renewal_cookie());
        names.extend(self.logout.deleted_cookies());
        names
    }

    /// The long-lived cookie, where there is one.
    pub fn renewal_cookie(&self) -> Option<&str> {
        match &self.renew {
            Some(Renew::Page(page)) => Some(&page.needs_cookie),
            Some(Renew::Request(request)) => request.needs_cookie.as_deref(),
            Some(Renew::RefreshToken { .. }) | None => None,
        }
    }

    /// Where a renewal is sent with cookies.
    pub fn renewal_url(&self) -> Option<&Url> {
        match &self.renew {
            Some(Renew::Page(page)) => Some(&page.url),
            Some(Renew::Request(request)) => Some(&*request.url),
            Some(Renew::RefreshToken { .. }) | None => None,
        }
    }

    /// True when a long-lived credential serves only once.
    pub fn rotates(&self) -> bool {
        match &self.renew {
            Some(Renew::RefreshToken { rotates, .. }) => *rotates,
            Some(Renew::Request(request)) => request.rotates,
            Some(Renew::Page(_)) | None => false,
        }
    }
}

fn collect_unencrypted(tree: &Value, found: &mut BTreeSet<String>) {
    match tree {
        Value::String(text) => {
            let url = Url::parse(text).ok().filter(|url| url.scheme() == "http");
            found.extend(url.filter(is_private).map(|url| url[..Position::BeforePath].to_owned()));
        }
        Value::Array(items) => items.iter().for_each(|item| collect_unencrypted(item, found)),
        Value::Object(table) => table.values().for_each(|item| collect_unencrypted(item, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

impl fmt::Debug for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Provider({})", self.id)
    }
}

/// The tables with a `flow`, as serde wants them.
fn nest_flows(tree: &mut Value) -> Checked {
    for key in ["renew", "everywhere", "logout.probe"] {
        let table = tree.pointer_mut(&format!("/{}", key.replace('.', "/")));
        table.map_or(Ok(()), |table| document::nest_flow(key, table))?;
    }
    for key in ["login", "logout.steps"] {
        let tables = tree.pointer_mut(&format!("/{}", key.replace('.', "/")));
        let tables = tables.and_then(Value::as_array_mut);
        for (index, table) in tables.into_iter().flatten().enumerate() {
            document::nest_flow(&format!("{key}[{index}]"), table)?;
        }
    }
    Ok(())
}
