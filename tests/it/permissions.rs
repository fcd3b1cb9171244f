//! The accounts are the viewer's: an add-on uses those that it logged in, and those that she allowed.

use crate::fixture::{Device, ask, log_out, never, noted, state};
use crate::issuer::Issuer;
use crate::server::answering;
use crate::service::{Service, log_in, signed_in};
use serde_json::json;
use sessionkeeper::error::Kind;
use sessionkeeper::keeper::{Keeper, Local, LogoutOptions, State, TaskOutcome};
use sessionkeeper::session::Outcome;
use std::collections::HashSet;

const PLAYER: &str = "plugin.video.player";
const OTHER: &str = "plugin.video.other";

fn account(keeper: &Keeper) -> String {
    keeper.status().unwrap().account.unwrap().id
}

fn answers(keeper: &Keeper) -> Vec<(String, bool)> {
    let answers = keeper.permissions(true).unwrap().permissions;
    answers.into_iter().map(|answer| (answer.addon, answer.allowed)).collect()
}

/// The add-on's lines of the audit trail.
fn trail(keeper: &Keeper) -> Vec<(String, String)> {
    let lines = keeper.audit(1000).unwrap().into_iter().filter(|line| line.event == "permission");
    lines.map(|line| (line.detail, line.outcome)).collect()
}

fn told(addon: &str, outcomes: &[&str]) -> Vec<(String, String)> {
    outcomes.iter().map(|outcome| (addon.to_owned(), (*outcome).to_owned())).collect()
}

#[test]
fn an_add_on_that_was_not_allowed_gets_nothing() {
    let (service, viewer) = signed_in();
    let addon = viewer.of_addon(PLAYER);
    let status = addon.status().unwrap();
    assert_eq!((status.state, status.account.is_none()), (State::NeedsPermission, true));
    assert_eq!((status.cookies.len(), status.expires_at), (0, None));
    assert_eq!(addon.details().unwrap().signed_in_at, None);
    assert_eq!(addon.restore(false, &never()).unwrap().state, State::NeedsPermission);
    assert_eq!(addon.schedule().unwrap().renew_at, None);
    assert_eq!(addon.accounts(true).unwrap().accounts.len(), 0);
    let refused = [
        ask(&addon).unwrap_err(),
        addon.credentials(None).map(drop).unwrap_err(),
        addon.renew(&never()).unwrap_err(),
    ];
    for error in refused {
        assert_eq!(error.kind(), Kind::NeedsPermission);
        assert!(error.hint().contains("request_access()"), "{}", error.hint());
        assert!(!error.message().contains("viewer@example.com"));
    }
    assert_eq!(addon.switch(&account(&viewer)).unwrap_err().kind(), Kind::UnknownAccount);
    assert_eq!(service.requests("/me").len(), 0);
    assert_eq!(ask(&viewer).unwrap(), 200);
}

#[test]
fn the_viewers_word_counts_at_once_and_after_a_restart() {
    let (_service, viewer) = signed_in();
    let addon = viewer.of_addon(PLAYER);
    let (account, other) = (account(&viewer), viewer.of_addon(OTHER));
    assert_eq!(state(&addon), State::NeedsPermission);
    let question = addon.access().unwrap();
    assert_eq!(question.account.unwrap().id, account);
    assert_eq!((question.addon.as_deref(), question.answer), (Some(PLAYER), None));

    addon.set_permission(PLAYER, &account, Some(true)).unwrap();
    assert_eq!((ask(&addon).unwrap(), addon.access().unwrap().answer), (200, Some(true)));
    assert_eq!(addon.accounts(false).unwrap().accounts.len(), 1);
    assert_eq!(addon.switch(&account).unwrap().state, State::SignedIn);
    assert_eq!(ask(&viewer.of_addon(PLAYER)).unwrap(), 200);
    assert_eq!(state(&other), State::NeedsPermission);
    other.set_permission(OTHER, &account, Some(false)).unwrap();
    assert_eq!(other.access().unwrap().answer, Some(false));
    assert_eq!(state(&viewer.of_addon(OTHER)), State::NeedsPermission);
    assert_eq!(answers(&viewer), [(PLAYER.into(), true), (OTHER.into(), false)]);
    assert_eq!(answers(&other), [(OTHER.into(), false)], "an add-on sees its own");

    // Withdrawn by the viewer, in another process.
    viewer.set_permission(PLAYER, &account, Some(false)).unwrap();
    assert_eq!(ask(&addon).unwrap_err().kind(), Kind::NeedsPermission);
    viewer.set_permission(PLAYER, &account, None).unwrap();
    assert_eq!((state(&addon), addon.access().unwrap().answer), (State::NeedsPermission, None));
    let mut lines = told(PLAYER, &["allowed"]);
    lines.extend(told(OTHER, &["refused"]));
    lines.extend(told(PLAYER, &["withdrawn", "withdrawn"]));
    assert_eq!(trail(&viewer), lines);
}

#[test]
fn in_one_process_it_counts_at_once_as_well() {
    let (_service, device) = signed_in();
    let (viewer, addon) = device.shared_with_addon(PLAYER);
    assert_eq!(state(&addon), State::NeedsPermission);
    for allowed in [true, false] {
        viewer.set_permission(PLAYER, &account(&viewer), Some(allowed)).unwrap();
        assert_eq!(ask(&addon).is_ok(), allowed);
    }
    assert_eq!(state(&viewer), State::SignedIn);
}

#[test]
fn the_add_on_that_logs_in_may_use_the_account() {
    let service = Service::start();
    let viewer = service.device();
    let addon = viewer.of_addon(PLAYER);
    log_in(&addon);
    assert_eq!(ask(&addon).unwrap(), 200);
    assert_eq!(ask(&viewer).unwrap(), 200, "the account is the viewer's");
    assert_eq!(state(&viewer.of_addon(OTHER)), State::NeedsPermission);
    // A login that replaces the session keeps what she said, and says nothing twice.
    viewer.set_permission(OTHER, &account(&viewer), Some(true)).unwrap();
    log_in(&viewer);
    log_in(&addon);
    assert_eq!(answers(&viewer), [(PLAYER.into(), true), (OTHER.into(), true)]);
    let told = [told(PLAYER, &["allowed"]), told(OTHER, &["allowed"])].concat();
    assert_eq!(trail(&viewer), told);
}

#[test]
fn a_login_by_a_refused_add_on_is_the_viewers_newest_word() {
    let (_service, viewer) = signed_in();
    let addon = viewer.of_addon(PLAYER);
    addon.set_permission(PLAYER, &account(&viewer), Some(false)).unwrap();
    log_in(&addon);
    assert_eq!(ask(&addon).unwrap(), 200);
    assert_eq!(trail(&viewer), told(PLAYER, &["refused", "allowed"]));
}

#[test]
fn to_an_add_on_that_was_not_allowed_there_is_nothing_to_log_out() {
    let (service, viewer) = signed_in();
    let (addon, account) = (viewer.of_addon(PLAYER), account(&viewer));
    for named in [None, Some(account.clone())] {
        let options = LogoutOptions { account: named, ..LogoutOptions::default() };
        let report = addon.log_out(&options, &never()).unwrap();
        assert_eq!(report.local, Local::AlreadySignedOut);
        assert_eq!(report.remote, Outcome::NothingToRevoke);
        assert!(report.cookies_cleared.is_empty());
    }
    let error = addon.forget(&[], &never()).unwrap_err();
    assert_eq!(error.kind(), Kind::InvalidInput);
    assert!(error.hint().contains("settings"), "{}", error.hint());
    assert_eq!((ask(&viewer).unwrap(), service.live_sessions()), (200, 1));
    assert_eq!(noted(&viewer, "logout"), 0);

    viewer.set_permission(PLAYER, &account, Some(true)).unwrap();
    assert_eq!(log_out(&addon).remote, Outcome::Revoked);
    assert_eq!((state(&viewer), service.live_sessions()), (State::SignedOut, 0));
    assert_eq!(answers(&viewer), [], "the logout took them along");
    assert_eq!(addon.access().unwrap().answer, None);
    log_in(&viewer);
    assert_eq!(state(&addon), State::NeedsPermission);
}

#[test]
fn nobody_is_asked_where_there_is_nothing_to_ask() {
    let service = Service::start();
    let viewer = service.device();
    let question = viewer.access().unwrap();
    assert_eq!((question.addon, question.answer), (None, Some(true)));
    let question = viewer.of_addon(PLAYER).access().unwrap();
    assert_eq!((question.account.is_none(), question.answer), (true, None));
    assert_eq!(state(&viewer.of_addon(PLAYER)), State::SignedOut);
    assert_eq!(log_out(&viewer.of_addon(PLAYER)).local, Local::AlreadySignedOut);
}

#[test]
fn an_answer_needs_an_add_on_and_an_account() {
    let (_service, viewer) = signed_in();
    let account = account(&viewer);
    let cases = [
        ("", account.as_str(), Kind::InvalidInput),
        ("an add-on", &account, Kind::InvalidInput),
        ("a\nb", &account, Kind::InvalidInput),
        (PLAYER, "", Kind::UnknownAccount),
        (PLAYER, "nobody", Kind::UnknownAccount),
    ];
    for (addon, account, kind) in cases {
        let error = viewer.set_permission(addon, account, Some(true)).unwrap_err();
        assert_eq!(error.kind(), kind, "{addon:?} {account:?}");
    }
    let other = viewer.of_addon(OTHER);
    let error = other.set_permission(PLAYER, &account, Some(true)).unwrap_err();
    assert_eq!(error.kind(), Kind::InvalidInput);
    assert_eq!(answers(&viewer), []);
}

#[test]
fn an_answer_is_about_one_account() {
    let issuer = Issuer::signed_in();
    let (viewer, addon) = (&issuer.device, issuer.device.of_addon(PLAYER));
    viewer.set_permission(PLAYER, "u1", Some(true)).unwrap();
    issuer.next("/token", [issuer.tokens(&json!({ "id_token": { "sub": "u2" } }))]);
    issuer.log_in().unwrap();
    assert_eq!(state(&addon), State::NeedsPermission, "another one is active by now");
    viewer.set_permission(PLAYER, "u2", Some(false)).unwrap();
    let [only] = &addon.accounts(true).unwrap().accounts[..] else { panic!() };
    assert_eq!(only.account.id, "u1");
    // The other one's logout leaves this one's answer.
    let local_only = LogoutOptions { local_only: true, ..LogoutOptions::default() };
    assert_eq!(addon.log_out(&local_only, &never()).unwrap().local, Local::AlreadySignedOut);
    assert_eq!(viewer.log_out(&local_only, &never()).unwrap().local, Local::Cleared);
    assert_eq!(answers(viewer), [(PLAYER.into(), true)]);
    assert_eq!(addon.switch("u1").unwrap().state, State::SignedIn);
}

#[test]
fn an_answer_is_about_the_service_whatever_hosts_its_file_names() {
    let (service, viewer) = signed_in();
    let account = account(&viewer);
    let bearer = format!("bearer_hosts = [\"127.0.0.1:{}\"]\n", service.port());
    let provider = service.provider_with(|text| text.replace(&bearer, ""));
    let changed = Device::at(&viewer.directory, provider, &viewer.clock).of_addon(PLAYER);
    assert_eq!(log_out(&changed).local, Local::AlreadySignedOut);
    assert_eq!(service.live_sessions(), 1);
    viewer.set_permission(PLAYER, &account, Some(true)).unwrap();
    assert_eq!(log_out(&changed).local, Local::Cleared);
    assert_eq!((state(&viewer), service.live_sessions()), (State::SignedOut, 0));
}

/// What one add-on wants to be called for is not done by another one that uses the same word.
#[test]
fn hooks_and_sinks_are_an_add_ons_own() {
    let (_service, viewer) = signed_in();
    let (player, other) = (viewer.of_addon(PLAYER), viewer.of_addon(OTHER));
    for addon in [PLAYER, OTHER] {
        viewer.set_permission(addon, &account(&viewer), Some(true)).unwrap();
    }
    let hooks = vec!["empty_cache".to_owned()];
    let options = LogoutOptions { hooks: hooks.clone(), ..LogoutOptions::default() };
    assert_eq!(player.log_out(&options, &never()).unwrap().local, Local::Cleared);
    let taken = |keeper: &Keeper| keeper.take_tasks(&[], &hooks).unwrap();
    assert_eq!((taken(&other).len(), taken(&viewer).len()), (0, 0));
    let [task] = &taken(&player)[..] else { panic!() };
    assert_eq!(task.task.name, "empty_cache");
    player.finish_task(task.id, TaskOutcome::Done, "").unwrap();
    let done = viewer.audit(1000).unwrap().into_iter().find(|line| line.event == "task_done");
    assert_eq!(done.unwrap().detail, format!("{PLAYER}/empty_cache"));

    let last = player.audit_since("send", 1000).unwrap().last().unwrap().seq;
    player.audit_taken("send", last).unwrap();
    assert_eq!(player.audit_since("send", 1000).unwrap().len(), 0);
    assert!(!other.audit_since("send", 1000).unwrap().is_empty());
}

/// Who else is there is nothing to an add-on, nor are their logouts its to announce.
#[test]
fn an_add_on_is_told_of_the_accounts_that_it_may_use_alone() {
    let issuer = Issuer::signed_in();
    let viewer = &issuer.device;
    let (player, other) = (viewer.of_addon(PLAYER), viewer.of_addon(OTHER));
    player.set_permission(PLAYER, "u1", Some(true)).unwrap();
    viewer.set_permission(OTHER, "u1", Some(true)).unwrap();
    viewer.set_permission(OTHER, "u1", None).unwrap();
    issuer.next("/token", [issuer.tokens(&json!({ "id_token": { "sub": "u2" } }))]);
    issuer.log_in().unwrap();
    issuer.always("/revoke", answering("503 Service Unavailable", "", ""));
    for account in ["u1", "u2"] {
        let options = LogoutOptions { account: Some(account.into()), ..LogoutOptions::default() };
        assert_eq!(viewer.log_out(&options, &never()).unwrap().remote, Outcome::Deferred);
    }
    let waiting = |keeper: &Keeper| -> Vec<String> {
        keeper.outbox().unwrap().entries.into_iter().map(|entry| entry.account).collect()
    };
    assert_eq!(waiting(viewer), ["u1", "u2"]);
    assert_eq!(waiting(&player), ["u1"], "that it could use until the logout");
    assert_eq!(waiting(&other), [""; 0], "withdrawn before");
    let about = |keeper: &Keeper| -> HashSet<String> {
        let lines = keeper.audit(1000).unwrap().into_iter();
        lines.map(|line| format!("{} {}", line.event, line.account)).collect()
    };
    let told = |lines: &[&str]| lines.iter().map(|line| (*line).to_owned()).collect::<HashSet<_>>();
    assert!(about(viewer).contains("login u2"));
    assert_eq!(about(&player), told(&["login u1", "permission u1", "logout u1"]));
    assert_eq!(about(&other), told(&["permission u1"]));
    assert_eq!(player.audit(1).unwrap()[0].event, "logout");
    assert!(trail(&player).iter().all(|(addon, _)| addon == PLAYER));
    assert_eq!(player.audit_since("send", 1).unwrap()[0].event, "login");
    assert!(player.audit_since("send", 99).unwrap().iter().all(|line| line.account == "u1"));

    // It may be sent by anybody, and its confirmation is for whoever tells the viewer.
    issuer.as_usual("/revoke");
    assert_eq!(player.drain(false, &never()).unwrap().revoked, 2);
    assert_eq!(player.take_confirmations().unwrap().logouts, []);
    assert_eq!(viewer.take_confirmations().unwrap().logouts.len(), 2);

    // Somebody logs in with the account again: she is asked anew.
    issuer.next("/token", [issuer.tokens(&json!({}))]);
    issuer.log_in().unwrap();
    assert_eq!(about(&player), told(&["permission u1"]));
}
