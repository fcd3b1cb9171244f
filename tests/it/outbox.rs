//! Logouts that the server has not confirmed: when they are tried again, and when no more.

use crate::fixture::{drain, log_out, never, noted, pending, told};
use crate::server::answering;
use crate::service::signed_in;
use sessionkeeper::clock::Clock;
use sessionkeeper::keeper::{Local, State};
use sessionkeeper::session::Outcome;
use std::time::{Duration, Instant};

#[test]
fn a_logout_without_a_server_is_delivered_later() {
    let (service, device) = signed_in();
    service.always("/logout", vec![]);
    let start = Instant::now();
    let report = log_out(&device);
    assert_eq!((report.local, report.remote), (Local::Cleared, Outcome::Deferred));
    assert!(start.elapsed() < Duration::from_secs(4));
    assert!(report.expires_at.is_some());
    assert_eq!(pending(&device), 1);
    let restarted = device.restarted();
    assert_eq!(restarted.restore(false, &never()).unwrap().state, State::SignedOut);
    assert_eq!(drain(&restarted).deferred, 1);
    service.as_usual("/logout");
    let drained = drain(&restarted);
    assert_eq!((drained.revoked, drained.entries.len()), (1, 0));
    assert_eq!(service.live_sessions(), 0);
    assert_eq!(drain(&restarted).revoked, 0);
    assert_eq!(noted(&device, "revoked"), 1);
}

#[test]
fn three_refusals_park_the_entry_and_network_trouble_does_not_count() {
    for troubles in [0, 4] {
        let (service, device) = signed_in();
        service.always("/logout", answering("404 Not Found", "", ""));
        service.next("/logout", vec![vec![]; troubles]);
        assert_eq!(log_out(&device).remote, Outcome::Deferred);
        for _ in 1..=troubles {
            assert_eq!(drain(&device).deferred, 1);
        }
        let before = drain(&device);
        assert_eq!((before.deferred, before.entries[0].last_outcome), (1, "deferred"));
        for _ in 0..2 {
            let parked = drain(&device);
            let entry = &parked.entries[0];
            assert_eq!((parked.rejected, entry.last_outcome), (1, "rejected"));
            let soon = entry.next_attempt_at.unwrap() - entry.created_at;
            assert!(soon > 80_000, "daily from now on, not in {soon} s");
        }
        let shown = (noted(&device, "revocation_rejected"), told(&device, "revocation_rejected"));
        assert_eq!(shown, (1, 1), "shown once");
        assert_eq!(service.requests("/logout").len(), troubles + 4);
        service.as_usual("/logout");
        assert_eq!(drain(&device).revoked, 1, "kept until its expiry");
    }
}

#[test]
fn the_server_says_when_to_come_back() {
    let (service, device) = signed_in();
    service.next("/logout", [answering("503 Service Unavailable", "Retry-After: 7200", "")]);
    assert_eq!(log_out(&device).remote, Outcome::Deferred);
    let entry = device.outbox().unwrap().entries.remove(0);
    let wait = entry.next_attempt_at.unwrap() - entry.created_at;
    assert!((7190..7300).contains(&wait), "{wait}");
    assert_eq!(device.drain(true, &never()).unwrap().entries.len(), 1, "it is not due");
    assert_eq!(service.requests("/logout").len(), 1);
}

#[test]
fn nothing_is_thrown_away_while_the_clock_is_unknown() {
    let (service, device) = signed_in();
    let (clock, now) = (&device.clock, device.clock.now());
    service.always("/logout", vec![]);
    assert_eq!(log_out(&device).remote, Outcome::Deferred);
    clock.set_known(false);
    for moment in [0, 946_684_800, now - 86_400, now + 315_360_000, 4_102_444_800] {
        clock.set(moment);
        let drained = drain(&device);
        assert_eq!((drained.expired, drained.entries.len()), (0, 1), "at {moment}");
    }
    clock.set(now + 100 * 86_400);
    clock.set_known(true);
    assert_eq!(drain(&device).expired, 0, "180 days are not over");
    clock.set(now + 181 * 86_400);
    assert_eq!(drain(&device).expired, 1);
    assert_eq!(device.audit(1).unwrap()[0].event, "revocation_expired");
}
