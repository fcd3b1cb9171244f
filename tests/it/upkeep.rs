//! What is due for every account of a data directory, whoever is on duty there.

use crate::child;
use crate::fixture::{Device, clock, drain, log_out, never, noted, pending, told, wait_until};
use crate::issuer::Issuer;
use crate::server::{answering, slowly};
use crate::service::{Service, log_in};
use serde_json::json;
use sessionkeeper::clock::Clock;
use sessionkeeper::error::Kind;
use sessionkeeper::keeper::{Keeper, State, UpkeepReport};
use std::thread::scope;
use std::time::{Duration, Instant};

fn upkeep(keeper: &Keeper) -> UpkeepReport {
    keeper.upkeep(&never()).unwrap()
}

/// What became of each renewal, in any order.
fn renewals(report: &UpkeepReport) -> Vec<(&str, &str)> {
    let mut lines: Vec<_> =
        report.renewals.iter().map(|line| (&*line.account, &*line.outcome)).collect();
    lines.sort_unstable();
    lines
}

/// Three services, each with its own provider file, and one data directory where somebody is
/// logged in at the first two. The keeper of the third knows nothing of the others' files.
fn three_services() -> (Service, Service, Device) {
    let named = |service: &Service, id: &str| {
        service.provider_with(|text| text.replace("id = \"service\"", &format!("id = \"{id}\"")))
    };
    let (first, second, third) = (Service::start(), Service::start(), Service::start());
    let device = Device::new(named(&third, "third"), &clock());
    for (service, id) in [(&first, "first"), (&second, "second")] {
        log_in(&Device::at(&device.directory, named(service, id), &device.clock));
    }
    (first, second, device)
}

#[test]
fn accounts_of_every_service_are_looked_after_by_what_is_stored_with_them() {
    let (first, second, device) = three_services();
    let report = upkeep(&device);
    assert!(report.renewals.is_empty());
    assert_eq!((told(&device, "restored"), noted(&device, "restored")), (2, 2));
    let now = device.clock.now();
    assert!(report.next_at.is_some_and(|at| (now + 82_000..=now + 83_000).contains(&at)));
    device.advance(86_400 - 1800);
    assert_eq!(renewals(&upkeep(&device)), [("acc-1", "ok"), ("acc-1", "ok")]);
    assert_eq!((first.renewals(), second.renewals()), (1, 1));
    assert!(upkeep(&device).renewals.is_empty(), "nothing is due any more");
    assert_eq!(told(&device, "restored"), 2, "each is told once");
}

#[test]
fn a_failing_account_holds_up_no_other_and_rests() {
    let (first, second, device) = three_services();
    first.always("/login", answering("500 Internal Server Error", "", ""));
    device.advance(86_400 - 1800);
    let report = upkeep(&device);
    let mut outcomes = renewals(&report);
    outcomes.sort_by_key(|(_, outcome)| *outcome == "ok");
    assert_eq!(outcomes[1], ("acc-1", "ok"));
    assert_ne!(outcomes[0].1, "ok");
    let asked = first.requests("/login").len();
    assert!(upkeep(&device).renewals.is_empty(), "it rests");
    assert_eq!((first.requests("/login").len(), second.renewals()), (asked, 1));
    let pause = report.next_at.unwrap() - device.clock.now();
    assert!((1..=60).contains(&pause), "{pause}");
    first.as_usual("/login");
    device.pass(61);
    assert_eq!(renewals(&upkeep(&device)), [("acc-1", "ok")]);
}

#[test]
fn an_account_that_is_not_the_active_one_is_renewed_too() {
    let issuer = Issuer::signed_in();
    issuer.next("/token", [issuer.tokens(&json!({ "id_token": { "sub": "u2" } }))]);
    issuer.log_in().unwrap();
    assert!(upkeep(&issuer.device).renewals.is_empty());
    issuer.device.advance(2000);
    // The accounts are asked for in the order of their logins.
    let of = |sub: &str| issuer.tokens(&json!({ "id_token": { "sub": sub } }));
    issuer.next("/token", [of("u1"), of("u2")]);
    assert_eq!(renewals(&upkeep(&issuer.device)), [("u1", "ok"), ("u2", "ok")]);
    assert_eq!(issuer.renewals().len(), 2);
    let status = issuer.device.status().unwrap();
    assert_eq!(status.account.unwrap().id, "u2", "the active one stays so");
    assert!(upkeep(&issuer.device).renewals.is_empty());
}

#[test]
fn a_session_that_is_over_is_found_to_be_so() {
    let (first, _second, device) = three_services();
    first.end_all();
    device.advance(86_400 - 1800);
    let report = upkeep(&device);
    assert_eq!(renewals(&report), [("acc-1", "ok"), ("acc-1", "session_expired")]);
    assert_eq!(told(&device, "session_expired"), 1);
    assert_eq!(device.accounts(true).unwrap().accounts.len(), 1);
}

#[test]
fn what_waits_is_delivered_beside_a_renewal_that_hangs() {
    let (first, second, device) = three_services();
    let other = Device::at(
        &device.directory,
        second.provider_with(|text| text.replace("id = \"service\"", "id = \"second\"")),
        &device.clock,
    );
    second.next("/logout", [answering("503 Service Unavailable", "", "")]);
    log_out(&other);
    device.advance(86_400 - 1800);
    first.next("/login", [slowly(1500)]);
    scope(|scope| {
        let report = scope.spawn(|| upkeep(&device));
        wait_until(1, "the logout waited for the renewal", || second.live_sessions() == 0);
        let report = report.join().unwrap();
        assert_eq!((report.drained.revoked, report.drained.entries.len()), (1, 0));
        assert_eq!(renewals(&report), [("acc-1", "ok")]);
    });
    assert_eq!(pending(&device), 0);
}

#[test]
fn it_says_when_the_next_delivery_is_due() {
    let service = Service::start();
    let device = service.device();
    assert_eq!(upkeep(&device).next_at, None, "nobody is logged in");
    log_in(&device);
    service.always("/logout", answering("503 Service Unavailable", "Retry-After: 600", ""));
    log_out(&device);
    let restarted = device.restarted();
    let report = upkeep(&restarted);
    assert_eq!((report.drained.deferred, report.drained.entries.len()), (0, 1), "it rests");
    let pause = report.next_at.unwrap() - device.clock.now();
    assert!((590..=601).contains(&pause), "{pause}");
    assert_eq!(service.requests("/logout").len(), 1);
    service.as_usual("/logout");
    device.pass(601);
    let report = upkeep(&device);
    assert_eq!((report.drained.revoked, report.next_at), (1, None));
}

#[test]
fn it_can_be_cancelled() {
    let (first, _second, device) = three_services();
    first.always("/login", slowly(1000));
    device.advance(86_400 - 1800);
    let start = Instant::now();
    let error = device.upkeep(&crate::fixture::cancel_after(100)).unwrap_err();
    assert_eq!(error.kind(), Kind::Cancelled);
    assert!(start.elapsed() < Duration::from_millis(800), "{:?}", start.elapsed());
}

#[test]
fn two_processes_on_duty_renew_once_and_deliver_once() {
    let service = Service::start();
    let device = service.device();
    log_in(&device);
    service.next("/logout", [answering("503 Service Unavailable", "", "")]);
    log_out(&device);
    log_in(&device);
    device.advance(86_400 - 1800);
    service.always("/login", slowly(300));
    service.always("/logout", slowly(300));
    let mut others = [(); 2].map(|()| child::spawn("upkeep", &device));
    let both_end_well = others.iter_mut().all(|other| other.wait().unwrap().success());
    assert!(both_end_well);
    assert_eq!(service.renewals(), 1, "one has taken what the other got");
    assert_eq!(service.requests("/logout").len(), 2, "the failed one, and one more");
    let keeper = device.restarted();
    assert_eq!((noted(&keeper, "revoked"), pending(&keeper)), (1, 0));
    assert_eq!(keeper.status().unwrap().state, State::SignedIn);
    log_out(&keeper);
    drain(&keeper);
    assert_eq!(service.live_sessions(), 0);
}

#[cfg(target_os = "linux")]
#[test]
fn where_there_is_no_thread_to_be_had_one_does_it_all() {
    let service = Service::start();
    let child = child::spawn_without_threads("upkeep", &service.device());
    let ended = child.wait_with_output().unwrap();
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stdout));
}

pub fn on_duty(keeper: &Keeper) {
    upkeep(keeper);
}
