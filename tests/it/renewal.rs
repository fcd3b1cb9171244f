//! When a session is renewed, and what becomes of one that cannot be, or that somebody ended.

use crate::fixture::{ask, log_out, never, state};
use crate::service::{Service, log_in, signed_in};
use sessionkeeper::clock::Clock;
use sessionkeeper::error::Kind;
use sessionkeeper::keeper::State;
use sessionkeeper::session::Outcome;

#[test]
fn a_token_is_renewed_when_it_is_due_and_not_before() {
    let (service, device) = signed_in();
    let before = device.status().unwrap().expires_at;
    ask(&device).unwrap();
    assert_eq!(service.renewals(), 0);
    device.advance(86_400 - 1800);
    let due = device.schedule().unwrap().renew_at;
    assert!(due.is_some_and(|at| at <= device.clock.now()), "{due:?}");
    ask(&device).unwrap();
    assert_eq!(service.renewals(), 1);
    assert!(device.status().unwrap().expires_at > before);
}

#[test]
fn a_session_that_cannot_be_renewed_lives_to_its_end() {
    let service = Service::start();
    let device = service.device_with(|text| {
        let (from, to) = (text.find("[renew]").unwrap(), text.find("[[logout.steps]]").unwrap());
        format!("{}{}", &text[..from], &text[to..])
    });
    log_in(&device);
    device.advance(86_400 - 1800);
    assert_eq!(device.restore(false, &never()).unwrap().state, State::SignedIn);
    assert_eq!(ask(&device).unwrap(), 200);
    assert_eq!(device.renew(&never()).unwrap_err().kind(), Kind::InvalidInput);
    assert_eq!(state(&device), State::SignedIn);
    device.advance(3600);
    let error = ask(&device).unwrap_err();
    assert_eq!(error.kind(), Kind::SessionExpired);
}

#[test]
fn a_bystander_cookie_says_nothing_of_the_session() {
    let service = Service::start();
    service.set_ageless_cookies();
    let device = service.device();
    log_in(&device);
    device.advance(700);
    assert_eq!(ask(&device).unwrap(), 200);
    assert_eq!(log_out(&device).remote, Outcome::Revoked);
    assert_eq!(service.live_sessions(), 0);
}
