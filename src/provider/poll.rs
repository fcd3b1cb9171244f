//! A login that waits for the user at another device, described request by request: where RFC 8628
//! is not spoken. What is shown, what is asked again and again, and how its answers are read.

use super::hosts::Hosts;
use super::problem::{At, Checked, Problem};
use super::request::request_table;
use super::scope::Scope;
use super::sign::{Signs, check_signs};
use super::step::{Step, check_steps};
use super::take::Takes;
use super::template::{Template, Values};
use serde::{Deserialize, Deserializer};

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct PollLogin {
    /// What asks for the code, in order.
    pub steps: Vec<Step>,
    /// What the user sees.
    pub show: Show,
    /// What is asked until the user is done.
    pub poll: Poll,
    /// What is asked then, in order; the last answer, or else that of the poll, holds the tokens.
    #[serde(default)]
    pub then: Vec<Step>,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Show {
    /// What the user enters; absent where only an address is opened.
    pub code: Option<Template>,
    /// The address that the user opens; it is never requested from here.
    pub url: Template,
    /// The same with the code in it, for the QR code.
    pub url_with_code: Option<Template>,
    /// For how many seconds the code is good.
    #[serde(default = "ten_minutes")]
    pub expires_in: Amount,
    /// How many seconds are between two requests.
    #[serde(default = "five_seconds")]
    pub interval: Amount,
}

request_table! {
    pub struct Poll, Get {
        /// What the answer shows once the user is done.
        pub done: Signs,
        /// What it shows until then.
        pub pending: Signs,
        /// What it shows where it was asked too soon.
        pub slow_down: Option<Signs>,
        /// What it shows once the user has refused.
        pub denied: Option<Signs>,
        /// What it shows once the code is over.
        pub expired: Option<Signs>,
        /// Values to take from the answer that is done.
        #[serde(default)]
        pub take: Takes,
    }
}

/// A number, or a text that becomes one.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(untagged))]
pub enum Amount {
    Text(Template),
    Number(u64),
}

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match serde_json::Value::deserialize(deserializer)? {
            serde_json::Value::String(text) => {
                Template::try_from(text).map(Amount::Text).map_err(serde::de::Error::custom)
            }
            value => {
                value.as_u64().filter(|number| *number > 0).map(Amount::Number).ok_or_else(|| {
                    serde::de::Error::custom("expected a whole number, or a value in braces")
                })
            }
        }
    }
}

#[cfg(test)]
impl serde::Serialize for Amount {
    /// For the schema's defaults, which are numbers.
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Amount::Number(number) => serializer.serialize_u64(*number),
            Amount::Text(_) => Err(serde::ser::Error::custom("a template")),
        }
    }
}

impl Amount {
    /// `None` where the value is no number above 0.
    pub fn of(&self, values: &Values) -> Option<u64> {
        match self {
            Amount::Number(number) => Some(*number),
            Amount::Text(text) => {
                text.fill(values).expose().parse().ok().filter(|number| *number > 0)
            }
        }
    }

    fn check(&self, scope: &Scope) -> Checked {
        match self {
            Amount::Text(text) => scope.check_shown(text),
            Amount::Number(_) => Ok(()),
        }
    }
}

fn ten_minutes() -> Amount {
    Amount::Number(600)
}

/// RFC 8628 section 3.2: "If no value is provided, clients MUST use 5 as the default."
fn five_seconds() -> Amount {
    Amount::Number(5)
}

impl PollLogin {
    pub(super) fn check<'a>(&'a self, scope: &mut Scope<'a>, hosts: &Hosts) -> Checked {
        if self.steps.is_empty() {
            let message = "name at least one, which asks for the code";
            return Err(Problem::new("steps", message, "As in [[login.steps]]."));
        }
        check_steps("steps", &self.steps, scope, hosts)?;
        self.show.check(scope).at("show")?;
        self.poll.check(scope, hosts).at("poll")?;
        check_steps("then", &self.then, scope, hosts)
    }
}

impl Show {
    fn check(&self, scope: &Scope) -> Checked {
        let texts = [
            ("code", self.code.as_ref()),
            ("url", Some(&self.url)),
            ("url_with_code", self.url_with_code.as_ref()),
        ];
        for (key, text) in texts {
            text.map_or(Ok(()), |text| scope.check_shown(text)).at(key)?;
        }
        self.expires_in.check(scope).at("expires_in")?;
        self.interval.check(scope).at("interval")
    }
}

impl Poll {
    fn check<'a>(&'a self, scope: &mut Scope<'a>, hosts: &Hosts) -> Checked {
        scope.check(self.request(), hosts)?;
        for (key, signs) in [
            ("done", Some(&self.done)),
            ("pending", Some(&self.pending)),
            ("slow_down", self.slow_down.as_ref()),
            ("denied", self.denied.as_ref()),
            ("expired", self.expired.as_ref()),
        ] {
            check_signs(signs).at(key)?;
        }
        scope.take(&self.take)
    }
}
