//! Where a provider's requests and cookies may go: an exact list, https only except loopback, and
//! except the viewer's own network where the file says so.
//!
//! A URL is allowed when its scheme, host and port are those of an entry. Nothing is matched by
//! suffix or pattern, so a look-alike, a sub-domain or another port is another host.

use super::problem::{Checked, Problem};
use super::public_suffix::is_public_suffix;
use crate::error::{Error, Kind};
use serde::Deserialize;
use std::collections::BTreeSet;
use std::net::IpAddr;
use url::{Host, Url};

/// The provider's hosts, and the domains that its cookies may be set for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(from = "Vec<Origin>")]
pub struct Hosts {
    origins: Vec<Origin>,
    cookie_domains: Vec<String>,
    /// True: http is used too, in the viewer's own network.
    lan: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(try_from = "String")]
struct Origin {
    host: String,
    /// `None`: the scheme's own port.
    port: Option<u16>,
}

impl From<Vec<Origin>> for Hosts {
    fn from(origins: Vec<Origin>) -> Self {
        Hosts { origins, ..Hosts::default() }
    }
}

impl TryFrom<String> for Origin {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        // `*` is a letter to the parser of addresses.
        if text.contains('*') {
            return Err(format!("'{text}' is a pattern: list each host by itself"));
        }
        let refuse = || {
            format!("'{text}' is not a host name, as in \"www.example.com\" or \"localhost:8080\"")
        };
        let is_address = text.contains("://");
        let address = if is_address { text.clone() } else { format!("https://{text}/") };
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
        if url.port() == Some(0) {
            return Err(format!("'{text}' names the port 0, where no server can listen"));
        }
        Ok(Origin { host: host.to_owned(), port: url.port() })
    }
}

impl Hosts {
    /// `hosts` are names, with `:PORT` where it is not the scheme's own, or addresses, of which the
    /// host and the port count; `cookie_domains` are the domains that a `Set-Cookie` may name,
    /// besides the hosts themselves.
    pub fn new(hosts: &[String], cookie_domains: &[String]) -> Checked<Self> {
        let origins = hosts.iter().cloned().map(Origin::try_from).collect::<Result<Vec<_>, _>>();
        let mut hosts = Hosts::from(origins.map_err(|message| Problem::new("hosts", message, ""))?);
        hosts.set_cookie_domains(cookie_domains)?;
        Ok(hosts)
    }

    pub(super) fn set_cookie_domains(&mut self, domains: &[String]) -> Checked {
        self.cookie_domains = domains.iter().map(|domain| domain.to_ascii_lowercase()).collect();
        for (domain, bare) in domains.iter().zip(&self.cookie_domains) {
            let covers = |origin: &Origin| is_within(&origin.host, bare);
            if !self.origins.iter().any(covers) {
                return Err(Problem::new(
                    "cookie_domains",
                    format!("'{domain}' is not the domain of one of the hosts"),
                    "Write it without a leading dot, as in \"example.com\".",
                ));
            }
            if is_public_suffix(bare) {
                return Err(Problem::new(
                    "cookie_domains",
                    format!("anybody can have a name under '{domain}'"),
                    "Name the domain of the service alone, as in \"example.co.uk\".",
                ));
            }
        }
        Ok(())
    }

    pub(super) fn allow_lan(&mut self) {
        self.lan = true;
    }

    /// The place in the list of the first of these hosts that is not one of `others`.
    pub(super) fn first_beyond(&self, others: &Hosts) -> Option<usize> {
        self.origins.iter().position(|origin| !others.origins.contains(origin))
    }

    /// What is the same for the same hosts and cookie domains, however they are written.
    pub(super) fn canonical(&self) -> String {
        let hosts = self.origins.iter().map(|Origin { host, port }| match port {
            Some(port) => format!("{host}:{port}"),
            None => host.clone(),
        });
        let hosts: BTreeSet<String> = hosts.collect();
        let domains: BTreeSet<String> = self.cookie_domains.iter().cloned().collect();
        format!("{hosts:?} {domains:?}")
    }

    pub fn is_empty(&self) -> bool {
        self.origins.is_empty()
    }

    /// Fails with `Kind::HostNotAllowed` unless a request may go to `url`.
    pub fn check(&self, url: &Url) -> Result<(), Error> {
        let host = url.host_str().unwrap_or_default();
        let place = url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
        let is_at = |port: Option<u16>| match port {
            Some(port) => url.port_or_known_default() == Some(port),
            None => url.port().is_none(),
        };
        let (why, hint) = if !url.username().is_empty() || url.password().is_some() {
            ("an address with a user name in it is not used", String::new())
        } else if host.is_empty() || !matches!(url.scheme(), "https" | "http") {
            ("this kind of address is not used", String::new())
        } else if url.scheme() == "http" && !is_loopback(url) && !(self.lan && is_private(url)) {
            let hint = match (self.lan, is_private(url)) {
                (true, _) => "Write https://; http is for addresses of one's own network alone.",
                (false, true) => "Write https://, or allow http in one's own network: lan = true.",
                (false, false) => "Write https://; http is for localhost and 127.0.0.1 alone.",
            };
            ("only https is used", hint.to_owned())
        } else if self.origins.iter().any(|origin| origin.host == host && is_at(origin.port)) {
            return Ok(());
        } else {
            let hint = format!("If it belongs to the service, add \"{place}\" to `hosts`.");
            ("this address is not one of the provider's hosts", hint)
        };
        let message = format!("{why}: {}://{place}", url.scheme());
        Err(Error::new(Kind::HostNotAllowed, message).with_hint(hint))
    }

    /// True when `host` is one of them.
    pub fn names(&self, host: &str) -> bool {
        self.origins.iter().any(|origin| origin.host == host)
    }

    /// The domain that `host` shares its cookies with; `None`: it has its own.
    pub fn cookie_domain_of(&self, host: &str) -> Option<&str> {
        self.cookie_domains.iter().map(String::as_str).find(|domain| is_within(host, domain))
    }

    /// True when a cookie may name `domain` (lower case, without a leading dot).
    pub fn allows_cookie_domain(&self, domain: &str) -> bool {
        self.names(domain) || self.cookie_domains.iter().any(|allowed| is_within(domain, allowed))
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

/// True for an address of one's own network: RFC 1918, RFC 4193 (unique local), RFC 3927 and RFC 4291
/// section 2.5.6 (link-local), RFC 6762 (`.local`), RFC 8375 (`.home.arpa`).
pub fn is_private(url: &Url) -> bool {
    let ends_with = |name: &str, end: &str| name.trim_end_matches('.').ends_with(end);
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_private() || address.is_link_local(),
        Some(Host::Ipv6(address)) => match address.to_ipv4_mapped() {
            Some(mapped) => mapped.is_private() || mapped.is_link_local(),
            None => matches!(address.segments()[0], 0xfc00..=0xfdff | 0xfe80..=0xfebf),
        },
        Some(Host::Domain(name)) => ends_with(name, ".local") || ends_with(name, ".home.arpa"),
        None => false,
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
            "https://:password@www.angel.com/",
            "ftp://www.angel.com/",
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
    fn http_is_for_ones_own_network_where_the_file_says_so() {
        for (text, is_good) in [
            ("http://192.168.1.5:8096/x", true),
            ("http://10.0.0.1/", true),
            ("http://172.31.255.255/", true),
            ("http://[fd12::1]/", true),
            ("http://[fe80::1]/", true),
            ("http://[::ffff:192.168.1.5]/", true),
            ("http://nas.local:32400/", true),
            ("http://nas.home.arpa./", true),
            ("https://media.example.com/", true),
            ("http://172.32.0.1/", false),
            ("http://192.169.1.5/", false),
            ("http://[2001:db8::1]/", false),
            ("http://[::ffff:8.8.8.8]/", false),
            ("http://nas/", false),
            ("http://local/", false),
            ("http://nas.local.example.com/", false),
            ("http://media.example.com/", false),
        ] {
            let url = Url::parse(text).unwrap();
            let mut hosts = Hosts::new(&[text.to_owned()], &[]).unwrap();
            let is_http = url.scheme() == "http";
            assert_eq!(hosts.check(&url).is_ok(), !is_http, "{text}");
            hosts.allow_lan();
            assert_eq!(hosts.check(&url).is_ok(), is_good, "{text}");
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
            "https://user@angel.com",
            "https://:password@angel.com",
            "host:99999",
            "ängel.com",
        ] {
            assert!(Hosts::new(&[bad.to_owned()], &[]).is_err(), "{bad}");
        }
        for bad in ["com", "example.org", ".angel.com", "ww.angel.com", ""] {
            assert!(Hosts::new(&["www.angel.com".to_owned()], &[bad.to_owned()]).is_err(), "{bad}");
        }
    }
}
