//! Where a provider's requests and cookies may go: an exact list, https only except loopback.
//!
//! A URL is allowed when its scheme, host and port are those of an entry. Nothing is matched by
//! suffix or pattern, so a look-alike, a sub-domain or another port is another host.

use super::problem::{At, Checked, Problem};
use crate::error::{Error, Kind, Result};
use serde::Deserialize;
use std::fmt;
use std::net::IpAddr;
use url::{Host, Url};

/// The provider's hosts, and the domains that its cookies may be set for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(try_from = "Vec<String>")]
pub struct Hosts {
    #[cfg_attr(test, schemars(with = "Vec<String>"))]
    origins: Vec<Origin>,
    cookie_domains: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Origin {
    host: String,
    /// `None`: the scheme's own port.
    port: Option<u16>,
}

impl TryFrom<Vec<String>> for Hosts {
    type Error = Problem;

    fn try_from(hosts: Vec<String>) -> Checked<Self> {
        Hosts::new(&hosts, &[])
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.host)?;
        self.port.map_or(Ok(()), |port| write!(f, ":{port}"))
    }
}

impl Origin {
    fn parse(text: &str) -> Checked<Self> {
        // `*` is a letter to the parser of addresses.
        if text.contains('*') {
            return Err(Problem::new(format!("'{text}' is a pattern"))
                .with_hint("List each host by itself; nothing is matched by pattern."));
        }
        let refuse = || {
            Problem::new(format!("'{text}' is not a host name"))
                .with_hint("Write the bare name, as in \"www.example.com\" or \"localhost:8080\".")
        };
        let is_address = text.contains("://");
        let address = if is_address { text.to_owned() } else { format!("https://{text}/") };
        let url = Url::parse(&address).map_err(|_| refuse())?;
        let host = url.host_str().unwrap_or_default();
        let is_plain = url.username().is_empty() && url.password().is_none();
        // What the parser makes of a bare name is that name, and nothing is after it but a port.
        let is_bare = url.path() == "/"
            && url.query().or(url.fragment()).is_none()
            && text.get(..host.len()).is_some_and(|name| name.eq_ignore_ascii_case(host));
        if host.is_empty()
            || !is_plain
            || !matches!(url.scheme(), "https" | "http")
            || !(is_address || is_bare)
        {
            return Err(refuse());
        }
        Ok(Origin { host: host.to_owned(), port: url.port() })
    }
}

impl Hosts {
    /// `hosts` are names, with `:PORT` where it is not the scheme's own, or addresses, of which the
    /// host and the port count; `cookie_domains` are the domains that a `Set-Cookie` may name,
    /// besides the hosts themselves.
    pub fn new(hosts: &[String], cookie_domains: &[String]) -> Checked<Self> {
        let origins = hosts.iter().map(|text| Origin::parse(text)).collect::<Checked<_>>()?;
        let mut hosts = Hosts { origins, cookie_domains: Vec::new() };
        hosts.set_cookie_domains(cookie_domains).at("cookie_domains")?;
        Ok(hosts)
    }

    pub(super) fn set_cookie_domains(&mut self, domains: &[String]) -> Checked {
        self.cookie_domains = domains.iter().map(|domain| domain.to_ascii_lowercase()).collect();
        for (domain, bare) in domains.iter().zip(&self.cookie_domains) {
            let covers = |origin: &Origin| is_within(&origin.host, bare);
            if !bare.contains('.') || bare.starts_with('.') || !self.origins.iter().any(covers) {
                let message = format!("'{domain}' is not the domain of one of the hosts");
                return Err(Problem::new(message).with_hint(
                    "Write it without a leading dot, as in \"example.com\", and list the host that \
                     is it or below it.",
                ));
            }
        }
        Ok(())
    }

    /// The first of these hosts that is not one of `others`, as it is written.
    pub(super) fn first_beyond(&self, others: &Hosts) -> Option<String> {
        let beyond = self.origins.iter().find(|origin| !others.origins.contains(origin));
        beyond.map(ToString::to_string)
    }

    pub fn is_empty(&self) -> bool {
        self.origins.is_empty()
    }

    /// Fails with `Kind::HostNotAllowed` unless a request may go to `url`.
    pub fn check(&self, url: &Url) -> Result<()> {
        let place = match (url.host_str(), url.port()) {
            (Some(host), Some(port)) => format!("{host}:{port}"),
            (Some(host), None) => host.to_owned(),
            (None, _) => "no host".to_owned(),
        };
        let refuse = |why: &str| {
            let message = format!("{why}: {}://{place}", url.scheme());
            Err(Error::new(Kind::HostNotAllowed, message))
        };
        if !url.username().is_empty() || url.password().is_some() {
            return refuse("an address with a user name in it is not used");
        }
        match url.scheme() {
            "https" => {}
            "http" if is_loopback(url) => {}
            "http" => {
                return refuse("only https is used").map_err(|error| {
                    error.with_hint("Write https://; http is for localhost and 127.0.0.1 alone.")
                });
            }
            _ => return refuse("this kind of address is not used"),
        }
        let Some(host) = url.host_str() else { return refuse("the address has no host") };
        let listed = |origin: &Origin| {
            origin.host == host
                && origin.port.or_else(|| default_port(url)) == url.port_or_known_default()
        };
        if self.origins.iter().any(listed) {
            Ok(())
        } else {
            refuse("this address is not one of the provider's hosts").map_err(|error| {
                error
                    .with_hint(format!("If it belongs to the service, add \"{place}\" to `hosts`."))
            })
        }
    }

    /// True when a cookie may name `domain` (lower case, without a leading dot).
    pub fn allows_cookie_domain(&self, domain: &str) -> bool {
        self.origins.iter().any(|origin| origin.host == domain)
            || self.cookie_domains.iter().any(|allowed| is_within(domain, allowed))
    }
}

/// True for `localhost`, `127.0.0.0/8` and `::1`, where development servers run.
pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => IpAddr::V4(address).is_loopback(),
        Some(Host::Ipv6(address)) => IpAddr::V6(address).is_loopback(),
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        None => false,
    }
}

fn default_port(url: &Url) -> Option<u16> {
    match url.scheme() {
        "https" => Some(443),
        "http" => Some(80),
        _ => None,
    }
}

/// True when `name` is `domain` or below it.
fn is_within(name: &str, domain: &str) -> bool {
    name == domain || name.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hosts() -> Hosts {
        let names = ["https://www.angel.com/x", "localhost:8080", "[::1]:9"].map(str::to_owned);
        Hosts::new(&names, &["angel.com".to_owned()]).unwrap()
    }

    #[test]
    fn only_the_listed_hosts_are_allowed() {
        for good in [
            "https://www.angel.com/x?y",
            "https://WWW.angel.com:443/",
            "http://localhost:8080/",
            "http://[::1]:9/",
        ] {
            hosts().check(&Url::parse(good).unwrap()).unwrap();
        }
        for bad in [
            "http://www.angel.com/",
            "https://www.angel.com:8443/",
            "https://angel.com/",
            "https://www.angel.com.example.org/",
            "https://wwwangel.com/",
            "https://www.ange1.com/",
            "https://www.angel.com@example.org/",
            "https://user@www.angel.com/",
            "https://www.\u{430}ngel.com/",
            "http://localhost:8081/",
            "file:///etc/passwd",
            "data:text/html,x",
            "javascript:alert(1)",
        ] {
            let error = hosts().check(&Url::parse(bad).unwrap()).unwrap_err();
            assert_eq!(error.kind(), Kind::HostNotAllowed, "{bad}");
        }
    }

    #[test]
    fn a_cookie_may_name_a_listed_domain_only() {
        assert!(hosts().allows_cookie_domain("angel.com"));
        assert!(hosts().allows_cookie_domain("www.angel.com"));
        assert!(!hosts().allows_cookie_domain("com"));
        assert!(!hosts().allows_cookie_domain("evilangel.com"));
        assert!(!hosts().allows_cookie_domain("example.org"));
    }

    #[test]
    fn what_is_not_a_host_is_refused() {
        for bad in [
            "",
            "*.angel.com",
            "ftp://angel.com",
            "angel.com/x",
            "angel.com?x",
            "angel.com#x",
            "a b",
            "user@host",
            "host:99999",
            "ängel.com",
        ] {
            assert!(Hosts::new(&[bad.to_owned()], &[]).is_err(), "{bad}");
        }
        assert!(Hosts::new(&["www.angel.com".to_owned()], &["com".to_owned()]).is_err());
        assert!(Hosts::new(&["www.angel.com".to_owned()], &["example.org".to_owned()]).is_err());
    }
}
