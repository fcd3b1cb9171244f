//! A request made of its templates: with what the session holds, what a login has taken, and what
//! is fresh for each request. Where a value is missing there is no request.

use crate::clock::Clock;
use crate::context::Context;
use crate::http::Request;
use crate::provider::{
    CLAIM, COOKIE, NOW, NOW_MS, Provider, RequestTemplate, Target, UUID, Values,
};
use crate::secret::Secret;
use crate::session::{ACCESS_TOKEN, Credentials};
use crate::vault::random_id;
use url::Url;

/// The request; `None` where it needs a value that is not there. `values` go before those of the
/// session.
pub fn fill(
    context: &Context,
    template: RequestTemplate,
    credentials: &Credentials,
    values: &Values,
) -> Option<Request> {
    let known = Known { provider: context.provider, credentials, values };
    let url = known.address(template)?;
    let all = known.all(template, &url, Some(context.clock))?;
    Some(Request::filled(template, url, &all))
}

/// True where nothing is missing of what the session holds.
pub fn can_fill(provider: &Provider, template: RequestTemplate, credentials: &Credentials) -> bool {
    let known = Known { provider, credentials, values: &Values::new() };
    known.address(template).is_some_and(|url| known.all(template, &url, None).is_some())
}

struct Known<'a> {
    provider: &'a Provider,
    credentials: &'a Credentials,
    values: &'a Values,
}

impl Known<'_> {
    fn address(&self, template: RequestTemplate) -> Option<Url> {
        match template.url {
            Target::Given(url) => {
                let places = url.template().places();
                let values: Option<Values> =
                    places.map(|name| Some((name.to_owned(), self.value(name)?))).collect();
                url.fill(&values?)
            }
            // Where it leads is checked like any other address, when it is asked.
            Target::Taken(name) => Url::parse(self.value(name)?.expose()).ok(),
        }
    }

    fn all(
        &self,
        template: RequestTemplate,
        url: &Url,
        clock: Option<&dyn Clock>,
    ) -> Option<Values> {
        let now = || clock.map_or(0, Clock::now);
        let mut all = Values::new();
        for name in template.places() {
            let value = match name {
                NOW => Secret::new(now().to_string()),
                NOW_MS => Secret::new(now().saturating_mul(1000).to_string()),
                UUID => uuid()?,
                _ => match name.strip_prefix(COOKIE) {
                    Some(cookie) => self.credentials.jar.subset_for(&[url]).value(cookie)?,
                    None => self.value(name)?,
                },
            };
            all.insert(name.to_owned(), value);
        }
        Some(all)
    }

    /// What was taken may be empty, where the file says so; what the session holds may not.
    fn value(&self, name: &str) -> Option<Secret> {
        if let Some(value) = self.values.get(name) {
            return Some(value.clone());
        }
        match name.strip_prefix(CLAIM) {
            Some(claim) => {
                self.credentials.claim(self.provider, &[claim.to_owned()]).map(Secret::new)
            }
            None if name == ACCESS_TOKEN => self.credentials.token(&self.provider.session),
            None => self.credentials.value(name).cloned(),
        }
    }
}

/// A random one (RFC 9562 section 5.4).
fn uuid() -> Option<Secret> {
    let mut hex = random_id().ok()?;
    hex.replace_range(12..13, "4");
    let variant = u8::from_str_radix(&hex[16..17], 16).ok()? & 0b0011 | 0b1000;
    hex.replace_range(16..17, &format!("{variant:x}"));
    let parts = [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]];
    Some(Secret::new(parts.join("-")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uuid_is_one_of_version_4_and_never_the_same() {
        let (one, other) = (uuid().unwrap(), uuid().unwrap());
        assert_ne!(one, other);
        for uuid in [one, other] {
            let parts: Vec<usize> = uuid.expose().split('-').map(str::len).collect();
            assert_eq!(parts, [8, 4, 4, 4, 12]);
            assert_eq!(&uuid.expose()[14..15], "4");
            assert!("89ab".contains(&uuid.expose()[19..20]), "{}", uuid.expose());
        }
    }
}
