//! Clocks that are wrong, with nobody to say so: no session is thrown away, nothing is taken for
//! ended by itself, and the server is told.

use crate::fixture::{Device, ask, at_once, drain, never, noted, pending, state};
use crate::issuer::Issuer;
use crate::service::log_in;
use crate::tokens::{LIFE, TokenService};
use sessionkeeper::clock::Clock;
use sessionkeeper::error::Kind;
use sessionkeeper::keeper::{LogoutOptions, LogoutReport, State};
use sessionkeeper::session::Outcome;
use std::time::Duration;

const MINUTE: i64 = 60;
const HOUR: i64 = 3600;
const DAY: i64 = 86_400;
const YEAR: i64 = 365 * DAY;

/// How far a clock may be off, in seconds; and what it may show, whatever the time is.
const AHEAD: [i64; 19] = [
    0,
    1,
    5 * MINUTE,
    LIFE - 1,
    LIFE,
    45 * MINUTE,
    HOUR,
    2 * HOUR,
    12 * HOUR,
    DAY,
    7 * DAY,
    30 * DAY,
    YEAR,
    2 * YEAR,
    10 * YEAR,
    -1,
    -HOUR,
    -DAY,
    -30 * DAY,
];
const SHOWN: [i64; 12] = [
    0, // 1970
    DAY,
    315_532_800,   // 1980, FAT
    946_684_800,   // 2000
    1_000_000_000, // 2001
    1_230_768_000, // 2009, a Raspberry Pi's image
    1_793_491_200, // the day this program is from
    2_147_483_647, // 2038, the end of 32 bits
    2_147_483_648,
    4_102_444_800,   // 2100
    4_294_967_296,   // 2106, the end of 32 bits without a sign
    253_402_300_799, // the end of the year 9999
];
const PROVIDERS: [&str; 2] = ["jwt-audit", "idempotent"];

/// All clocks with all providers.
fn everywhere(run: impl Fn(&TokenService, &Device, &str) + Sync) {
    let service = |provider| TokenService::start(provider);
    for provider in PROVIDERS {
        let now = service(provider).now();
        let clocks: Vec<i64> = AHEAD.into_iter().chain(SHOWN.map(|shown| shown - now)).collect();
        // A few at a time: what is measured here is no machine's speed.
        let few = |ahead: &i64| {
            let service = service(provider);
            let device = service.device(*ahead);
            log_in(&device);
            run(&service, &device, &format!("{provider}, {ahead} s ahead"));
        };
        clocks.chunks(8).for_each(|clocks| at_once(clocks, few));
    }
}

fn log_out_patiently(device: &Device) -> LogoutReport {
    let deadline = Some(Duration::from_secs(30));
    device.log_out(&LogoutOptions { deadline, ..LogoutOptions::default() }, &never()).unwrap()
}

/// The clock is set right, and known to be.
fn synchronise(service: &TokenService, device: &Device) {
    device.clock.set(service.now());
    device.clock.set_synchronised(true);
}

#[test]
fn a_session_is_used_for_as_long_as_the_server_takes_it() {
    everywhere(|service, device, which| {
        let restarted = device.restarted();
        assert_eq!(restarted.restore(false, &never()).unwrap().state, State::SignedIn, "{which}");
        service.pass(device, 600);
        for _ in 0..20 {
            assert_eq!(ask(&restarted).unwrap(), 200, "{which}");
        }
        // As the background service does.
        for _ in 0..5 {
            let due = restarted.schedule().unwrap().renew_at;
            if due.is_some_and(|at| at <= device.clock.now()) {
                restarted.renew(&never()).unwrap();
            }
        }
        assert_eq!(state(&restarted), State::SignedIn, "{which}");
        assert!(service.renewals() <= 2, "{which}: {} renewals", service.renewals());
        synchronise(service, device);
        let restarted = device.restarted();
        assert_eq!(restarted.restore(false, &never()).unwrap().state, State::SignedIn, "{which}");
        assert_eq!(ask(&restarted).unwrap(), 200, "{which}");
        assert_eq!(pending(device), 0, "{which}");
        assert_eq!(noted(device, "session_expired"), 0, "{which}");
    });
}

#[test]
fn a_wrong_clock_does_not_renew_again_and_again() {
    everywhere(|service, device, which| {
        for _ in 0..24 {
            service.pass(device, 50);
            assert_eq!(ask(device).unwrap(), 200, "{which}");
            let due = device.schedule().unwrap().renew_at;
            if due.is_some_and(|at| at <= device.clock.now()) {
                device.renew(&never()).unwrap();
            }
        }
        assert!(service.renewals() <= 3, "{which}: {} in 20 minutes", service.renewals());
    });
}

#[test]
fn what_the_server_ends_is_over_by_every_clock() {
    everywhere(|service, device, which| {
        service.pass(device, 3600);
        let asked = ask(device).map_err(|error| error.kind());
        if service.renewals() > 0 {
            assert_eq!((asked, state(device)), (Ok(200), State::SignedIn), "{which}");
        } else {
            let over = (Err(Kind::SessionExpired), State::SignedOut);
            assert_eq!((asked, state(device)), over, "{which}");
        }
        drain(device);
        log_out_patiently(device);
        assert_eq!((pending(device), service.live_sessions()), (0, 0), "{which}");
    });
}

#[test]
fn a_logout_tells_the_server_by_every_clock() {
    everywhere(|service, device, which| {
        let report = log_out_patiently(device);
        assert_eq!((report.remote, service.live_sessions()), (Outcome::Revoked, 0), "{which}");
    });
}

#[test]
fn a_logout_after_the_clock_was_put_right_tells_the_server() {
    everywhere(|service, device, which| {
        service.pass(device, 600);
        synchronise(service, device);
        let report = log_out_patiently(device);
        assert_eq!((report.remote, service.live_sessions()), (Outcome::Revoked, 0), "{which}");
    });
}

#[test]
fn a_logout_that_waits_reaches_the_server_whatever_the_clock_does_meanwhile() {
    everywhere(|service, device, which| {
        service.always(service.logout_path(), vec![]);
        assert_eq!(log_out_patiently(device).remote, Outcome::Deferred, "{which}");
        for _ in 0..2 {
            let drained = drain(&device.restarted());
            assert_eq!((drained.expired, drained.entries.len()), (0, 1), "{which}");
        }
        synchronise(service, device);
        service.pass(device, 300);
        service.as_usual(service.logout_path());
        let drained = drain(&device.restarted());
        assert_eq!((drained.revoked, drained.expired), (1, 0), "{which}");
        assert_eq!(service.live_sessions(), 0, "{which}");
    });
}

#[test]
fn what_waits_ends_by_itself_once_the_clock_is_known() {
    everywhere(|service, device, which| {
        service.always(service.logout_path(), vec![]);
        log_out_patiently(device);
        synchronise(service, device);
        assert_eq!(drain(device).expired, 0, "{which}");
        service.pass(device, u64::try_from(401 * DAY).unwrap());
        assert_eq!(drain(device).expired, 1, "{which}");
    });
}

#[test]
fn a_life_that_began_at_an_unknown_time_is_not_over_when_the_clock_is_put_right() {
    for is_away in [false, true] {
        let issuer = Issuer::start();
        let (device, now) = (&issuer.device, issuer.device.clock.now());
        device.clock.set(DAY);
        device.clock.set_synchronised(false);
        // The tokens are opaque, and the server does not say what time it is.
        issuer.log_in().unwrap();
        assert_eq!(device.status().unwrap().expires_at, None);
        if is_away {
            issuer.always("/revoke", vec![]);
            let report = log_out_patiently(device);
            assert_eq!((report.remote, report.expires_at), (Outcome::Deferred, None));
        }
        device.clock.set(now);
        device.clock.set_synchronised(true);
        if is_away {
            let longest = drain(device).entries[0].expires_at.unwrap() - now;
            assert_eq!(longest, 400 * DAY, "from when on is known now");
            device.pass(u64::try_from(401 * DAY).unwrap());
            assert_eq!(drain(device).expired, 1);
        } else {
            assert_eq!(log_out_patiently(device).remote, Outcome::Revoked);
            assert_eq!(issuer.requests("/revoke").len(), 2);
        }
    }
}
