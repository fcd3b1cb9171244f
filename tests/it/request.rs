//! An add-on's own requests through the session.

use crate::fixture::{ask, get, request, state, told};
use crate::server::answering;
use crate::service::{Service, log_in, probe, signed_in, without_renewal};
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

#[test]
fn one_address_that_refuses_is_not_the_end_of_the_session() {
    let service = Service::start();
    let me = probe(service.url("/me"));
    let device = service.device_with(|text| without_renewal(&text) + &me);
    log_in(&device);
    service.always("/editors-only", answering("401 Unauthorized", "", "not you"));
    for _ in 0..2 {
        let refused = request(&device, service.url("/editors-only").as_str());
        assert_eq!((refused.status, refused.body.as_slice()), (401, &b"not you"[..]));
        assert!(refused.session_over.is_none());
    }
    assert_eq!(state(&device), State::SignedIn);
    assert_eq!(told(&device, "session_expired"), 0);
    assert_eq!(ask(&device).unwrap(), 200);
}

#[test]
fn what_got_no_credential_says_nothing_of_the_session() {
    let service = Service::start();
    let port = service.port();
    let device = service.device_with(|text| {
        let hosts = format!("hosts = [\"127.0.0.1:{port}\"]\n\n[session]");
        let both = format!("hosts = [\"127.0.0.1:{port}\", \"localhost:{port}\"]\n\n[session]");
        without_renewal(&text.replace(&hosts, &both))
    });
    log_in(&device);
    // Neither the cookies nor the token are for this host.
    let refused = request(&device, &format!("http://localhost:{port}/me"));
    assert_eq!((refused.status, refused.session_over.is_some()), (401, false));
    assert!(service.requests("/me")[0].header("cookie").is_none());
    assert_eq!(state(&device), State::SignedIn);
}

#[test]
fn the_answer_that_shows_the_end_is_handed_over() {
    for has_probe in [true, false] {
        let service = Service::start();
        let more = if has_probe { probe(service.url("/me")) } else { String::new() };
        let device = service.device_with(|text| without_renewal(&text) + &more);
        log_in(&device);
        service.end_all();
        service.always("/film", answering("401 Unauthorized", "", "who are you?"));
        let refused = request(&device, service.url("/film").as_str());
        assert_eq!((refused.status, refused.body.as_slice()), (401, &b"who are you?"[..]));
        assert_eq!(refused.session_over.unwrap().kind(), Kind::SessionExpired);
        assert_eq!((state(&device), told(&device, "session_expired")), (State::SignedOut, 1));
    }
}

#[test]
fn an_answer_is_handed_over_though_the_renewal_failed() {
    let (service, device) = signed_in();
    service.always("/film", answering("401 Unauthorized", "", "who are you?"));
    service.always("/login", answering("503 Service Unavailable", "", ""));
    let refused = request(&device, service.url("/film").as_str());
    assert_eq!((refused.status, refused.body.as_slice()), (401, &b"who are you?"[..]));
    assert!(refused.session_over.is_none());
    assert_eq!(state(&device), State::SignedIn);
}
