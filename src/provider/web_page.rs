//! Addresses that a person opens in a browser to log in there. They are shown, and never asked from
//! here, so they need not be on the provider's hosts.

use super::hosts::is_loopback;
use super::problem::{Checked, Problem};
use url::Url;

/// True for one that a person may be sent to: https, or http on this machine; without a user name,
/// behind which another host could hide.
pub fn is_safe_page(url: &Url) -> bool {
    let is_safe = match url.scheme() {
        "https" => url.has_host(),
        "http" => is_loopback(url),
        _ => false,
    };
    is_safe && url.username().is_empty() && url.password().is_none()
}

/// Refuses another one in a provider file.
pub(super) fn check(key: &str, url: &Url) -> Checked {
    if is_safe_page(url) {
        return Ok(());
    }
    let message = "this is no https address that a person can open";
    Err(Problem::new(key, message, "Write it as in \"https://www.example.com/authorize\"."))
}
