//! Text with places for values, as in `"{username}"`. What a place may be called is checked when
//! the provider file is read, so filling one in cannot fail.

use super::leaf::leaf;
use super::problem::{Checked, Problem};
use crate::secret::Secret;
use std::collections::BTreeMap;
use std::fmt;

/// The values of a login as it goes on: what the user gave and what the pages held.
pub type Values = BTreeMap<String, Secret>;

/// A template's name for a claim of the session's tokens begins with this.
pub const CLAIM: &str = "claim.";

/// And that of a cookie's value with this.
pub const COOKIE: &str = "cookie.";

leaf! {
    Template(Vec<Piece> as [Piece]) from "String" String, |text| {
        let mut pieces = Vec::new();
        let mut rest = text.as_str();
        while let Some((before, after)) = rest.split_once('{') {
            let (name, tail) = after.split_once('}').ok_or_else(|| {
                format!("'{{' without '}}' in \"{text}\": write a value as in \"{{username}}\"")
            })?;
            pieces.push(Piece::Text(before.to_owned()));
            pieces.push(Piece::Place(name.to_owned()));
            rest = tail;
        }
        pieces.push(Piece::Text(rest.to_owned()));
        Ok(pieces)
    }
}

// What is fixed may be a parameter's value, and secret.
impl fmt::Debug for Piece {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Piece::Text(_) => f.write_str("…"),
            Piece::Place(name) => write!(f, "{{{name}}}"),
        }
    }
}

#[derive(Clone, PartialEq, Eq)]
pub enum Piece {
    Text(String),
    Place(String),
}

impl Template {
    /// Refuses a place that is not one of `known`, of which `CLAIM` stands for every claim, and
    /// `COOKIE` for every cookie.
    pub(super) fn check(&self, known: &[&str]) -> Checked {
        let is_known = |name: &str| {
            known.iter().any(|known| match *known {
                CLAIM | COOKIE => name.len() > known.len() && name.starts_with(known),
                known => name == known,
            })
        };
        match self.places().find(|name| !is_known(name)) {
            Some(name) => {
                let message = format!("no value is called '{name}' at this step");
                Err(Problem::new("", message, hint(name, known)))
            }
            None => Ok(()),
        }
    }

    /// The names of its places.
    pub fn places(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|piece| match piece {
            Piece::Place(name) => Some(name.as_str()),
            Piece::Text(_) => None,
        })
    }

    /// The place that it begins with.
    pub fn first_place(&self) -> Option<&str> {
        match self.0.iter().find(|piece| !matches!(piece, Piece::Text(text) if text.is_empty())) {
            Some(Piece::Place(name)) => Some(name),
            Some(Piece::Text(_)) | None => None,
        }
    }

    /// True where there is nothing to fill in.
    pub fn is_fixed(&self) -> bool {
        self.places().next().is_none()
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
    let reason = match name {
        "password" => "A password goes into the body alone: `json` or `form`. ",
        "answer" => "An answer goes into the body alone, of the request of a question. ",
        "access_token" | "refresh_token" | "id_token" if known.contains(&CLAIM) => {
            "A token belongs in no address: use `bearer = true`, or a header or body. "
        }
        _ => "",
    };
    let known: Vec<String> = known.iter().map(|known| format!("{{{known}}}")).collect();
    let known = known.join(", ").replace("claim.", "claim.NAME").replace("cookie.", "cookie.NAME");
    format!("{reason}Known here: {known}.")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Result<Template, String> {
        Template::try_from(text.to_owned())
    }

    #[test]
    fn places_are_filled() {
        let template = parsed("a {user} b").unwrap();
        template.check(&["user", CLAIM]).unwrap();
        let values = Values::from([("user".to_owned(), Secret::new("{zoë}"))]);
        assert_eq!(template.fill(&values).expose(), "a {zoë} b");
        parsed("{claim.sid}").unwrap().check(&[CLAIM]).unwrap();
    }

    #[test]
    fn unknown_places_are_refused() {
        parsed("{user").unwrap_err();
        for bad in ["{usr}", "{}", "{claim.}", "{claims}"] {
            parsed(bad).unwrap().check(&["user", CLAIM]).unwrap_err();
        }
    }
}
