//! Many at once on one data directory: threads, keepers and processes. One renewal request, no lost
//! update, and a logout wins.

use crate::child;
use crate::fixture::{Device, ask, drain, log_out, never, noted, pending, state, wait_until};
use crate::issuer::Issuer;
use crate::server::{Step, answering, slowly};
use crate::service::{Service, log_in, signed_in, try_log_in};
use serde_json::json;
use sessionkeeper::error::Kind;
use sessionkeeper::keeper::{Keeper, Local, LogoutOptions, State};
use sessionkeeper::session::Outcome;
use std::sync::Barrier;
use std::thread::{scope, sleep};
use std::time::{Duration, Instant};

#[test]
fn five_threads_and_another_process_make_one_renewal() {
    let (service, device) = signed_in();
    device.advance(86_401);
    service.always("/login", slowly(300));
    let mut other = child::spawn("requests", &device);
    requests(&[&device, &device.restarted()]);
    assert!(other.wait().unwrap().success());
    assert_eq!(service.renewals(), 1);
    assert_eq!(state(&device), State::SignedIn);
}

/// Five threads that ask at once.
pub fn requests(keepers: &[&Keeper]) {
    scope(|scope| {
        for keeper in keepers.iter().cycle().take(5) {
            scope.spawn(|| assert_eq!(ask(keeper).unwrap(), 200));
        }
    });
}

#[test]
fn a_logout_wins_over_a_renewal_in_flight() {
    for is_same_process in [true, false] {
        let (service, device) = signed_in();
        service.always("/login", slowly(700));
        let other = device.restarted();
        scope(|scope| {
            let renewal = scope.spawn(|| device.renew(&never()));
            sleep(Duration::from_millis(250));
            let start = Instant::now();
            let report = log_out(if is_same_process { &device } else { &other });
            assert_eq!(report.remote, Outcome::Revoked);
            assert!(start.elapsed() < Duration::from_millis(600), "{:?}", start.elapsed());
            let error = renewal.join().unwrap().unwrap_err();
            let kind = if is_same_process { Kind::Cancelled } else { Kind::NotSignedIn };
            assert_eq!(error.kind(), kind);
        });
        assert_eq!(state(&device.restarted()), State::SignedOut);
        drain(&device);
        assert_eq!(pending(&device), 0);
        assert_eq!(service.live_sessions(), 0);
    }
}

#[test]
fn a_renewal_is_kept_where_another_process_has_stored_cookies_meanwhile() {
    let (service, device) = signed_in();
    service.always("/login", slowly(700));
    let other = device.restarted();
    scope(|scope| {
        let renewal = scope.spawn(|| device.renew(&never()));
        sleep(Duration::from_millis(250));
        service.next("/me", [answering("200 OK", "Set-Cookie: late=1; Path=/", "{}")]);
        assert_eq!(ask(&other).unwrap(), 200);
        let renewed = renewal.join().unwrap().unwrap();
        assert!(renewed.cookies.contains(&"late".to_owned()), "{:?}", renewed.cookies);
    });
    assert_eq!((service.renewals(), pending(&device)), (1, 0));
    assert_eq!(ask(&device.restarted()).unwrap(), 200);
    assert_eq!(service.live_sessions(), 1);
}

#[test]
fn a_logout_of_another_account_cancels_nothing() {
    let issuer = Issuer::signed_in();
    let of_the_second = |issuer: &Issuer| issuer.tokens(&json!({ "id_token": { "sub": "u2" } }));
    issuer.next("/token", [of_the_second(&issuer)]);
    issuer.log_in().unwrap();
    let dripped = of_the_second(&issuer).into_iter().map(|step| match step {
        Step::Send(bytes) => Step::Drip(bytes, Duration::from_millis(1)),
        other => other,
    });
    issuer.next("/token", [dripped.collect()]);
    let options = |account: &str| LogoutOptions {
        local_only: true,
        account: Some(account.to_owned()),
        ..LogoutOptions::default()
    };
    scope(|scope| {
        let renewal = scope.spawn(|| issuer.renew());
        wait_until(10, "nobody renews", || !issuer.renewals().is_empty());
        let report = issuer.device.log_out(&options("u1"), &never()).unwrap();
        assert_eq!(report.local, Local::Cleared);
        assert!(!renewal.is_finished(), "it was quicker than the logout");
        assert_eq!(renewal.join().unwrap().unwrap().state, State::SignedIn);
    });
    assert_eq!(pending(&issuer.device), 1);
}

#[test]
fn a_logout_wins_over_a_login_in_flight() {
    for is_same_process in [true, false] {
        for (path, nobody) in [("/u/login", true), ("/done", true), ("/u/login", false)] {
            let service = Service::start();
            let device = service.device();
            if !nobody {
                log_in(&device);
            }
            let asked = service.requests(path).len();
            service.next(path, [slowly(700)]);
            let other = device.restarted();
            scope(|scope| {
                let login = scope.spawn(|| try_log_in(&device, &never()));
                wait_until(10, path, || service.requests(path).len() > asked);
                let start = Instant::now();
                let report = log_out(if is_same_process { &device } else { &other });
                let known = if nobody { Outcome::NothingToRevoke } else { Outcome::Revoked };
                assert_eq!(report.remote, known);
                assert!(start.elapsed() < Duration::from_millis(600), "{:?}", start.elapsed());
                assert_eq!(login.join().unwrap().unwrap_err().kind(), Kind::Cancelled, "{path}");
            });
            let restarted = device.restarted();
            let is_ended = || service.live_sessions() == 0 && pending(&restarted) == 0;
            wait_until(5, &format!("{path}: it is not ended"), is_ended);
            assert_eq!((state(&restarted), pending(&restarted)), (State::SignedOut, 0), "{path}");
            assert_eq!(service.live_sessions(), 0, "{path}");
            log_in(&device);
            assert_eq!(state(&device), State::SignedIn, "a login after the logout is another");
        }
    }
}

#[test]
fn tokens_renewed_beside_a_logout_are_revoked_too() {
    for is_same_process in [true, false] {
        let (service, device) = signed_in();
        service.always("/login", slowly(500));
        service.next("/logout", [slowly(1000)]);
        let other = device.restarted();
        scope(|scope| {
            let renewal = scope.spawn(|| device.renew(&never()));
            sleep(Duration::from_millis(200));
            log_out(if is_same_process { &device } else { &other });
            assert!(renewal.join().unwrap().is_err());
        });
        sleep(Duration::from_millis(300));
        assert_eq!(service.renewals(), 1, "the server gave fresh tokens");
        drain(&device);
        assert_eq!(service.requests("/logout").len(), 2, "the fresh tokens were never sent");
        assert_eq!(pending(&device), 0);
        assert_eq!(noted(&device, "revoked"), 1);
    }
}

#[test]
fn a_mix_of_everything_ends_as_the_last_logout_says() {
    let service = Service::start();
    let device = service.device();
    let mut other = child::spawn("mix", &device);
    mix(&device);
    assert!(other.wait().unwrap().success());
    let keeper = device.restarted();
    log_out(&keeper);
    // Logins that a logout cancelled half-way are ended in the background.
    let start = Instant::now();
    while service.live_sessions() > 0 && start.elapsed() < Duration::from_secs(5) {
        sleep(Duration::from_millis(50));
        drain(&keeper);
    }
    let left = keeper.outbox().unwrap().entries;
    assert!(left.is_empty(), "{left:?}");
    assert_eq!(state(&keeper), State::SignedOut);
    assert_eq!(service.live_sessions(), 0, "a session was lost");
    assert!(keeper.audit(10_000).unwrap().windows(2).all(|pair| pair[0].seq + 1 == pair[1].seq));
}

/// Five threads that log in, renew, ask and log out for two seconds, in no order.
pub fn mix(device: &Device) {
    let (keepers, barrier) = ([device, &device.restarted()], Barrier::new(5));
    scope(|scope| {
        for number in 0..5_usize {
            let (keeper, barrier) = (keepers[number % 2], &barrier);
            scope.spawn(move || {
                barrier.wait();
                let start = Instant::now();
                let mut step = number;
                while start.elapsed() < Duration::from_secs(2) {
                    step = step.wrapping_mul(31).wrapping_add(7);
                    work(keeper, step % 7);
                }
            });
        }
    });
}

fn work(keeper: &Keeper, what: usize) {
    let result = match what {
        0 | 1 => try_log_in(keeper, &never()).map(drop),
        2 => keeper.log_out(&LogoutOptions::default(), &never()).map(drop),
        3 => keeper.renew(&never()).map(drop),
        4 => keeper.drain(true, &never()).map(drop),
        _ => ask(keeper).map(drop),
    };
    if let Err(error) = result {
        // Somebody else logged out, or logged in anew, meanwhile: these and no others.
        let expected = [Kind::NotSignedIn, Kind::SessionExpired, Kind::Cancelled];
        assert!(expected.contains(&error.kind()), "{error:?}");
    }
}

#[cfg(unix)]
#[test]
fn a_directory_behind_a_link_is_one_directory() {
    let service = Service::start();
    let device = service.device();
    let (real, link) = (device.directory.join("real"), device.directory.join("link"));
    std::fs::create_dir(&real).unwrap();
    std::os::unix::fs::symlink(&real, &link).unwrap();
    let before = device.shared_at(&link);
    log_in(&before);
    assert_eq!(before.newest_event(), device.shared_at(&link).newest_event());
    assert!(before.newest_event() > 0 && real.join("vault.db").exists());
}
