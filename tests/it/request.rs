//! An add-on's own requests through the session.

use crate::fixture::{ask, get, state, told};
use crate::service::{Service, signed_in};
use sessionkeeper::error::Kind;
use sessionkeeper::keeper::State;

#[test]
fn requests_go_to_the_providers_hosts_only() {
    let (_service, device) = signed_in();
    let other = Service::start();
    let elsewhere = [other.url("/me").as_str(), "https://example.com/", "file:///etc/passwd"]
        .map(|url| (url.to_owned(), Kind::HostNotAllowed));
    let cases = elsewhere.into_iter().chain([("not an address".into(), Kind::InvalidInput)]);
    for (url, kind) in cases {
        assert_eq!(get(&device, &url).unwrap_err().kind(), kind, "{url}");
    }
    assert!(other.journal().is_empty());
}

#[test]
fn a_session_that_somebody_ended_is_noticed_and_told_once() {
    let (service, device) = signed_in();
    service.end_all();
    for kind in [Kind::SessionExpired, Kind::NotSignedIn] {
        assert_eq!(ask(&device).unwrap_err().kind(), kind);
    }
    assert_eq!(told(&device, "session_expired"), 1);
    assert_eq!(state(&device), State::SignedOut);
}
