//! From the file as it is written to the definition that is right: addresses are on the provider's
//! hosts, templates name known values, what must not be empty is not. After this nobody checks again.

mod after;
mod oauth;
mod way_in;
mod way_out;

use super::definition::{AnswerRule, ApiRule, Body, Login, Provider, SessionRule, Target};
use super::hosts::Hosts;
use super::mistake::{describe, suggest};
use super::parameters::{Given, key_of};
use super::template::Template;
use super::{FILE_LIMIT, file, headers, parameters};
use crate::error::{Error, Kind, Result};
use url::Url;

impl Provider {
    /// Reads a provider file that leaves nothing open, or whose defaults serve. The error names the
    /// key, and says what would be right.
    pub fn parse(text: &str) -> Result<Self> {
        Self::parse_with(text, &Given::new())
    }

    /// Reads a provider file, with values for its parameters.
    pub fn parse_with(text: &str, given: &Given) -> Result<Self> {
        if text.len() as u64 > FILE_LIMIT {
            let message = "provider file: it is over 256 KiB";
            return Err(Error::new(Kind::InvalidProvider, message)
                .with_hint("A provider file is a page or two of text; this is something else."));
        }
        let source = parameters::fill(text, given)?;
        let file: file::File =
            toml::from_str(&source).map_err(|error| describe(&source, &error))?;
        check_id(&file.id)?;
        if file.hosts.is_empty() {
            return Err(invalid("hosts", "name at least one")
                .with_hint("Every host that a request goes to, as in [\"www.example.com\"]."));
        }
        let hosts = Hosts::new(&file.hosts, &file.cookie_domains)?;
        let parameters = file.parameters.keys().map(String::as_str).collect();
        let build = Builder { hosts: &hosts, parameters, oauth: file.oauth.as_ref() };
        for host in &file.api.bearer_hosts {
            if !file.hosts.contains(host) {
                let why = format!("'{host}' is not one of the hosts");
                return Err(invalid("api.bearer_hosts", &why)
                    .with_hint("Write it exactly as under `hosts`, and list it there."));
            }
        }
        let bearer_hosts = Hosts::new(&file.api.bearer_hosts, &[])?;
        let oauth = file.oauth.as_ref().map(|oauth| build.oauth(oauth)).transpose()?;
        let login = build.login(file.login)?;
        let session = session(file.session, &login)?;
        let renew = file.renew.map(|renew| build.renew(renew)).transpose()?;
        let logout = build.logout(file.logout, renew.is_some())?;
        let everywhere = file.everywhere.map(|way| build.everywhere(way)).transpose()?;
        let website = build.address("website", &file.website)?;
        let mut unauthenticated = file.api.unauthenticated;
        for words in &mut unauthenticated {
            *words = words.to_lowercase();
        }
        Ok(Provider {
            key: key_of(&file.id, &file.parameters, given),
            id: file.id,
            name: file.name,
            website,
            session,
            api: ApiRule { bearer_hosts, unauthenticated },
            oauth,
            login,
            renew,
            logout,
            everywhere,
            after_logout: after::check(file.after_logout)?,
            hosts,
            source,
        })
    }
}

/// Checks the parts of a file against each other.
struct Builder<'a> {
    hosts: &'a Hosts,
    parameters: Vec<&'a str>,
    oauth: Option<&'a file::OAuth>,
}

impl Builder<'_> {
    fn target(
        &self,
        key: &str,
        url: &str,
        query: file::Pairs,
        headers: file::Pairs,
        known: &[&str],
    ) -> Result<Target> {
        Ok(Target {
            url: self.url(&format!("{key}.url"), url)?,
            query: templates(&format!("{key}.query"), query, known)?,
            headers: header_templates(key, headers, known)?,
        })
    }

    /// An address that requests go to.
    fn url(&self, key: &str, text: &str) -> Result<Url> {
        let url = self.address(key, text)?;
        self.hosts
            .check(&url)
            .map_err(|error| invalid(key, error.message()).with_hint(error.hint()))?;
        Ok(url)
    }

    /// An address of any host.
    fn address(&self, key: &str, text: &str) -> Result<Url> {
        if let Some((name, _)) = text.split_once('{').and_then(|(_, rest)| rest.split_once('}')) {
            let message = format!("no parameter is called '{name}'");
            let known =
                suggest(name, self.parameters.iter().copied(), |name| format!("{{{name}}}"));
            return Err(invalid(key, &message).with_hint(format!(
                "An address holds parameters only; what changes goes into its `query`. {known}"
            )));
        }
        Url::parse(text).map_err(|_| {
            invalid(key, &format!("'{text}' is not an address"))
                .with_hint("Write it in full, as in \"https://www.example.com/path\".")
        })
    }

    /// For a way that speaks OAuth, by the endpoint that it needs.
    fn needs_oauth(&self, key: &str, endpoint: &str) -> Result<()> {
        let Some(oauth) = self.oauth else {
            return Err(invalid(key, "this way speaks OAuth, and there is no table [oauth]")
                .with_hint("Add [oauth] with client_id, and an issuer or the endpoints."));
        };
        let given = match endpoint {
            "device_authorization_endpoint" => &oauth.device_authorization_endpoint,
            "revocation_endpoint" => &oauth.revocation_endpoint,
            "end_session_endpoint" => &oauth.end_session_endpoint,
            _ => &oauth.token_endpoint,
        };
        if given.is_some() || oauth.issuer.is_some() {
            return Ok(());
        }
        Err(invalid(key, &format!("[oauth] names no {endpoint}"))
            .with_hint(format!("Add oauth.{endpoint}, or an issuer whose metadata name it.")))
    }
}

fn session(session: file::Session, login: &Login) -> Result<SessionRule> {
    if session.token_cookies.is_empty() && matches!(login, Login::HostedForm(_)) {
        return Err(invalid("session.token_cookies", "name at least one cookie").with_hint(
            "A form's answer gives cookies: which of them says that somebody is signed in?",
        ));
    }
    let answer = session.answer;
    let pointer = |key: &str, text: String| check_pointer(&format!("session.answer.{key}"), text);
    Ok(SessionRule {
        token_cookies: session.token_cookies,
        account_id: session.account_id,
        account_email: session.account_email,
        account_name: session.account_name,
        answer: AnswerRule {
            access_token: pointer("access_token", answer.access_token)?,
            refresh_token: pointer("refresh_token", answer.refresh_token)?,
            id_token: pointer("id_token", answer.id_token)?,
            expires_in: pointer("expires_in", answer.expires_in)?,
            account_id: pointer("account_id", answer.account_id)?,
            account_email: pointer("account_email", answer.account_email)?,
            account_name: pointer("account_name", answer.account_name)?,
        },
    })
}

fn check_id(id: &str) -> Result<()> {
    let good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if id.is_empty() || id.len() > 40 || !id.chars().all(good) {
        return refuse("id", "use 1 to 40 lower-case letters, digits and '-'");
    }
    Ok(())
}

/// RFC 6901: empty for the whole, else it begins with a slash.
fn check_pointer(key: &str, pointer: String) -> Result<String> {
    if pointer.is_empty() || pointer.starts_with('/') {
        return Ok(pointer);
    }
    Err(invalid(key, &format!("'{pointer}' is no JSON pointer")).with_hint(format!(
        "Write it with a slash before each name, as in \"/{}\".",
        pointer.replace('.', "/")
    )))
}

fn check_method(key: &str, method: &str, known: &[&str]) -> Result<()> {
    if known.contains(&method) {
        return Ok(());
    }
    let known: Vec<String> = known.iter().map(|name| format!("\"{name}\"")).collect();
    Err(invalid(key, &format!("'{method}' is no method that is sent here"))
        .with_hint(format!("Write one of {}.", known.join(", "))))
}

fn check_statuses(key: &str, statuses: &[u16]) -> Result<()> {
    if statuses.is_empty() {
        return refuse(key, "name at least one status, as in [401]");
    }
    match statuses.iter().find(|status| !(100..600).contains(*status)) {
        Some(odd) => refuse(key, &format!("{odd} is no HTTP status")),
        None => Ok(()),
    }
}

fn body(key: &str, json: file::Pairs, form: file::Pairs, known: &[&str]) -> Result<Body> {
    match (json.is_empty(), form.is_empty()) {
        (true, true) => Ok(Body::None),
        (false, true) => Ok(Body::Json(templates(&format!("{key}.json"), json, known)?)),
        (true, false) => Ok(Body::Form(templates(&format!("{key}.form"), form, known)?)),
        (false, false) => refuse(key, "a request has one body: `json` or `form`"),
    }
}

fn templates(key: &str, pairs: file::Pairs, known: &[&str]) -> Result<Vec<(String, Template)>> {
    pairs
        .into_iter()
        .map(|(name, text)| {
            let template = Template::parse(&text, known, &format!("{key}.{name}"))?;
            Ok((name, template))
        })
        .collect()
}

fn header_templates(
    key: &str,
    headers: file::Pairs,
    known: &[&str],
) -> Result<Vec<(String, Template)>> {
    for name in headers.keys() {
        let key = format!("{key}.headers.{name}");
        if !headers::is_name(name) {
            return refuse(&key, "this is no name of a header");
        }
        if headers::is_reserved(name) || name.eq_ignore_ascii_case("authorization") {
            return Err(invalid(&key, "Sessionkeeper sets this header itself").with_hint(
                "Cookies are sent by themselves; a token goes along with `bearer = true`.",
            ));
        }
    }
    templates(&format!("{key}.headers"), headers, known)
}

fn invalid(key: &str, why: &str) -> Error {
    Error::new(Kind::InvalidProvider, format!("provider file, {key}: {why}"))
}

fn refuse<T>(key: &str, why: &str) -> Result<T> {
    Err(invalid(key, why))
}
