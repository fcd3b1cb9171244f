//! What a server may ask after the name and the password: a code from an app or a message, a PIN.

use super::hosts::Hosts;
use super::leaf::{Method, RefusalStatuses, leaf};
use super::problem::{At, Checked, Problem};
use super::request::request_table;
use super::scope::Scope;
use super::sign::{Signs, check_signs};
use super::step::{Step, check_steps};
use super::take::Takes;
use serde::{Deserialize, Serialize};

/// The value that the viewer gives.
pub const ANSWER: &str = "answer";

request_table! {
    /// A question, and the request that carries its answer.
    pub struct Question, Post {
        /// What the answer to the login, or to the question before, shows where this is asked.
        pub when: Signs,
        /// What is asked for: "totp", "mail", "sms", "pin" or "text".
        pub kind: QuestionKind,
        /// The same for people, as in "the code from your authenticator app".
        pub about: About,
        /// Values to take from the answer that asks.
        #[serde(default)]
        pub take: Takes,
        /// What is asked for before the viewer is, in order.
        #[serde(default)]
        pub steps: Vec<Step>,
        /// The statuses that say that the answer is wrong.
        #[serde(default = "RefusalStatuses::unauthorized")]
        pub refused_status: RefusalStatuses,
        /// What an answer shows that says so, where its status does not tell.
        pub refused: Option<Signs>,
        /// What an answer shows that says that it came too late.
        pub expired: Option<Signs>,
        /// How often it is asked where the answer is wrong: 1 to 10 times.
        #[serde(default)]
        pub tries: Tries,
    }
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

leaf! {
    /// What is asked for, for people.
    #[derive(Serialize)]
    About(String as str) from "String" String, |text| {
        if text.trim().is_empty() || text.len() > LONGEST_ABOUT {
            return Err(format!(
                "use 1 to {LONGEST_ABOUT} bytes, as in \"the code from your authenticator app\""
            ));
        }
        Ok(text)
    }
}

const LONGEST_ABOUT: usize = 200;

leaf! {
    /// How often something is asked.
    #[derive(Copy, Serialize)]
    Tries(u32 as u32) from "u32" u32, |tries| {
        if (1..=MOST_TRIES).contains(&tries) {
            return Ok(tries);
        }
        Err(format!("{tries} is no number of tries: use 1 to {MOST_TRIES}"))
    }
}

const MOST_TRIES: u32 = 10;

impl Default for Tries {
    fn default() -> Self {
        Tries(3)
    }
}

impl Question {
    /// `scope` is what the login knows by then. The session is not begun, so nothing is taken for it.
    pub(super) fn check(&self, scope: &Scope, hosts: &Hosts) -> Checked {
        let mut scope = scope.before_session();
        check_signs(Some(&self.when)).at("when")?;
        scope.take(&self.take)?;
        check_steps("steps", &self.steps, &mut scope, hosts)?;
        let request = self.request();
        if request.method != Method::Post {
            return Err(Problem::new("method", "an answer is sent by POST", "Leave it out."));
        }
        scope.with_password().with_answer().check(request, hosts)?;
        if !request.places().any(|name| name == ANSWER) {
            let hint = "As in json = { code = \"{answer}\" }.";
            return Err(Problem::new("", "the request does not carry the answer", hint));
        }
        check_signs(self.refused.as_ref()).at("refused")?;
        check_signs(self.expired.as_ref()).at("expired")
    }
}
