//! Which values a request may hold, and in which of its parts: the one place that says it.
//!
//! A password goes into bodies, a token into headers and bodies, neither into an address. What an
//! answer held may stand anywhere: a code that is polled for is often part of the path.

use super::hosts::Hosts;
use super::problem::{At, Checked, Problem};
use super::request::{RequestTemplate, Target, allow};
use super::take::Takes;
use super::template::{CLAIM, COOKIE, Template};

/// The access token and what came with it: values of the session.
pub const TOKENS: [&str; 3] = ["access_token", "refresh_token", "id_token"];

/// What an answer says of the session besides: a value that a login takes by such a name is that.
const ABOUT: [&str; 4] = ["expires_in", "account_id", "account_email", "account_name"];

/// Names that mean something else in a template.
const OTHERS: [&str; 16] = [
    "username",
    "password",
    "answer",
    "id",
    "claim",
    "cookie",
    "device_id",
    "now",
    "now_ms",
    "uuid",
    "authorization_endpoint",
    "device_authorization_endpoint",
    "token_endpoint",
    "revocation_endpoint",
    "end_session_endpoint",
    "userinfo_endpoint",
];

/// Fresh for each request.
pub const DEVICE_ID: &str = "device_id";
pub const NOW: &str = "now";
pub const NOW_MS: &str = "now_ms";
pub const UUID: &str = "uuid";

/// True for a name that no parameter and no value of the author's may have.
pub(super) fn is_reserved(name: &str) -> bool {
    TOKENS.contains(&name) || ABOUT.contains(&name) || OTHERS.contains(&name)
}

/// True for a name by which a login takes something for the session.
pub fn is_of_session(name: &str) -> bool {
    TOKENS.contains(&name) || ABOUT.contains(&name)
}

/// A part of a request, or what is shown to people.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Path,
    Query,
    Header,
    Body,
    Shown,
}

/// What is known at one point of the file.
#[derive(Clone, Default)]
pub(super) struct Scope<'a> {
    has_user: bool,
    has_password: bool,
    has_answer: bool,
    is_session: bool,
    may_take_session: bool,
    /// By answers, and kept with the session.
    values: Vec<&'a str>,
    parameters: Vec<&'a str>,
}

impl<'a> Scope<'a> {
    /// A login that asks the user for nothing; `parameters` have their names already.
    pub fn login(parameters: impl Iterator<Item = &'a str>) -> Self {
        Scope { may_take_session: true, parameters: parameters.collect(), ..Scope::default() }
    }

    /// A session, which keeps the values of these names.
    pub fn session(
        parameters: impl Iterator<Item = &'a str>,
        kept: impl Iterator<Item = &'a str>,
    ) -> Self {
        Scope {
            is_session: true,
            values: kept.collect(),
            parameters: parameters.collect(),
            ..Scope::default()
        }
    }

    #[must_use]
    pub fn with_user(&self) -> Self {
        Scope { has_user: true, ..self.clone() }
    }

    #[must_use]
    pub fn with_password(&self) -> Self {
        Scope { has_password: true, ..self.clone() }
    }

    /// For what comes before the session.
    #[must_use]
    pub fn before_session(&self) -> Self {
        Scope { may_take_session: false, ..self.clone() }
    }

    /// For the request that answers a question of the server's.
    #[must_use]
    pub fn with_answer(&self) -> Self {
        Scope { has_answer: true, ..self.clone() }
    }

    /// What was taken by now, or is kept.
    pub fn taken(&self) -> impl Iterator<Item = &'a str> {
        self.values.iter().copied()
    }

    pub fn is_session(&self) -> bool {
        self.is_session
    }

    /// Checks what an answer gives, and adds it.
    pub fn take(&mut self, takes: &'a Takes) -> Checked {
        let another = "Call it something else.";
        for name in takes.keys() {
            let good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
            let problem = |message: &str, hint: &str| {
                Err(Problem::new(format!("take.{name}"), message, hint))
            };
            if name.is_empty() || !name.chars().all(good) {
                return problem("use lower-case letters, digits and '_' for a name", another);
            }
            if is_of_session(name) && !self.may_take_session {
                return problem("a value of the session has this name already", another);
            }
            if is_reserved(name) && !is_of_session(name) {
                let what = if matches!(name.as_str(), "username" | "password" | "answer") {
                    "what the user types has this name already"
                } else {
                    "this name means something else already"
                };
                return problem(what, another);
            }
            if self.parameters.contains(&name.as_str()) {
                return problem("a parameter has this name already", another);
            }
            if self.is_session && self.values.contains(&name.as_str()) {
                return problem("a value of the session has this name already", another);
            }
        }
        self.values.extend(takes.keys().map(String::as_str));
        Ok(())
    }

    /// Checks a request: where it goes, and what it holds where.
    pub fn check(&self, request: RequestTemplate, hosts: &Hosts) -> Checked {
        if let Target::Given(url) = request.url {
            allow(hosts, "url", url)?;
            url.template().check(&self.known(Part::Path)).at("url")?;
        }
        let header = self.known(Part::Header);
        for (name, template) in request.headers {
            template.check(&header).at(name).at("headers")?;
        }
        for (name, text) in request.query {
            text.check(&self.known(Part::Query)).at(name).at("query")?;
        }
        let body = self.known(Part::Body);
        for (name, text) in request.form {
            text.check(&body).at(name).at("form")?;
        }
        let Some(json) = request.json else { return Ok(()) };
        json.texts()
            .into_iter()
            .try_for_each(|(key, text)| text.check(&body).at(&key).at("json"))?;
        if !json.is_table() {
            return Err(Problem::new("json", "the body is a table", "As in json = { a = \"b\" }."));
        }
        if request.form.is_empty() {
            return Ok(());
        }
        Err(Problem::new("json", "a request has one body: `json` or `form`", ""))
    }

    /// Checks what carries the session's credential.
    pub fn check_carried(&self, text: &Template) -> Checked {
        let mut known = self.known(Part::Header);
        known.retain(|name| ![COOKIE, NOW, NOW_MS, UUID].contains(name));
        text.check(&known)
    }

    /// Checks a text that is shown to people.
    pub fn check_shown(&self, text: &Template) -> Checked {
        text.check(&self.known(Part::Shown))
    }

    /// The names of what may stand there; `CLAIM` and `COOKIE` stand for all that begin so.
    fn known(&self, part: Part) -> Vec<&'a str> {
        let in_request = matches!(part, Part::Query | Part::Header | Part::Body);
        let is_secret_there = matches!(part, Part::Header | Part::Body);
        let mut known = Vec::new();
        let mut add = |is_known: bool, names: &[&'a str]| {
            if is_known {
                known.extend_from_slice(names);
            }
        };
        add(self.has_user && in_request, &["username"]);
        add(self.has_password && part == Part::Body, &["password"]);
        add(self.has_answer && part == Part::Body, &["answer"]);
        add(self.is_session && is_secret_there, &TOKENS);
        add(self.is_session && in_request, &[CLAIM]);
        for name in &self.values {
            add(is_secret_there || !TOKENS.contains(name), &[name]);
        }
        add(is_secret_there, &[COOKIE]);
        add(in_request || part == Part::Shown, &[DEVICE_ID]);
        add(in_request, &[NOW, NOW_MS, UUID]);
        known
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_secret_goes_into_an_address() {
        let takes: Takes = serde_json::from_str(r#"{"access_token": "/t", "pin": "/p"}"#).unwrap();
        let mut login = Scope::login(std::iter::empty()).with_user().with_password();
        login.take(&takes).unwrap();
        let asked = login.with_answer();
        let session = Scope::session(std::iter::empty(), ["kept"].into_iter());
        for (scope, part, known, unknown) in [
            (&login, Part::Path, "pin", "username password access_token cookie. device_id now"),
            (&login, Part::Query, "pin username device_id now", "password access_token cookie."),
            (&login, Part::Header, "pin access_token cookie. uuid", "password answer"),
            (&login, Part::Body, "password username access_token", "answer claim."),
            (&login, Part::Shown, "pin device_id", "username access_token now"),
            (&asked, Part::Body, "answer password pin", "claim."),
            (&asked, Part::Header, "pin username", "answer password"),
            (&asked, Part::Query, "pin", "answer password"),
            (&asked, Part::Path, "pin", "answer username"),
            (&session, Part::Path, "kept", "access_token claim. cookie."),
            (&session, Part::Query, "kept claim. now_ms", "access_token refresh_token cookie."),
            (&session, Part::Header, "kept claim. access_token cookie.", "username password"),
        ] {
            let found = scope.known(part);
            assert!(known.split(' ').all(|name| found.contains(&name)), "{known}: {found:?}");
            assert!(unknown.split(' ').all(|name| !found.contains(&name)), "{unknown}: {found:?}");
        }
    }

    #[test]
    fn a_name_means_one_thing() {
        let refused = |scope: &Scope, name: &str| {
            let takes: Takes = serde_json::from_value(serde_json::json!({ name: "/x" })).unwrap();
            scope.clone().take(&takes).is_err()
        };
        let login = Scope::login(["base"].into_iter());
        for bad in ["password", "answer", "device_id", "uuid", "token_endpoint", "base", "A", ""] {
            assert!(refused(&login, bad), "{bad}");
        }
        assert!(!refused(&login, "access_token") && !refused(&login, "pin_2"));
        let session = Scope::session(std::iter::empty(), ["kept"].into_iter());
        assert!(refused(&session, "access_token") && refused(&session, "kept"));
    }
}
