//! Text with places for values, as in `"{username}"`. What a place may be called is checked when
//! the provider file is read, so filling one in cannot fail.

use super::CLAIM;
use super::mistake::suggest;
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
    /// Reads `text`; every place has to be one of `known`, of which one that ends with a dot stands
    /// for all names that begin so. `key` is named in the error.
    pub fn parse(text: &str, known: &[&str], key: &str) -> Result<Self> {
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            let refuse = |why: String, hint: String| {
                Error::new(Kind::InvalidProvider, format!("provider file, {key}: {why}"))
                    .with_hint(hint)
            };
            let (name, tail) = after.split_once('}').ok_or_else(|| {
                let why = format!("'{{' without '}}' in \"{text}\"");
                refuse(why, "A place for a value is written as in \"{username}\".".to_owned())
            })?;
            let fits = |known: &&str| {
                let below = known.strip_suffix('.').and_then(|known| name.strip_prefix(known));
                *known == name || below.is_some_and(|rest| rest.len() > 1 && rest.starts_with('.'))
            };
            if !known.iter().any(fits) {
                let why = format!("no value is called '{name}' at this step");
                return Err(refuse(why, hint(name, known)));
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

    /// The names of its places.
    pub fn places(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|piece| match piece {
            Piece::Place(name) => Some(name.as_str()),
            Piece::Text(_) => None,
        })
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

/// What may stand there instead, and why not this.
fn hint(name: &str, known: &[&str]) -> String {
    let quote = |name: &str| match name.strip_suffix('.') {
        Some(claim) => format!("{{{claim}.NAME}}"),
        None => format!("{{{name}}}"),
    };
    let reason = match name {
        "password" => "A password goes into the body alone: `json` or `form`. ",
        "access_token" | "refresh_token" | "id_token" if known == [CLAIM] => {
            "A token belongs in no address: use `bearer = true`, or a header or body. "
        }
        _ => "",
    };
    format!("{reason}{}", suggest(name, known.iter().copied(), quote))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_filled() {
        let known = ["user", "claim."];
        let template = Template::parse("a {user} b", &known, "form.x").unwrap();
        let values = Values::from([("user".to_owned(), Secret::new("{zoë}"))]);
        assert_eq!(template.fill(&values).expose(), "a {zoë} b");
    }

    #[test]
    fn unknown_places_are_named() {
        for bad in ["{usr}", "{user", "{}"] {
            let error = Template::parse(bad, &["user"], "login.form.email").unwrap_err();
            assert!(error.message().starts_with("provider file, login.form.email:"), "{error}");
        }
    }
}
