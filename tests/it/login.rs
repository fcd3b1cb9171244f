//! The way in by a login form: what is refused, what breaks, what is replaced.

use crate::fixture::{ask, cancel_after, drain, log_out, never, noted, pending, state};
use crate::server::{Step, answering};
use crate::service::{Service, log_in, signed_in, try_log_in};
use sessionkeeper::error::Kind;
use sessionkeeper::keeper::State;
use sessionkeeper::secret::Secret;
use std::time::{Duration, Instant};

#[test]
fn wrong_credentials_change_nothing() {
    let (_service, device) = signed_in();
    for (name, password, kind) in [
        ("viewer@example.com", "wrong", Kind::CredentialsRefused),
        ("", "x", Kind::InvalidInput),
        ("a", "", Kind::InvalidInput),
        ("a\r\nb", "x", Kind::InvalidInput),
        ("a", "x\0", Kind::InvalidInput),
    ] {
        let error = device.log_in(name, &Secret::new(password), &never()).unwrap_err();
        assert_eq!(error.kind(), kind);
        assert_eq!(state(&device), State::SignedIn);
    }
}

#[test]
fn a_second_login_replaces_the_first_and_revokes_it() {
    let (service, device) = signed_in();
    log_in(&device);
    assert_eq!((pending(&device), service.live_sessions()), (0, 1), "in the same call");
    assert_eq!(noted(&device, "revoked"), 1);
    assert_eq!(ask(&device).unwrap(), 200);
}

#[test]
fn a_server_that_does_not_end_the_old_session_neither_delays_nor_fails_the_login() {
    let (service, device) = signed_in();
    service.always("/logout", vec![Step::Stall]);
    for cancel in [never, || cancel_after(1000)] {
        let (cancel, start) = (cancel(), Instant::now());
        assert_eq!(try_log_in(&device, &cancel).unwrap().state, State::SignedIn);
        assert!(start.elapsed() < Duration::from_secs(4), "{:?}", start.elapsed());
    }
    service.always("/logout", answering("503 Service Unavailable", "", ""));
    log_in(&device);
    assert_eq!((pending(&device), service.live_sessions()), (3, 4));
    service.as_usual("/logout");
    let start = Instant::now();
    while pending(&device) > 0 && start.elapsed() < Duration::from_secs(10) {
        drain(&device);
        std::thread::sleep(Duration::from_millis(50));
    }
    assert_eq!((pending(&device), service.live_sessions()), (0, 1));
}

#[test]
fn a_login_is_in_the_log() {
    let service = Service::start();
    let device = service.device();
    device.logged(|| log_in(&device));
    let log = device.take_log();
    assert!(log.iter().any(|(_, line)| line.contains("log in: sending")), "{log:?}");
}

#[test]
fn a_login_that_breaks_after_the_form_is_ended() {
    let service = Service::start();
    service.always("/done", answering("500 Internal Server Error", "", ""));
    let device = service.device();
    let error = try_log_in(&device, &never()).unwrap_err();
    assert_eq!(error.kind(), Kind::UnexpectedAnswer);
    assert_eq!(service.live_sessions(), 0);
    assert_eq!(state(&device), State::SignedOut);
}

#[test]
fn a_login_that_is_cancelled_after_the_form_is_ended_in_the_background() {
    let service = Service::start();
    let device = service.device();
    for pause in [0, 2, 5, 10, 20, 40] {
        let start = Instant::now();
        let result = try_log_in(&device, &cancel_after(pause));
        assert!(start.elapsed() < Duration::from_secs(1));
        if result.is_ok() {
            log_out(&device);
        }
    }
    let start = Instant::now();
    while service.live_sessions() > 0 && start.elapsed() < Duration::from_secs(5) {
        std::thread::sleep(Duration::from_millis(50));
        drain(&device);
        if state(&device) == State::SignedIn {
            // The cancel came after everything was done.
            log_out(&device);
        }
    }
    assert_eq!(service.live_sessions(), 0);
}
