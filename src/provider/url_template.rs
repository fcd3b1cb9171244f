//! An address in whose path values may stand, as in `"https://api.example.com/pins/{id}"`. Scheme,
//! host, port and query are fixed: no value leads a request elsewhere.

use super::leaf::Address;
use super::template::{Template, Values};
use serde::Deserialize;
use std::ops::Deref;
use url::Url;

/// `Deref` gives the address with a 0 in each place.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct UrlTemplate {
    template: Template,
    shape: Address,
}

impl TryFrom<String> for UrlTemplate {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let template = Template::try_from(text.clone())?;
        if template.places().next().is_none() {
            return Ok(UrlTemplate { template, shape: Address::try_from(text)? });
        }
        let before = text.split('{').next().unwrap_or_default();
        let after_scheme = before.split_once("://").map(|(_, rest)| rest);
        let last = text.rfind('{').unwrap_or_default();
        let is_in_path = after_scheme.is_some_and(|rest| rest.contains('/'))
            && !text[..last].contains(['?', '#', '\\']);
        if !is_in_path {
            let name = template.places().next().unwrap_or_default();
            return Err(format!(
                "no parameter is called '{name}'; other values stand in the path alone, what \
                 changes besides goes into the `query`"
            ));
        }
        let zeros = template.places().map(|name| (name.to_owned(), "0".to_owned().into()));
        let shape = template.fill(&zeros.collect());
        Ok(UrlTemplate { shape: Address::try_from(shape.expose().to_owned())?, template })
    }
}

impl Deref for UrlTemplate {
    type Target = Url;

    fn deref(&self) -> &Url {
        &self.shape
    }
}

impl UrlTemplate {
    pub fn template(&self) -> &Template {
        &self.template
    }

    /// The address with the values in their places, each one part of the path or of a part, whatever
    /// it holds; `None` where a value would be no such part: empty, or dots that lead elsewhere.
    pub fn fill(&self, values: &Values) -> Option<Url> {
        if self.template.places().next().is_none() {
            return Some(self.shape.to_url());
        }
        let mut escaped = Values::new();
        for name in self.template.places() {
            let value = values.get(name).filter(|value| !value.is_empty())?;
            let bytes = url::form_urlencoded::byte_serialize(value.expose().as_bytes());
            escaped.insert(name.to_owned(), bytes.collect::<String>().replace('+', "%20").into());
        }
        let url = Url::parse(self.template.fill(&escaped).expose()).ok()?;
        let parts = |url: &Url| url.path_segments().map_or(0, Iterator::count);
        let is_same = url.origin() == self.shape.origin()
            && parts(&url) == parts(&self.shape)
            && url.query() == self.shape.query();
        is_same.then_some(url)
    }
}

#[cfg(test)]
impl schemars::JsonSchema for UrlTemplate {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "UrlTemplate".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "description": "An address in full, with values in its path.",
            "type": "string"
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Secret;

    fn read(text: &str) -> Result<UrlTemplate, String> {
        UrlTemplate::try_from(text.to_owned())
    }

    #[test]
    fn a_value_stays_one_part_of_the_path() {
        let url = read("https://a.example/pins/{id}/x{id}?a=b").unwrap();
        assert_eq!(url.as_str(), "https://a.example/pins/0/x0?a=b");
        let fill = |value: &str| {
            let filled = url.fill(&[("id".to_owned(), Secret::new(value))].into());
            filled.map(|url| url.to_string())
        };
        assert_eq!(fill("7").as_deref(), Some("https://a.example/pins/7/x7?a=b"));
        let odd = fill("a/b?c#d é+%2e\\@").unwrap();
        assert_eq!(odd.matches("%2Fb%3Fc%23d%20%C3%A9%2B%252e%5C%40").count(), 2, "{odd}");
        for nothing in ["", ".", "..", "%2e"] {
            assert_eq!(fill(nothing).is_none(), nothing != "%2e", "{nothing}");
        }
        assert!(url.fill(&Values::new()).is_none());
    }

    #[test]
    fn a_value_stands_in_the_path_alone() {
        for bad in [
            "https://{host}/x",
            "https://a.example:{port}/x",
            "{base}/x",
            "https://a.example?x={id}",
            "https://a.example/x?id={id}",
            "https://a.example/{id}#{id}",
            "https://{id}@a.example/",
            "/{id}",
        ] {
            read(bad).unwrap_err();
        }
    }
}
