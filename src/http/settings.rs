//! How to reach the network: deadlines, proxy, the user's own certificates, fixed addresses.
//!
//! Checked here once; a proxy's password is kept out of every message and of `Debug`.

use crate::error::{Error, Kind, Result};
use crate::redact::escape;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;
use url::Url;

/// The client's settings. Two equal settings may share one client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Until the connection stands, name look-up and TLS included.
    pub connect_timeout: Duration,
    /// Until the answer's headers are there, and between two pieces of its body.
    pub answer_timeout: Duration,
    /// For the whole operation, redirects and body included.
    pub total_timeout: Duration,
    pub proxy: Proxy,
    /// PEM certificates that are trusted besides the built-in ones.
    pub ca_file: Option<PathBuf>,
    pub resolve: Vec<Resolve>,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            connect_timeout: Duration::from_secs(10),
            answer_timeout: Duration::from_secs(15),
            total_timeout: Duration::from_secs(30),
            proxy: Proxy::System,
            ca_file: None,
            resolve: Vec::new(),
        }
    }
}

/// Which proxy to use. Loopback hosts, and hosts with a [`Resolve`], are always reached directly.
#[derive(Clone, Default, PartialEq, Eq)]
pub enum Proxy {
    /// What the environment says (`HTTPS_PROXY`, `ALL_PROXY`, `NO_PROXY` and their kin).
    #[default]
    System,
    None,
    /// `SCHEME://[USER:PASSWORD@]HOST[:PORT]`, with one of [`SCHEMES`].
    Url(String),
}

const SCHEMES: [&str; 6] = ["http", "https", "socks4", "socks4a", "socks5", "socks5h"];

impl Proxy {
    /// The proxy's address, once it is known to be one.
    pub(super) fn url(&self) -> Result<Option<Url>> {
        let Proxy::Url(text) = self else { return Ok(None) };
        let refuse = |why: &str| {
            Error::new(Kind::InvalidInput, format!("the proxy's address cannot be used: {why}"))
                .with_hint(
                    "Write it as in \"http://proxy.example:3128\" or \"socks5h://127.0.0.1:1080\".",
                )
        };
        if text.chars().any(|c| c.is_control() || c.is_whitespace()) {
            return Err(refuse("it holds white space or control characters"));
        }
        let url = Url::parse(text).map_err(|_| refuse("it is not a URL"))?;
        if !SCHEMES.contains(&url.scheme()) {
            return Err(refuse(
                "its scheme is not one of http, https, socks4, socks4a, socks5, socks5h",
            ));
        }
        if url.host_str().is_none_or(str::is_empty) {
            return Err(refuse("it names no host"));
        }
        if !matches!(url.path(), "" | "/") || url.query().is_some() || url.fragment().is_some() {
            return Err(refuse("it holds more than a host and a port"));
        }
        Ok(Some(url))
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Proxy::System => "System",
            Proxy::None => "None",
            Proxy::Url(_) => "Url([redacted])",
        })
    }
}

/// Sends the connections for a host to a fixed address.
///
/// As with curl's `--connect-to`, the port is the one to connect to, whatever port the scheme has.
/// A port that the URL itself spells out is kept: the connection layer gives it precedence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolve {
    pub(super) host: String,
    pub(super) address: SocketAddr,
}

impl Resolve {
    /// Reads `HOST:PORT:ADDRESS`; an IPv6 address may stand in brackets.
    pub fn parse(text: &str) -> Result<Self> {
        let refuse = || {
            let shown: String = escape(text).chars().take(100).collect();
            Error::new(Kind::InvalidInput, format!("'{shown}' is not HOST:PORT:ADDRESS"))
                .with_hint("Write it as in \"www.example.com:8443:127.0.0.1\".")
        };
        let (host, rest) = text.split_once(':').ok_or_else(refuse)?;
        let (port, address) = rest.split_once(':').ok_or_else(refuse)?;
        let host = match url::Host::parse(host) {
            Ok(url::Host::Domain(name)) => name,
            Ok(other) => other.to_string(),
            Err(_) => return Err(refuse()),
        };
        let port: u16 = port.parse().map_err(|_| refuse())?;
        let bare = address.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        let address: IpAddr = bare.unwrap_or(address).parse().map_err(|_| refuse())?;
        if port == 0 || (bare.is_some() && address.is_ipv4()) {
            return Err(refuse());
        }
        Ok(Resolve { host, address: SocketAddr::new(address, port) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_as_curl_writes_them() {
        for (text, host, address) in [
            ("www.angel.com:8443:127.0.0.1", "www.angel.com", "127.0.0.1:8443"),
            ("WWW.Angel.com:1:::1", "www.angel.com", "[::1]:1"),
            ("auth.angel.com:65535:[fe80::1]", "auth.angel.com", "[fe80::1]:65535"),
        ] {
            let resolve = Resolve::parse(text).unwrap();
            assert_eq!((&*resolve.host, resolve.address), (host, address.parse().unwrap()));
        }
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for bad in [
            "",
            "www.angel.com",
            "www.angel.com:443",
            ":443:127.0.0.1",
            "www.angel.com:0:127.0.0.1",
            "www.angel.com:65536:127.0.0.1",
            "www.angel.com:443:localhost",
            "www.angel.com:443:[127.0.0.1]",
            "www.angel.com:443:[::1",
            "a b:443:127.0.0.1",
            "www.angel.com:443:127.0.0.1\r\n",
        ] {
            assert_eq!(Resolve::parse(bad).unwrap_err().kind(), Kind::InvalidInput, "{bad:?}");
        }
    }

    #[test]
    fn a_proxy_is_checked_and_never_shows_its_password() {
        for good in [
            "http://p:3128",
            "https://u:p@p",
            "socks4://1.2.3.4:1",
            "socks4a://p",
            "socks5://p",
            "socks5h://[::1]:1080/",
        ] {
            assert!(Proxy::Url(good.to_owned()).url().unwrap().is_some(), "{good}");
        }
        for bad in [
            "",
            "p:3128",
            "ftp://u:hunter2@p",
            "http://",
            "http://u:hunter2@",
            "socks5://",
            "http://u:hunter2@p/x",
            "http://p\r\n",
        ] {
            let error = Proxy::Url(bad.to_owned()).url().unwrap_err();
            assert_eq!(error.kind(), Kind::InvalidInput, "{bad}");
            assert!(!error.hint().is_empty());
            assert!(!format!("{error}{error:?}{}", error.hint()).contains("hunter2"));
        }
        let proxy = Proxy::Url("http://u:hunter2@p".to_owned());
        assert!(!format!("{:?}", Settings { proxy, ..Settings::default() }).contains("hunter2"));
        assert!(Proxy::System.url().unwrap().is_none());
    }
}
