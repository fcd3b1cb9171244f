//! What a server may ask after the name and the password: a code from an app or a message, a PIN.

use super::hosts::Hosts;
use super::leaf::{Address, Pointer, RefusalStatuses, Scalar, leaf};
use super::problem::{Checked, Problem};
use super::request::{Headers, Known, Pairs, RequestTemplate, allow};
use super::template::Template;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The value that the viewer gives.
pub const ANSWER: &str = "answer";

/// A question, and the request that carries its answer.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Question {
    /// What the answer to the login, or to the question before, shows where this is asked.
    pub when: Sign,
    /// What is asked for.
    pub kind: QuestionKind,
    /// The same for people, as in "the code from your authenticator app".
    pub about: About,
    /// Values to take from the answer that asks.
    #[serde(default)]
    pub take: BTreeMap<String, Pointer>,
    /// Where the answer is sent, by POST.
    pub url: Address,
    /// Added to the address's query.
    #[serde(default)]
    query: Pairs,
    /// More headers.
    #[serde(default)]
    headers: Headers,
    /// The body, as a form.
    #[serde(default)]
    form: Pairs,
    /// The body, as a flat JSON object.
    #[serde(default)]
    json: Pairs,
    /// The statuses that say that the answer is wrong.
    #[serde(default = "RefusalStatuses::unauthorized")]
    pub refused_status: RefusalStatuses,
    /// What says the same where statuses do not tell.
    pub refused: Option<Sign>,
    /// What says that the answer came too late.
    pub expired: Option<Sign>,
    /// How often it is asked where the answer is wrong.
    #[serde(default)]
    pub tries: Tries,
}

/// What is asked for; a user interface has words of its own for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum QuestionKind {
    // The code that an authenticator app shows.
    Totp,
    // A code that came by e-mail.
    Mail,
    // A code that came to a telephone.
    Sms,
    // A PIN, which nobody should see.
    Pin,
    // Anything else.
    Text,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Sign {
    pub status: Vec<u16>,
    pub json: BTreeMap<Pointer, Scalar>,
    pub class: Option<String>,
}

leaf! {
    /// Words for people.
    #[derive(Serialize)]
    About(String as str) from "String" String, |text| {
        if text.trim().is_empty() || text.len() > LONGEST_ABOUT {
            return Err(format!("write 1 to {LONGEST_ABOUT} bytes, as in \"the code from the app\""));
        }
        Ok(text)
    }
}

const LONGEST_ABOUT: usize = 200;

leaf! {
    /// How often something is asked: 1 to 10 times.
    #[derive(Copy, Serialize)]
    Tries(u32 as u32) from "u32" u32, |tries| {
        if (1..=MOST_TRIES).contains(&tries) {
            return Ok(tries);
        }
        Err(format!("{tries} tries: use 1 to {MOST_TRIES}"))
    }
}

const MOST_TRIES: u32 = 10;

impl Default for Tries {
    fn default() -> Self {
        Tries(3)
    }
}

impl Question {
    pub fn request(&self) -> RequestTemplate<'_> {
        let Question { query, headers, json, form, .. } = self;
        RequestTemplate { query, headers, json, form }
    }

    /// `known` are the values of the login until then, `body` those for a body alone.
    pub(super) fn check(&self, hosts: &Hosts, known: &[&str], body: &[&str]) -> Checked {
        let is_given = |name: &&String| {
            name == &ANSWER || known[..1].contains(&name.as_str()) || body.contains(&name.as_str())
        };
        if let Some(name) = self.take.keys().find(is_given) {
            let message = "another value has this name already";
            return Err(Problem::new(format!("take.{name}"), message, ""));
        }
        allow(hosts, "url", &self.url)?;
        let taken = self.take.keys().map(String::as_str);
        let known: Vec<&str> = known.iter().copied().chain(taken).collect();
        let headers = [known.as_slice(), &[ANSWER]].concat();
        let body = [headers.as_slice(), body].concat();
        let held = Known { query: &known, headers: &headers, body: &body };
        self.request().check(&held)?;
        if self.request().templates().flat_map(Template::places).all(|name| name != ANSWER) {
            let hint = "As in json = { code = \"{answer}\" }.";
            return Err(Problem::new("", "the request does not carry the answer", hint));
        }
        Ok(())
    }
}
