//! From the file as it is written to the definition that is right: addresses are on the provider's
//! hosts, templates name known values, what must not be empty is not. After this nobody checks again.

use super::definition::{
    ApiRule, HostedForm, Login, Logout, LogoutRequest, Page, Probe, Proof, Provider, Renew,
    RenewPage, SessionRule, Submit, Take, Target,
};
use super::file;
use super::hosts::Hosts;
use super::template::Template;
use crate::error::{Error, Kind, Result};
use url::Url;

impl Provider {
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
