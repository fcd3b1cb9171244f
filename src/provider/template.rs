//! Text with places for values, as in `"{username}"`. What a place may be called is checked when
//! the provider file is read, so filling one in cannot fail.

use crate::error::{Error, Kind, Result};
use crate::secret::Secret;
use std::collections::BTreeMap;

/// The values of a login as it goes on: what the user gave and what the pages held.
pub type Values = BTreeMap<String, Secret>;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template(Vec<Piece>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Text(String),
    Place(String),
}

impl Template {
    /// Reads `text`; every place has to be one of `known`. `key` is named in the error.
    pub fn parse(text: &str, known: &[String], key: &str) -> Result<Self> {
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            let refuse = |why: String| {
                Error::new(Kind::InvalidProvider, format!("{key}: {why}"))
                    .hint(format!("Known here: {}.", known.join(", ")))
            };
            let (name, tail) = after
                .split_once('}')
                .ok_or_else(|| refuse(format!("'{{' without '}}' in \"{text}\"")))?;
            if !known.iter().any(|known| known == name) {
                return Err(refuse(format!("no value is called '{name}' at this step")));
            }
            if !before.is_empty() {
                pieces.push(Piece::Text(before.to_owned()));
            }
            pieces.push(Piece::Place(name.to_owned()));
            rest = tail;
        }
        if !rest.is_empty() {
            pieces.push(Piece::Text(rest.to_owned()));
        }
        Ok(Template(pieces))
    }

    pub fn fill(&self, values: &Values) -> Secret {
        let mut text = String::new();
        for piece in &self.0 {
            match piece {
                Piece::Text(fixed) => text.push_str(fixed),
                Piece::Place(name) => text.push_str(values.get(name).map_or("", Secret::expose)),
            }
        }
        Secret::new(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_filled() {
        let known = ["user".to_owned()];
        let template = Template::parse("a {user} b", &known, "form.x").unwrap();
        let values = Values::from([("user".to_owned(), Secret::new("{zoë}"))]);
        assert_eq!(template.fill(&values).expose(), "a {zoë} b");
    }

    #[test]
    fn unknown_places_are_named() {
        for bad in ["{usr}", "{user", "{}"] {
            let error = Template::parse(bad, &["user".to_owned()], "login.form.email").unwrap_err();
            assert!(error.message().starts_with("login.form.email:"), "{error}");
        }
    }
}
