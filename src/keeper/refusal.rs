//! Whether an answer refuses the session that it was asked with: by its status, or in the words that
//! the provider's GraphQL has for it.

use super::handle::Keeper;
use crate::http::Answer;
use crate::session::Session;
use serde::Deserialize;
use serde_json::Value;

impl Keeper {
    /// True when the answer refuses the session that it was asked with.
    pub(super) fn is_refusal(&self, answer: &Answer, session: &Session) -> bool {
        self.is_unauthenticated(answer) && self.had_credentials(answer, session)
    }

    /// True when the request that was answered had something by which the server knows the
    /// session; otherwise its refusal says nothing.
    fn had_credentials(&self, answer: &Answer, session: &Session) -> bool {
        let sent = session.credentials.jar.subset_for(&[&answer.url]);
        let mut cookies = self.provider.session.token_cookies.iter();
        answer.had_credential || cookies.any(|name| sent.value(name).is_some())
    }

    /// 401, or a GraphQL error that says so.
    fn is_unauthenticated(&self, answer: &Answer) -> bool {
        if answer.status == 401 {
            return true;
        }
        if self.provider.api.unauthenticated.is_empty() || answer.status != 200 {
            return false;
        }
        let is_object = answer.body.trim_ascii_start().first() == Some(&b'{');
        let Ok(said) = serde_json::from_slice::<GraphqlAnswer>(&answer.body) else { return false };
        let says = |text: Option<&Value>| {
            let text = text.and_then(Value::as_str).unwrap_or_default().to_lowercase();
            self.provider.api.unauthenticated.iter().any(|words| text.contains(words.as_str()))
        };
        is_object
            && said.errors.as_array().is_some_and(|errors| {
                errors.iter().any(|error| {
                    says(error.get("message")) || says(error.pointer("/extensions/code"))
                })
            })
    }
}

/// Of an answer that may be large, nothing else is kept.
#[derive(Deserialize)]
struct GraphqlAnswer {
    #[serde(default)]
    errors: Value,
}
