//! The checked definition of a provider: what `login`, `logout` and the keeper work from.
//!
//! A value of these types is right: URLs are parsed and on the provider's hosts, templates name
//! known values, lists that must not be empty are not.

use super::file;
use super::hosts::Hosts;
use super::template::Template;
use crate::error::{Error, Kind, Result};
use url::Url;

#[derive(Clone, Debug, PartialEq)]
pub struct Provider {
    pub id: String,
    pub name: String,
    pub website: Url,
    pub hosts: Hosts,
    pub session: SessionRule,
    pub api: ApiRule,
    pub login: Login,
    pub renew: Option<Renew>,
    pub logout: Logout,
    /// The file's text, kept with each revocation.
    pub source: String,
}

/// Where the access token and the account are found.
#[derive(Clone, Debug, PartialEq)]
pub struct SessionRule {
    /// Cookies that may hold the token, best first.
    pub token_cookies: Vec<String>,
    /// Claims of the token, best first.
    pub account_id: Vec<String>,
    pub account_email: Vec<String>,
    pub account_name: Vec<String>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct ApiRule {
    /// Hosts that get the token as `Authorization: Bearer`.
    pub bearer_hosts: Hosts,
    /// Words of a GraphQL error that say that the session is over; lower case.
    pub unauthenticated: Vec<String>,
}

/// The ways in.
#[derive(Clone, Debug, PartialEq)]
pub enum Login {
    HostedForm(HostedForm),
}

/// A form on the service's own pages: fetch the pages in turn, then send the form.
#[derive(Clone, Debug, PartialEq)]
pub struct HostedForm {
    pub pages: Vec<Page>,
    pub submit: Submit,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Page {
    pub name: String,
    pub target: Target,
    pub take: Vec<Take>,
}

/// A value that a page holds: an input by name or id, or else a cookie.
#[derive(Clone, Debug, PartialEq)]
pub struct Take {
    pub value: String,
    pub input: String,
    pub or_cookie: Option<String>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Submit {
    pub name: String,
    pub target: Target,
    pub form: Vec<(String, Template)>,
    pub refused_class: String,
}

/// An address whose query and headers are filled in at each use.
#[derive(Clone, Debug, PartialEq)]
pub struct Target {
    pub url: Url,
    pub query: Vec<(String, Template)>,
    pub headers: Vec<(String, Template)>,
}

/// The ways to get fresh tokens without the user.
#[derive(Clone, Debug, PartialEq)]
pub enum Renew {
    Page(RenewPage),
}

/// A page that, given the long-lived cookie, ends signed in; without it, at the login form.
#[derive(Clone, Debug, PartialEq)]
pub struct RenewPage {
    pub url: Url,
    pub needs_cookie: String,
    pub form_input: String,
}

/// The ways out.
#[derive(Clone, Debug, PartialEq)]
pub enum Logout {
    Request(LogoutRequest),
}

/// One request with the session's cookies, and what its answer must show.
#[derive(Clone, Debug, PartialEq)]
pub struct LogoutRequest {
    pub method: String,
    pub url: Url,
    pub headers: Vec<(String, String)>,
    pub proof: Proof,
    pub probe: Option<Probe>,
}

/// What an answer must show to prove that the session is dead.
#[derive(Clone, Debug, PartialEq)]
pub struct Proof {
    pub status: Vec<u16>,
    /// Where a redirect may lead: scheme, host and path; the query is not compared.
    pub locations: Vec<Url>,
    /// Each group is one cookie under its present and its former names.
    pub deletes: Vec<Vec<String>>,
}

/// A request that a dead session is refused, for when the logout's answer proves nothing.
#[derive(Clone, Debug, PartialEq)]
pub struct Probe {
    pub url: Url,
    pub refused_status: Vec<u16>,
}

impl Provider {
    /// The cookies that make a session: others that a service sets do not matter for it.
    pub fn credential_cookies(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.session.token_cookies.iter().map(String::as_str).collect();
        if let Some(Renew::Page(page)) = &self.renew {
            names.push(&page.needs_cookie);
        }
        let Logout::Request(logout) = &self.logout;
        names.extend(logout.proof.deletes.iter().flatten().map(String::as_str));
        names
    }

    /// True when the service can end all sessions of an account at once.
    pub fn can_log_out_everywhere(&self) -> bool {
        match self.logout {
            Logout::Request(_) => false,
        }
    }

    /// Reads a provider file. The error names the key, and says what would be right.
    pub fn parse(text: &str) -> Result<Self> {
        let file: file::File = toml::from_str(text).map_err(|error| describe(text, &error))?;
        check_id(&file.id)?;
        let hosts = Hosts::new(&file.hosts, &file.cookie_domains)?;
        let build = Builder { hosts: &hosts };
        let bearer_hosts = Hosts::new(&file.api.bearer_hosts, &[])?;
        for host in &file.api.bearer_hosts {
            if !file.hosts.contains(host) {
                return refuse("api.bearer_hosts", &format!("'{host}' is not one of the hosts"));
            }
        }
        if file.session.token_cookies.is_empty() {
            return refuse("session.token_cookies", "name at least one cookie");
        }
        let login = build.login(file.login)?;
        let renew = file.renew.map(|renew| build.renew(renew)).transpose()?;
        let logout = build.logout(file.logout)?;
        let website =
            Url::parse(&file.website).map_err(|_| invalid("website", "this is not an address"))?;
        let mut unauthenticated = file.api.unauthenticated;
        for words in &mut unauthenticated {
            *words = words.to_lowercase();
        }
        Ok(Provider {
            id: file.id,
            name: file.name,
            website,
            session: SessionRule {
                token_cookies: file.session.token_cookies,
                account_id: file.session.account_id,
                account_email: file.session.account_email,
                account_name: file.session.account_name,
            },
            api: ApiRule { bearer_hosts, unauthenticated },
            login,
            renew,
            logout,
            hosts,
            source: text.to_owned(),
        })
    }
}

struct Builder<'a> {
    hosts: &'a Hosts,
}

impl Builder<'_> {
    fn login(&self, login: file::Login) -> Result<Login> {
        let file::Login::HostedForm { pages, submit } = login;
        let mut known = vec!["username".to_owned()];
        let mut checked = Vec::new();
        for (index, page) in pages.into_iter().enumerate() {
            let key = format!("login.pages[{index}]");
            let target = self.target(&key, &page.url, page.query, page.headers, &known)?;
            let take: Vec<Take> = page
                .take
                .into_iter()
                .map(|(value, take)| Take { value, input: take.input, or_cookie: take.or_cookie })
                .collect();
            known.extend(take.iter().map(|take| take.value.clone()));
            checked.push(Page { name: page.name, target, take });
        }
        let target =
            self.target("login.submit", &submit.url, submit.query, submit.headers, &known)?;
        known.push("password".to_owned());
        let form = templates("login.submit.form", submit.form, &known)?;
        if submit.refused_class.is_empty() {
            return refuse(
                "login.submit.refused_class",
                "name the class of the element that says that the password is wrong",
            );
        }
        Ok(Login::HostedForm(HostedForm {
            pages: checked,
            submit: Submit { name: submit.name, target, form, refused_class: submit.refused_class },
        }))
    }

    fn renew(&self, renew: file::Renew) -> Result<Renew> {
        let file::Renew::Page { url, needs_cookie, form_input } = renew;
        Ok(Renew::Page(RenewPage { url: self.url("renew.url", &url)?, needs_cookie, form_input }))
    }

    fn logout(&self, logout: file::Logout) -> Result<Logout> {
        let file::Logout::Request { method, url, query, headers, proof, probe } = logout;
        if !matches!(method.as_str(), "GET" | "POST" | "DELETE") {
            return refuse("logout.method", &format!("'{method}' is none of GET, POST, DELETE"));
        }
        let mut url = self.url("logout.url", &url)?;
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(&query);
        }
        let proof = check_proof(proof)?;
        let probe = match probe {
            None => None,
            Some(probe) if probe.refused_status.is_empty() => {
                return refuse("logout.probe.refused_status", "name at least one status");
            }
            Some(probe) => Some(Probe {
                url: self.url("logout.probe.url", &probe.url)?,
                refused_status: probe.refused_status,
            }),
        };
        let headers = headers.into_iter().collect();
        Ok(Logout::Request(LogoutRequest { method, url, headers, proof, probe }))
    }

    fn target(
        &self,
        key: &str,
        url: &str,
        query: file::Pairs,
        headers: file::Pairs,
        known: &[String],
    ) -> Result<Target> {
        Ok(Target {
            url: self.url(&format!("{key}.url"), url)?,
            query: templates(&format!("{key}.query"), query, known)?,
            headers: templates(&format!("{key}.headers"), headers, known)?,
        })
    }

    fn url(&self, key: &str, text: &str) -> Result<Url> {
        let url =
            Url::parse(text).map_err(|_| invalid(key, &format!("'{text}' is not an address")))?;
        self.hosts.check(&url).map_err(|error| {
            invalid(key, error.message())
                .hint("Use https (http only on this machine), and list the host under `hosts`.")
        })?;
        Ok(url)
    }
}

fn check_id(id: &str) -> Result<()> {
    let good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if id.is_empty() || id.len() > 40 || !id.chars().all(good) {
        return refuse("id", "use 1 to 40 lower-case letters, digits and '-'");
    }
    Ok(())
}

fn check_proof(proof: file::Proof) -> Result<Proof> {
    if proof.status.is_empty() {
        return refuse("logout.proof.status", "name at least one status, as in [302]");
    }
    if proof.deletes.iter().any(Vec::is_empty) {
        return refuse("logout.proof.deletes", "each group names at least one cookie");
    }
    if proof.deletes.is_empty() && proof.locations.is_empty() {
        return refuse(
            "logout.proof",
            "a status alone proves nothing: add `deletes` or `locations`",
        );
    }
    let locations = proof
        .locations
        .iter()
        .map(|text| {
            Url::parse(text).map_err(|_| {
                invalid("logout.proof.locations", &format!("'{text}' is not an address"))
            })
        })
        .collect::<Result<_>>()?;
    Ok(Proof { status: proof.status, locations, deletes: proof.deletes })
}

fn templates(key: &str, pairs: file::Pairs, known: &[String]) -> Result<Vec<(String, Template)>> {
    pairs
        .into_iter()
        .map(|(name, text)| {
            let template = Template::parse(&text, known, &format!("{key}.{name}"))?;
            Ok((name, template))
        })
        .collect()
}

fn invalid(key: &str, why: &str) -> Error {
    Error::new(Kind::InvalidProvider, format!("provider file, {key}: {why}"))
}

fn refuse<T>(key: &str, why: &str) -> Result<T> {
    Err(invalid(key, why))
}

/// The parser's own words ("unknown field `loginn`, expected one of …") with the line.
fn describe(text: &str, error: &toml::de::Error) -> Error {
    let line = error.span().map_or(1, |span| {
        let end = span.start.min(text.len());
        text.get(..end).unwrap_or(text).matches('\n').count() + 1
    });
    Error::new(Kind::InvalidProvider, format!("provider file, line {line}: {}", error.message()))
        .hint("docs/providers.md lists every key with its type and an example.")
}
