//! The main story: in, back after a restart, out, and out for good.

use crate::fixture::{
    ask, cancel_after, commits, drain, log_out, never, pending, state, told, wait_until,
};
use crate::server::{Step, answer};
use crate::service::{COOKIES, Service, deletion, log_in, probe, signed_in};
use sessionkeeper::clock::Clock;
use sessionkeeper::error::Kind;
use sessionkeeper::keeper::{Local, LogoutOptions, State, TaskOutcome};
use sessionkeeper::session::Outcome;
use std::time::{Duration, Instant};

#[test]
fn in_and_back_and_out() {
    let service = Service::start();
    let device = service.device();
    assert_eq!(state(&device), State::SignedOut);
    log_in(&device);
    let status = device.status().unwrap();
    assert_eq!(status.account.as_ref().unwrap().email, "zoë@例え.jp");
    assert_eq!(status.account.unwrap().id, "acc-1");
    assert!(status.renewable);
    assert_eq!(status.cookies, ["inner", "jwt_v2", "remember", "session_v2"]);
    let restarted = device.restarted();
    let sent = service.journal().len();
    assert_eq!(restarted.restore(false, &never()).unwrap().state, State::SignedIn);
    assert_eq!(service.journal().len(), sent, "restoring a fresh session needs no request");
    assert_eq!(ask(&restarted).unwrap(), 200);
    let report = log_out(&restarted);
    assert_eq!(
        (report.local, report.remote, report.status),
        (Local::Cleared, Outcome::Revoked, Some(302))
    );
    assert_eq!(report.cookies_cleared.len(), 4);
    let logouts = service.requests("/logout");
    assert_eq!(logouts.len(), 1);
    assert!(logouts[0].header("cookie").unwrap().contains("remember=1-remember-canary"));
    assert_eq!(service.live_sessions(), 0);
    assert_eq!(state(&device), State::SignedOut, "the other keeper sees it too");
    let again = log_out(&device);
    assert_eq!((again.local, again.remote), (Local::AlreadySignedOut, Outcome::NothingToRevoke));
    let error = ask(&device).unwrap_err();
    assert_eq!(error.kind(), Kind::NotSignedIn);
    let trail: Vec<_> =
        device.audit(10).unwrap().into_iter().map(|line| (line.event, line.outcome)).collect();
    let expected =
        [("login", "ok"), ("restored", "ok"), ("logout", "cleared"), ("revoked", "revoked")];
    assert_eq!(trail, expected.map(|(event, outcome)| (event.to_owned(), outcome.to_owned())));
}

#[test]
fn a_logout_writes_once_here_and_once_for_the_answer() {
    let (_service, device) = signed_in();
    let before = commits(&device);
    let tasks = log_out(&device).tasks.len();
    assert_eq!((commits(&device) - before, tasks), (2, 0));
}

#[test]
fn a_cancelled_logout_is_signed_out_here_and_told_later() {
    let (service, device) = signed_in();
    service.next("/logout", [vec![Step::Stall]]);
    let start = Instant::now();
    let deadline = Some(Duration::from_secs(30));
    let options = LogoutOptions { deadline, ..LogoutOptions::default() };
    let report = device.log_out(&options, &cancel_after(200)).unwrap();
    assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
    assert_eq!(report.remote, Outcome::Deferred);
    assert_eq!(drain(&device).revoked, 1);
}

#[test]
fn a_server_that_hangs_costs_the_deadline_and_no_more() {
    let (service, device) = signed_in();
    service.next("/logout", [vec![Step::Stall]]);
    let deadline = Some(Duration::from_millis(500));
    let start = Instant::now();
    let options = LogoutOptions { deadline, ..LogoutOptions::default() };
    assert_eq!(device.log_out(&options, &never()).unwrap().remote, Outcome::Deferred);
    assert!(start.elapsed() < Duration::from_millis(2500), "{:?}", start.elapsed());
}

#[test]
fn all_requests_of_a_logout_share_its_deadline() {
    let service = Service::start();
    let device = service.device_with(|text| text + &probe(service.url("/me")));
    log_in(&device);
    for path in ["/me", "/logout", "/login"] {
        service.always(path, vec![Step::Stall]);
    }
    let deadline = Some(Duration::from_millis(900));
    let start = Instant::now();
    let options = LogoutOptions { deadline, ..LogoutOptions::default() };
    assert_eq!(device.log_out(&options, &never()).unwrap().remote, Outcome::Deferred);
    assert!(start.elapsed() < Duration::from_millis(2000), "{:?}", start.elapsed());
}

#[test]
fn a_local_logout_leaves_the_server_to_the_outbox() {
    let (service, device) = signed_in();
    let options = LogoutOptions { local_only: true, ..LogoutOptions::default() };
    assert_eq!(device.log_out(&options, &never()).unwrap().remote, Outcome::Deferred);
    assert!(service.requests("/logout").is_empty());
    assert_eq!(device.drain(true, &never()).unwrap().revoked, 1, "it is due at once");
}

#[test]
fn everywhere_is_refused_where_there_is_no_way() {
    let (_service, device) = signed_in();
    let options = LogoutOptions { everywhere: true, ..LogoutOptions::default() };
    assert_eq!(device.log_out(&options, &never()).unwrap_err().kind(), Kind::InvalidInput);
    assert_eq!(state(&device), State::SignedIn);
}

#[test]
fn forgetting_tells_the_server_first() {
    let (service, device) = signed_in();
    let forgotten = device.forget(&[], &never()).unwrap();
    assert_eq!((forgotten.sessions, forgotten.pending_revocations), (1, 0));
    assert_eq!(service.live_sessions(), 0);
    log_in(&device);
    assert_eq!(state(&device), State::SignedIn);
}

/// What the report says of a logout that is answered with these headers.
fn cleared_by_the_server(headers: &[&str]) -> Vec<String> {
    let (service, device) = signed_in();
    let bytes = answer("302 Found", &headers.join("\n"), "");
    service.next("/logout", [vec![Step::Send(bytes)]]);
    log_out(&device).notes.server_cookies_cleared.into_iter().collect()
}

#[test]
fn the_report_names_the_cookies_that_the_server_deleted() {
    let of = cleared_by_the_server;
    let all = COOKIES.map(|(name, _)| deletion(name));
    let twice: Vec<_> = all.iter().chain(&all).map(String::as_str).collect();
    assert_eq!(of(&twice), ["inner", "jwt_v2", "remember", "session_v2"], "sorted, each once");
    assert_eq!(of(&["Set-Cookie: inner=x; Path=/; Max-Age=0"]), ["inner"], "expiry decides");
    let none = [
        "Location: /login",
        "Set-Cookie: other=; Path=/; Max-Age=0",
        "Set-Cookie: inner=; Path=/elsewhere; Max-Age=0",
        "Set-Cookie: inner=; Path=/; Max-Age=60",
        "Set-Cookie: remember=; Path=/",
    ];
    assert!(of(&none).is_empty());
    assert!(of(&[&*deletion("inner"), "Set-Cookie: inner=new; Path=/"]).is_empty(), "set again");
}

#[test]
fn without_an_answer_the_server_has_deleted_no_cookie() {
    let (service, device) = signed_in();
    service.always("/logout", vec![]);
    let report = log_out(&device);
    assert_eq!((report.cookies_cleared.len(), report.notes.server_cookies_cleared.len()), (4, 0));
    let again = log_out(&device);
    assert!(again.notes.server_cookies_cleared.is_empty());
}

#[test]
fn a_disk_that_refuses_is_told_each_time() {
    let (service, device) = signed_in();
    service.always("/logout", vec![]);
    let other = device.lock_vault("BEGIN IMMEDIATE");
    let start = Instant::now();
    for _ in 0..2 {
        let error = device.log_out(&LogoutOptions::default(), &never()).unwrap_err();
        assert_eq!(error.kind(), Kind::LogoutIncomplete);
        assert!(error.message().contains("until the next start"), "{error}");
    }
    assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
    other.execute_batch("ROLLBACK").unwrap();
    assert_eq!(state(&device), State::SignedOut, "in this process");
    service.as_usual("/logout");
    // By the second logout, or by the first one, which goes on in the background.
    log_out(&device);
    assert_eq!(state(&device.restarted()), State::SignedOut);
    drain(&device);
    assert_eq!(service.live_sessions(), 0);
}

#[test]
fn a_vault_that_cannot_be_read_does_not_keep_the_viewer_signed_in() {
    let (service, device) = signed_in();
    assert_eq!(pending(&device), 0);
    let other = device.lock_vault("BEGIN EXCLUSIVE");
    let error = device.log_out(&LogoutOptions::default(), &never()).unwrap_err();
    assert_eq!(error.kind(), Kind::LogoutIncomplete);
    assert!(error.message().contains("The server has ended the session"), "{error}");
    other.execute_batch("ROLLBACK").unwrap();
    assert_eq!(service.live_sessions(), 0, "it was told, with what this process remembered");
    assert_eq!(state(&device), State::SignedOut, "in this process at least");
}

#[test]
fn a_session_whose_row_is_damaged_is_ended_all_the_same() {
    for looks_before in [false, true] {
        let (service, device) = signed_in();
        assert_eq!(state(&device), State::SignedIn);
        let other = device.lock_vault("BEGIN IMMEDIATE");
        let damage = "UPDATE sessions SET sealed = randomblob(length(sealed)); COMMIT";
        other.execute_batch(damage).unwrap();
        if looks_before {
            assert_eq!(state(&device), State::SignedOut);
        }
        let report = log_out(&device);
        assert_eq!((report.local, report.remote), (Local::Cleared, Outcome::Revoked));
        assert_eq!((service.live_sessions(), pending(&device)), (0, 0));
        let again = log_out(&device);
        assert_eq!(again.remote, Outcome::NothingToRevoke);
    }
}

#[test]
fn what_is_cleaned_up_here_is_in_the_report() {
    let service = Service::start();
    let device = service
        .device_with(|text| text + "\n[after_logout]\ndelete = [\"cache\"]\nupdate = true\n");
    log_in(&device);
    let cache = device.directory.join("data/cache");
    std::fs::write(&cache, "hers").unwrap();
    let tasks = log_out(&device).tasks;
    let tasks: Vec<_> = tasks.iter().map(|task| (task.name.as_str(), task.outcome)).collect();
    assert_eq!(tasks, [("cache", TaskOutcome::Done)]);
    assert_eq!((cache.exists(), told(&device, "update")), (false, 1));
}

#[test]
fn tasks_are_done_after_forget() {
    let (_service, device) = signed_in();
    let hooks = ["mine".to_owned()];
    let options = LogoutOptions { hooks: hooks.to_vec(), ..LogoutOptions::default() };
    device.log_out(&options, &never()).unwrap();
    let taken = device.take_tasks(&[], &hooks).unwrap();
    device.finish_task(taken[0].id, TaskOutcome::Done, "").unwrap();
    device.forget(&[], &never()).unwrap();
    log_in(&device);
    device.log_out(&options, &never()).unwrap();
    assert_eq!(device.take_tasks(&[], &hooks).unwrap().len(), 1);
}

#[test]
fn a_logout_that_is_stored_late_leaves_what_ends_the_session() {
    let (_service, device) = signed_in();
    let other = device.lock_vault("BEGIN EXCLUSIVE");
    let account = Some("acc-1".to_owned());
    let options = LogoutOptions { account, local_only: true, ..LogoutOptions::default() };
    let answer = device.log_out(&options, &never());
    assert_eq!(answer.unwrap_err().kind(), Kind::LogoutIncomplete);
    other.execute_batch("ROLLBACK").unwrap();
    let after = device.restarted();
    wait_until(15, "nobody tries again", || state(&after) != State::SignedIn);
    assert_eq!(pending(&after), 1);
}

#[test]
fn a_hook_whose_taker_died_comes_back() {
    let (_service, device) = signed_in();
    let hooks = ["mine".to_owned()];
    let options = LogoutOptions { hooks: hooks.to_vec(), ..LogoutOptions::default() };
    device.log_out(&options, &never()).unwrap();
    assert_eq!(device.take_tasks(&[], &hooks).unwrap().len(), 1);
    device.clock.wait(Duration::from_secs(601), &never());
    drain(&device);
    assert_eq!(device.take_tasks(&[], &hooks).unwrap().len(), 1);
}
