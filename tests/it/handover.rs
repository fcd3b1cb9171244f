//! What an add-on kept until now: taken over behind who is logged in, and ended with the logout that
//! comes before.

use crate::adopt::{cookie, cookies, held_by, tokens};
use crate::fixture::{ask, drain, log_out, never, noted, pending, state, told, wait_until};
use crate::issuer::Issuer;
use crate::server::Step;
use crate::service::{Service, log_in, signed_in, without_renewal};
use base64::Engine;
use serde_json::json;
use sessionkeeper::error::Kind;
use sessionkeeper::keeper::{
    Conclusion, HandedOver, Keeper, Local, LogoutAllOptions, LogoutOptions, LogoutReport, State,
    TakeOver,
};
use sessionkeeper::session::Outcome;
use std::time::Duration;

const PLAYER: &str = "plugin.video.player";

fn take_over(keeper: &Keeper, handed: &HandedOver) -> TakeOver {
    keeper.take_over(handed, false, &never()).unwrap().how
}

/// What the caller asks after a logout, to know whether it may delete its copy.
fn is_taken(keeper: &Keeper, handed: &HandedOver) -> bool {
    keeper.take_over(handed, true, &never()).unwrap().how == TakeOver::Taken
}

fn log_out_with(keeper: &Keeper, handed: &HandedOver, account: Option<&str>) -> LogoutReport {
    let (handed_over, account) = (vec![handed.clone()], account.map(str::to_owned));
    let options = LogoutOptions { handed_over, account, ..LogoutOptions::default() };
    keeper.log_out(&options, &never()).unwrap()
}

/// A session of this account that nobody can check.
fn of_account(account: &str) -> HandedOver {
    let claims = format!("{{\"sub\":\"{account}\",\"exp\":4102444800}}");
    let payload = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(claims);
    cookies(vec![cookie("jwt_v2", &format!("e30.{payload}.s"), "")])
}

#[test]
fn a_logout_ends_what_was_handed_over_and_logs_nobody_in() {
    let (service, other) = signed_in();
    let (device, held) = (service.device(), held_by(&other));
    assert!(!is_taken(&device, &held));
    let report = log_out_with(&device, &held, None);
    assert_eq!((report.local, report.remote), (Local::Cleared, Outcome::Revoked));
    assert!(report.cookies_cleared.contains(&"remember".to_owned()));
    assert_eq!((service.live_sessions(), service.renewals()), (0, 0));
    assert_eq!(
        (noted(&device, "adopted"), told(&device, "login"), noted(&device, "logout")),
        (0, 0, 1)
    );
    // What could not be deleted comes again, and logs nobody in.
    let asked = service.journal().len();
    assert!(is_taken(&device, &held));
    assert_eq!(take_over(&device.restarted(), &held), TakeOver::Taken);
    assert_eq!(device.adopt(&held, &never()).unwrap_err().kind(), Kind::SessionExpired);
    assert_eq!((state(&device), service.journal().len()), (State::SignedOut, asked));
    assert_eq!(log_out_with(&device, &held, None).local, Local::AlreadySignedOut);
}

#[test]
fn who_is_logged_in_is_logged_out_with_it_and_the_report_tells_the_worse() {
    let (service, other) = signed_in();
    let (device, held) = (service.device(), held_by(&other));
    log_in(&device);
    service.choke_on_the_oldest();
    let report = log_out_with(&device, &held, None);
    assert_eq!((report.local, report.remote), (Local::Cleared, Outcome::Deferred));
    assert_eq!((service.live_sessions(), pending(&device)), (1, 1));
    assert!(is_taken(&device, &held));
}

#[test]
fn a_logout_of_a_named_account_leaves_another_one_s_alone() {
    let service = Service::start();
    let device = service.device_with(|text| without_renewal(&text));
    log_in(&device);
    let held = of_account("acc-2");
    let report = log_out_with(&device, &held, Some("acc-1"));
    assert_eq!((report.local, state(&device)), (Local::Cleared, State::SignedOut));
    assert!(!is_taken(&device, &held));
    assert_eq!(log_out_with(&device, &held, Some("acc-2")).local, Local::Cleared);
    assert!(is_taken(&device, &held));
    assert_eq!(device.accounts(false).unwrap().accounts.len(), 0);
}

#[test]
fn an_add_on_that_logs_its_own_out_touches_nothing_of_the_viewer_s() {
    let (service, other) = signed_in();
    let viewer = service.device();
    log_in(&viewer);
    let addon = viewer.of_addon(PLAYER);
    let report = log_out_with(&addon, &held_by(&other), None);
    assert_eq!((report.local, report.remote), (Local::Cleared, Outcome::Revoked));
    assert_eq!((service.live_sessions(), ask(&viewer).unwrap()), (1, 200));
    // Even where it is the very session that the viewer has.
    let own = held_by(&viewer);
    assert_eq!(log_out_with(&addon, &own, None).local, Local::AlreadySignedOut);
    assert_eq!((service.live_sessions(), ask(&viewer).unwrap()), (1, 200));
    assert_eq!(state(&addon), State::NeedsPermission);
    assert_eq!(viewer.permissions(true).unwrap().permissions.len(), 0);
}

#[test]
fn a_logout_waits_for_nobody_who_takes_the_same_over() {
    let (service, other) = signed_in();
    let (device, held) = (service.device(), held_by(&other));
    service.next("/login", [vec![Step::Usual(Duration::from_millis(700))]]);
    let logins = service.requests("/login").len();
    std::thread::scope(|scope| {
        let taking = scope.spawn(|| device.take_over(&held, false, &never()));
        wait_until(10, "nobody checks", || service.requests("/login").len() > logins);
        let addon = device.of_addon(PLAYER);
        let report = log_out_with(&addon, &held, None);
        assert_eq!((report.local, report.remote), (Local::Cleared, Outcome::Revoked));
        let taken = taking.join().unwrap();
        assert!(taken.as_ref().is_err_and(|error| error.kind() == Kind::Cancelled), "{taken:?}");
    });
    assert_eq!((state(&device), service.live_sessions()), (State::SignedOut, 0));
}

#[test]
fn a_logout_that_nothing_could_be_noted_of_says_so() {
    let (service, other) = signed_in();
    let (device, held) = (service.device(), held_by(&other));
    assert_eq!(state(&device), State::SignedOut);
    service.always("/logout", vec![Step::Reset]);
    let lock = device.lock_vault("BEGIN EXCLUSIVE");
    let deadline = Some(Duration::from_secs(1));
    let handed_over = vec![held.clone()];
    let options = LogoutOptions { deadline, handed_over, ..LogoutOptions::default() };
    let error = device.log_out(&options, &never()).unwrap_err();
    assert_eq!(error.kind(), Kind::LogoutIncomplete);
    drop(lock);
    assert!(!is_taken(&device, &held));
}

#[test]
fn a_logout_of_everything_and_forgetting_end_it_as_well() {
    let (service, other) = signed_in();
    let (device, held) = (service.device(), held_by(&other));
    let options = LogoutAllOptions { handed_over: vec![held.clone()], ..Default::default() };
    let done = device.log_out_all(&options, &never()).unwrap();
    assert_eq!((done.entries.len(), done.proved), (1, 1));
    assert_eq!(done.entries[0].conclusion, Conclusion::Proved);
    assert_eq!(service.live_sessions(), 0);
    assert!(is_taken(&device, &held));
    log_in(&other);
    let second = service.device();
    let forgotten = second.forget(&[held_by(&other)], &never()).unwrap();
    assert_eq!((forgotten.sessions, forgotten.pending_revocations), (1, 0));
    assert_eq!(service.live_sessions(), 0);
}

#[test]
fn it_steps_back_behind_a_session_that_the_server_takes() {
    let (service, other) = signed_in();
    let (device, held) = (service.device(), held_by(&other));
    log_in(&device);
    assert_eq!(take_over(&device, &held), TakeOver::Taken);
    assert_eq!((drain(&device).revoked, service.live_sessions()), (1, 1));
    assert_eq!((ask(&device).unwrap(), noted(&device, "adopted")), (200, 0));
    // The stored one itself is not ended, in whichever state of it.
    let own = held_by(&device);
    assert_eq!(take_over(&device, &own), TakeOver::Taken);
    device.renew(&never()).unwrap();
    assert_eq!(take_over(&device, &held_by(&device)), TakeOver::Taken);
    assert_eq!((pending(&device), service.live_sessions()), (0, 1));
}

#[test]
fn it_takes_the_place_of_a_session_that_the_server_has_ended() {
    let (service, other) = signed_in();
    let (device, held) = (service.device(), held_by(&other));
    log_in(&device);
    service.end_newest();
    assert_eq!(take_over(&device, &held), TakeOver::Taken);
    assert_eq!((noted(&device, "adopted"), state(&device)), (1, State::SignedIn));
    drain(&device);
    assert_eq!(
        (service.live_sessions(), device.renew(&never()).unwrap().state),
        (1, State::SignedIn)
    );
}

#[test]
fn who_was_taken_over_and_logged_out_does_not_come_back() {
    let (service, other) = signed_in();
    let (device, held) = (service.device(), held_by(&other));
    assert_eq!(take_over(&device, &held), TakeOver::Taken);
    assert_eq!(state(&device), State::SignedIn);
    service.always("/logout", vec![Step::Reset]);
    assert_eq!(log_out(&device).remote, Outcome::Deferred);
    let again = device.restarted();
    assert_eq!(take_over(&again, &held), TakeOver::Taken);
    assert_eq!((state(&again), pending(&again)), (State::SignedOut, 1));
    // Nor where a login took its place.
    let (second, held) = (service.device(), held_by(&other));
    take_over(&second, &held);
    log_in(&second);
    log_out(&second);
    assert_eq!(take_over(&second.restarted(), &held), TakeOver::Taken);
    assert_eq!(state(&second), State::SignedOut);
}

#[test]
fn the_viewer_s_active_account_stays_the_active_one() {
    let service = Service::start();
    let device = service.device_with(|text| without_renewal(&text));
    log_in(&device);
    assert_eq!(take_over(&device, &of_account("acc-2")), TakeOver::Taken);
    let accounts = device.accounts(false).unwrap().accounts;
    let active = |id: &str| accounts.iter().any(|one| one.account.id == id && one.active);
    assert_eq!((accounts.len(), active("acc-1"), active("acc-2")), (2, true, false));
    assert_eq!(told(&device, "login"), 1);
    log_out(&device);
    assert_eq!(take_over(&device, &of_account("acc-3")), TakeOver::Taken);
    assert_eq!(device.status().unwrap().account.unwrap().id, "acc-3");
}

#[test]
fn an_add_on_whose_own_session_the_server_takes_may_use_the_account() {
    let (service, other) = signed_in();
    let viewer = service.device();
    log_in(&viewer);
    let (addon, stored) = (viewer.of_addon(PLAYER), viewer.credentials(None).unwrap().token);
    assert_eq!(take_over(&addon, &held_by(&other)), TakeOver::Taken);
    assert_eq!(state(&addon), State::SignedIn);
    assert_eq!(viewer.permissions(true).unwrap().permissions[0].addon, PLAYER);
    assert_eq!((drain(&viewer).revoked, service.live_sessions()), (1, 1));
    assert_eq!((ask(&addon).unwrap(), noted(&viewer, "adopted")), (200, 0));
    assert_ne!(stored, "", "{stored}");
    // One that is over earns nothing.
    let second = viewer.of_addon("plugin.video.other");
    let third = service.device();
    log_in(&third);
    let held = held_by(&third);
    service.end_newest();
    assert_eq!(take_over(&second, &held), TakeOver::Taken);
    assert_eq!(state(&second), State::NeedsPermission);
}

#[test]
fn who_is_logged_in_does_not_wait_for_a_server_that_stalls() {
    let (service, other) = signed_in();
    let (device, held) = (service.device(), held_by(&other));
    log_in(&device);
    service.always("/login", vec![Step::Stall]);
    assert_eq!(take_over(&device, &held), TakeOver::Later);
    let asked = service.requests("/login").len();
    assert_eq!(take_over(&device, &held), TakeOver::Later);
    assert_eq!(service.requests("/login").len(), asked, "once in a minute");
}

#[test]
fn what_is_no_session_is_told_apart_from_what_is_wrong_here() {
    let service = Service::start();
    let device = service.device();
    for none in [HandedOver::default(), cookies(vec![cookie("some", "canary", "")])] {
        assert_eq!(take_over(&device, &none), TakeOver::NoSession);
        assert_eq!(log_out_with(&device, &none, None).local, Local::AlreadySignedOut);
    }
    let unchecked = service.device_with(|text| without_renewal(&text));
    let opaque = tokens(json!({ "access_token": "opaque" }));
    assert_eq!(take_over(&unchecked, &opaque), TakeOver::NoSession);
    assert_eq!(take_over(&Issuer::start().device, &HandedOver::default()), TakeOver::NoSession);
}

#[test]
fn trouble_with_a_place_is_said_once() {
    let service = Service::start();
    let device = service.device();
    device.logged(|| {
        for place in ["/a/file", "/a/file", "/b\nfile"] {
            device.note_handover(place, false);
        }
    });
    let lines = device.take_log();
    let said = lines.iter().filter(|(_, line)| line.contains("cannot be erased")).count();
    assert_eq!(said, 2);
}
