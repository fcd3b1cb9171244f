//! Logouts that the server has not confirmed: when they are tried again, and when no more.

use crate::fixture::{
    Device, cancel_after, drain, log_out, never, noted, pending, told, wait_until,
};
use crate::server::{Step, answering, slowly};
use crate::service::{Service, good_logout, log_in, session_list, signed_in};
use sessionkeeper::clock::Clock;
use sessionkeeper::keeper::{Keeper, Local, LogoutOptions, State};
use sessionkeeper::session::Outcome;
use std::collections::BTreeSet;
use std::thread::scope;
use std::time::{Duration, Instant};

/// A device with this many logouts that nobody has tried yet.
fn waiting(count: usize) -> (Service, Device) {
    let service = Service::start();
    let device = service.device();
    leave(&device, count);
    (service, device)
}

/// Logs in and out again so many times, and tells nobody.
fn leave(device: &Device, count: usize) {
    for _ in 0..count {
        log_in(device);
        let options = LogoutOptions { local_only: true, ..LogoutOptions::default() };
        device.log_out(&options, &never()).unwrap();
    }
}

/// Tries what is due.
fn drain_due(keeper: &Keeper) -> usize {
    keeper.drain(true, &never()).unwrap().entries.len()
}

#[test]
fn a_server_that_asks_to_wait_is_asked_once_and_not_by_each_entry() {
    for header in ["Retry-After: 3600", ""] {
        let (service, device) = waiting(20);
        service.always("/logout", answering("503 Service Unavailable", header, ""));
        let asked = || service.requests("/logout").len();
        assert_eq!((drain_due(&device), asked()), (20, 1), "{header}");
        assert_eq!((drain_due(&device), asked()), (20, 1), "{header}: it rests");
        assert_eq!((drain_due(&device.restarted()), asked()), (20, 1), "after a restart, too");
        let (now, lines) = (device.clock.now(), device.outbox().unwrap().entries);
        let next = device.schedule().unwrap().drain_at.unwrap();
        if !header.is_empty() {
            assert!((now + 3590..now + 3700).contains(&next), "in {} s", next - now);
            assert!(lines.iter().all(|line| line.next_attempt_at >= Some(now + 3590)));
        }
        assert_eq!(drain(&device).deferred, 1, "the viewer's own wish is one request");
        // An hour of trouble, and whoever is on duty asks whenever it is said to be due.
        for _ in 0..100 {
            let at = device.schedule().unwrap().drain_at.unwrap();
            device.pass(u64::try_from(at - device.clock.now()).unwrap().max(1));
            if device.clock.now() > now + 7200 {
                break;
            }
            drain_due(&device);
        }
        assert!(asked() < 30, "{} requests in two hours", asked());
        service.as_usual("/logout");
        device.pass(86_400);
        assert_eq!(drain_due(&device), 0, "it answers again");
    }
}

#[test]
fn a_provider_that_cannot_be_reached_is_held_back_for_a_short_while() {
    let service = Service::start();
    // Nobody listens at port 1.
    let (here, nowhere) = (service.authority(), "127.0.0.1:1");
    let device = service.device_with(|text| {
        text.replace(&format!("{here}/logout"), &format!("{nowhere}/logout"))
            .replace("hosts = [", &format!("hosts = [\"{nowhere}\", "))
    });
    leave(&device, 5);
    let attempts = |keeper: &Keeper| {
        keeper.outbox().unwrap().entries.iter().map(|entry| entry.attempts).sum::<u32>()
    };
    for attempt in 1..=12 {
        assert_eq!(drain_due(&device), 5);
        assert_eq!(attempts(&device), attempt, "whatever keeps one from it keeps all");
        let at = device.schedule().unwrap().drain_at.unwrap();
        let pause = u64::try_from(at - device.clock.now()).unwrap();
        assert!((1..=45).contains(&pause), "the next try is never far: {pause} s");
        device.pass(pause - 1);
        assert_eq!((drain_due(&device), attempts(&device)), (5, attempt), "nor sooner");
        device.pass(1);
    }
}

#[test]
fn one_entry_that_the_server_chokes_on_does_not_hold_up_the_others() {
    let (service, device) = waiting(6);
    service.choke_on_the_oldest();
    for _ in 0..10 {
        drain_due(&device);
        device.pass(30);
    }
    assert_eq!(pending(&device), 1);
    assert_eq!(service.live_sessions(), 1);
}

#[test]
fn entries_of_one_host_share_a_connection() {
    let (service, device) = waiting(30);
    let text = String::from_utf8(good_logout()).unwrap().replace("Connection: close\r\n", "");
    service.always("/logout", vec![Step::Send(text.into_bytes()), Step::Keep]);
    assert_eq!(drain_due(&device), 0);
    let requests = service.requests("/logout");
    let connections: BTreeSet<usize> = requests.iter().map(|seen| seen.connection).collect();
    assert_eq!((requests.len(), connections.len()), (30, 1));
}

#[test]
fn a_clock_that_jumps_neither_hurries_nor_stalls_a_retry() {
    for jump in [-86_400 * 365 * 30, -86_400, -7200, 7200, 86_400, 86_400 * 365 * 10] {
        let (service, device) = waiting(3);
        service.next("/logout", [answering("503 Service Unavailable", "Retry-After: 600", "")]);
        drain_due(&device);
        device.advance(jump);
        drain_due(&device);
        assert_eq!(service.requests("/logout").len(), 1, "{jump}: as long as it was asked to");
        let next = device.schedule().unwrap().drain_at.unwrap() - device.clock.now();
        assert!((590..=601).contains(&next), "{jump}: in {next} s");
        // Another process has only the wall clock; it errs towards telling the server.
        let restarted = device.restarted();
        let next = restarted.schedule().unwrap().drain_at.unwrap() - device.clock.now();
        assert!(next <= 601, "{jump}: in {next} s after a restart");
        device.pass(601);
        assert_eq!(drain_due(&device), 0, "{jump}");
    }
}

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
    clock.set_synchronised(false);
    for moment in [0, 946_684_800, now - 86_400, now + 315_360_000, 4_102_444_800] {
        clock.set(moment);
        let drained = drain(&device);
        assert_eq!((drained.expired, drained.entries.len()), (0, 1), "at {moment}");
    }
    clock.set(now + 100 * 86_400);
    clock.set_synchronised(true);
    assert_eq!(drain(&device).expired, 0, "180 days are not over");
    clock.set(now + 181 * 86_400);
    assert_eq!(drain(&device).expired, 1);
    assert_eq!(device.audit(1).unwrap()[0].event, "revocation_expired");
}

#[test]
fn a_logout_everywhere_that_waits_is_still_one_of_everywhere() {
    let service = Service::start();
    let list = session_list(&service);
    let device = service.device_with(|text| format!("{text}\n{list}"));
    log_in(&device);
    let body = "{\"all\": [{\"id\": \"a\", \"here\": true}, {\"id\": \"b\"}]}";
    service.next("/sessions", [vec![]]);
    service.always("/sessions", answering("200 OK", "", body));
    service.always("/sessions/b", answering("204 No Content", "", ""));
    let options = LogoutOptions { everywhere: true, ..LogoutOptions::default() };
    assert_eq!(device.log_out(&options, &never()).unwrap().remote, Outcome::Deferred);
    assert_eq!(drain(&device.restarted()).revoked, 1);
    assert_eq!(service.requests("/sessions/b").len(), 1);
    assert_eq!(service.live_sessions(), 0);
}

fn confirmed(device: &Keeper) -> Vec<String> {
    let logouts = device.take_confirmations().unwrap().logouts;
    logouts.into_iter().map(|one| format!("{} at {}", one.account.email, one.provider)).collect()
}

#[test]
fn a_logout_that_was_left_for_later_is_announced_once_it_is_confirmed() {
    for is_retried_meanwhile in [false, true] {
        let (service, device) = signed_in();
        service.always("/logout", vec![]);
        assert_eq!(log_out(&device).remote, Outcome::Deferred);
        if is_retried_meanwhile {
            assert_eq!(drain(&device).deferred, 1);
        }
        assert_eq!(confirmed(&device), [""; 0], "the server knows nothing yet");
        service.as_usual("/logout");
        let restarted = device.restarted();
        assert_eq!(drain(&restarted).revoked, 1);
        // Whoever tells the user may come only after another restart.
        let restarted = device.restarted();
        assert_eq!(confirmed(&restarted), ["zoë@例え.jp at service"]);
        assert_eq!(confirmed(&restarted), [""; 0]);
        assert_eq!(confirmed(&device.restarted()), [""; 0]);
    }
}

#[test]
fn a_logout_that_nobody_sent_at_once_is_announced_too() {
    let (_service, device) = signed_in();
    let options = LogoutOptions { local_only: true, ..LogoutOptions::default() };
    device.log_out(&options, &never()).unwrap();
    assert_eq!(drain(&device).revoked, 1);
    assert_eq!(confirmed(&device), ["zoë@例え.jp at service"]);
}

#[test]
fn what_is_no_confirmation_or_no_news_is_not_announced() {
    // The logout itself has said it.
    let (service, device) = signed_in();
    assert_eq!(log_out(&device).remote, Outcome::Revoked);
    assert_eq!(confirmed(&device), [""; 0]);

    // Nobody logged out: another login took the session's place.
    crate::service::log_in(&device);
    service.always("/logout", vec![]);
    crate::service::log_in(&device);
    service.as_usual("/logout");
    drain(&device);
    assert_eq!((pending(&device), confirmed(&device)), (0, vec![]));

    // The server answers and proves nothing, refuses, and in the end the credentials are over.
    service.always("/logout", answering("200 OK", "", ""));
    assert_eq!(log_out(&device).remote, Outcome::Unconfirmed);
    service.always("/logout", answering("404 Not Found", "", ""));
    (0..4).for_each(|_| drop(drain(&device)));
    assert_eq!(confirmed(&device), [""; 0]);
    device.clock.set(device.clock.now() + 400 * 86_400);
    assert_eq!(drain(&device).expired, 1);
    assert_eq!((pending(&device), confirmed(&device)), (0, vec![]));
}

#[test]
fn a_logout_goes_by_todays_file_where_that_has_use_for_its_credentials() {
    let service = Service::start();
    let (one, other) = (service.authority(), format!("localhost:{}", service.port()));
    let of_both = |text: String| {
        let hosts = format!("hosts = [\"{one}\"]");
        assert!(text.contains(&hosts));
        text.replace(&hosts, &format!("hosts = [\"{one}\", \"{other}\"]"))
    };
    let device = service.device_with(of_both);
    leave(&device, 1);
    // The cookies are the first host's alone.
    let (before, after) = (format!("{one}/logout"), format!("{other}/logout"));
    let moved = service.provider_with(|text| of_both(text).replace(&before, &after));
    let device = Device::at(&device.directory, moved, &device.clock);
    assert_eq!(drain(&device).revoked, 1);
    assert_eq!((service.live_sessions(), service.requests("/logout").len()), (0, 1));

    // Where it has, it is today's that counts.
    let device = service.device();
    leave(&device, 1);
    let moved = service.provider_with(|text| text.replace("/logout", "/bye"));
    service.always("/bye", vec![Step::Send(good_logout())]);
    assert_eq!(drain(&Device::at(&device.directory, moved, &device.clock)).revoked, 1);
    assert_eq!(service.requests("/bye").len(), 1);
}

#[test]
fn another_process_leaves_to_a_logout_what_that_is_just_sending() {
    let (service, device) = signed_in();
    service.always("/logout", slowly(600));
    let other = device.restarted();
    scope(|scope| {
        let logout = scope.spawn(|| log_out(&device));
        wait_until(10, "nobody logs out", || !service.requests("/logout").is_empty());
        assert_eq!(drain_due(&other), 1);
        let wait = other.schedule().unwrap().drain_at.unwrap() - device.clock.now();
        assert!((1..=20).contains(&wait), "after a crash it would be sent in {wait} s");
        assert_eq!(logout.join().unwrap().remote, Outcome::Revoked);
    });
    assert_eq!(service.requests("/logout").len(), 1);
}

#[test]
fn an_attempt_counts_unless_its_caller_cut_it_short() {
    let (service, device) = signed_in();
    let attempts = || device.outbox().unwrap().entries[0].attempts;
    service.always("/logout", vec![]);
    log_out(&device);
    assert_eq!(attempts(), 1, "without an answer");
    service.next("/logout", [answering("503 Service Unavailable", "", "")]);
    drain(&device);
    assert_eq!(attempts(), 2, "with one");
    service.next("/logout", [vec![Step::Stall]]);
    device.drain(false, &cancel_after(200)).ok();
    assert_eq!(attempts(), 2, "the server had no time to answer");
    drain(&device);
    assert_eq!(attempts(), 3);
}
