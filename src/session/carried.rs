//! By what a request is known to be the session's: headers and cookies beside those of the jar. They
//! go to the address that they were made for, and with no redirect to another origin.

use crate::secret::Secret;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;

const AUTHORIZATION: &str = "Authorization";

#[derive(Clone, Default)]
pub struct Carried {
    /// With values of the session.
    pub headers: Vec<(String, Secret)>,
    /// Without any: what the request sets itself wins.
    pub defaults: Vec<(String, String)>,
    pub cookies: Vec<(String, Secret)>,
}

impl Carried {
    pub fn bearer(token: &Secret) -> Self {
        Carried::header(AUTHORIZATION, format!("Bearer {}", token.expose()))
    }

    /// RFC 7617 section 2, the text in UTF-8.
    pub fn basic(user: &Secret, password: &Secret) -> Self {
        let both = Secret::new(format!("{}:{}", user.expose(), password.expose()));
        Carried::header(AUTHORIZATION, format!("Basic {}", BASE64_STANDARD.encode(both.expose())))
    }

    fn header(name: &str, value: String) -> Self {
        let headers = vec![(name.to_owned(), Secret::new(value))];
        Carried { headers, ..Carried::default() }
    }

    pub fn is_empty(&self) -> bool {
        self.headers.is_empty() && self.cookies.is_empty() && self.defaults.is_empty()
    }

    /// The `Cookie` header with these cookies behind those of the jar.
    pub fn beside(&self, jar: Option<&Secret>) -> Option<Secret> {
        let own = self.cookies.iter().map(|(name, value)| format!("{name}={}", value.expose()));
        let all: Vec<String> = jar.iter().map(|jar| jar.expose().to_owned()).chain(own).collect();
        (!all.is_empty()).then(|| Secret::new(all.join("; ")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cookies_go_behind_those_of_the_jar() {
        let cookies = vec![("sid".to_owned(), Secret::new("at"))];
        let carried = Carried { cookies, ..Carried::default() };
        let beside = |jar: Option<&str>| carried.beside(jar.map(Secret::new).as_ref());
        assert_eq!(beside(Some("a=b")).unwrap().expose(), "a=b; sid=at");
        assert_eq!(beside(None).unwrap().expose(), "sid=at");
        assert!(Carried::default().beside(None).is_none());
    }
}
