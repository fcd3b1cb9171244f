//! When a session is renewed, and what becomes of one that cannot be, or that somebody ended.

use crate::fixture::{ask, log_out, never, noted, state, told};
use crate::server::answering;
use crate::service::{Service, log_in, signed_in, without_renewal};
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
fn the_details_tell_the_next_renewal_and_the_latest_end() {
    let (service, device) = signed_in();
    let now = device.clock.now();
    let details = device.details().unwrap();
    assert_eq!(details.renews_at, Some(now + 82_800));
    // The jar reckons a cookie's age from the machine's clock, which goes on while the device's is held.
    let late = details.ends_at.unwrap() - (now + 15_552_000);
    assert!((0..60).contains(&late), "{late}");
    assert!(device.accounts(false).unwrap().accounts[0].renewable);
    device.advance(82_800);
    ask(&device).unwrap();
    let renewed = device.details().unwrap();
    assert_eq!(renewed.signed_in_at, Some(now));
    assert_eq!(renewed.renewed_at, Some(now + 82_800));
    assert_eq!(renewed.renews_at, Some(now + 2 * 82_800));
    log_out(&device);
    let nobody = device.details().unwrap();
    assert_eq!((nobody.renewed_at, nobody.renews_at, nobody.ends_at), (None, None, None));

    service.set_ageless_cookies();
    log_in(&device);
    assert_eq!(device.details().unwrap().ends_at, None, "nobody knows");
}

#[test]
fn a_session_that_cannot_be_renewed_lives_to_its_end() {
    let service = Service::start();
    let device = service.device_with(|text| without_renewal(&text));
    log_in(&device);
    let details = device.details().unwrap();
    assert_eq!((details.renews_at, details.ends_at), (None, details.status.expires_at));
    assert!(!device.accounts(false).unwrap().accounts[0].renewable);
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

#[test]
fn a_renewal_that_failed_is_not_tried_again_for_a_minute_while_the_token_holds() {
    let (service, device) = signed_in();
    service.always("/login", answering("503 Service Unavailable", "", ""));
    let tried =
        || service.requests("/login").iter().filter(|seen| seen.header("cookie").is_some()).count();
    device.advance(82_800);
    for _ in 0..3 {
        assert_eq!(ask(&device).unwrap(), 200, "the token is good for another hour");
        device.restore(false, &never()).unwrap();
        device.pass(9);
    }
    assert_eq!((tried(), noted(&device, "renewed")), (1, 1));
    device.pass(34);
    assert_eq!((ask(&device).unwrap(), tried(), noted(&device, "renewed")), (200, 2, 2));
    // Once the token has ended there is nothing to send.
    device.advance(3600);
    let asked = service.requests("/me").len();
    assert_ne!(ask(&device).unwrap_err().kind(), Kind::SessionExpired, "it may be renewed yet");
    assert_eq!((tried(), service.requests("/me").len()), (3, asked));
    service.as_usual("/login");
    assert_eq!(ask(&device).unwrap(), 200);
}

#[test]
fn a_renewal_that_the_server_refuses_ends_the_session_though_the_token_holds() {
    let (service, device) = signed_in();
    device.advance(82_800);
    service.end_all();
    assert_eq!(ask(&device).unwrap_err().kind(), Kind::SessionExpired);
    assert!(service.requests("/me").is_empty());
    assert_eq!((state(&device), told(&device, "session_expired")), (State::SignedOut, 1));
}
