//! The main story, on loopback: in, back after a restart, renewed, out, and out for good.

mod service;

use service::{Answer, Service, log_in};
use sessionkeeper::cancel::Cancel;
use sessionkeeper::clock::{Clock, HeldClock};
use sessionkeeper::error::Kind;
use sessionkeeper::keeper::{Keeper, Local, LogoutOptions, Outgoing};
use sessionkeeper::secret::Secret;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

fn never() -> Cancel {
    Cancel::new()
}

fn get(url: &str) -> Outgoing {
    Outgoing {
        account: None,
        method: "GET".into(),
        url: url.into(),
        headers: Vec::new(),
        body: None,
    }
}

fn held_clock() -> Arc<HeldClock> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    Arc::new(HeldClock::at(i64::try_from(now).unwrap()))
}

#[test]
fn in_and_back_and_out() {
    let (service, directory) = (Service::start(), tempfile::tempdir().unwrap());
    let keeper = service.keeper(directory.path());
    assert_eq!(keeper.status().unwrap().state, "signed_out");
    log_in(&keeper);
    let status = keeper.status().unwrap();
    assert_eq!(status.account.as_ref().unwrap().email, "zoë@例え.jp");
    assert_eq!(status.account.unwrap().id, "acc-1");
    assert!(status.renewable);
    assert_eq!(status.cookies, ["inner", "jwt_v2", "remember", "session_v2"]);
    // A second keeper with its own view of the disk is what a restart is.
    let clock: Arc<dyn Clock> = held_clock();
    let restarted = Keeper::with_clock(service.config(directory.path()), clock).unwrap();
    let sent = service.all_requests().len();
    assert_eq!(restarted.restore(false, &never()).unwrap().state, "signed_in");
    assert_eq!(service.all_requests().len(), sent, "restoring a fresh session needs no request");
    assert_eq!(restarted.request(&get(&service.url("/me")), &never()).unwrap().status, 200);
    let report = restarted.log_out(&LogoutOptions::default(), &never()).unwrap();
    assert_eq!(
        (report.local, report.remote, report.status),
        (Local::Cleared, "revoked", Some(302))
    );
    assert_eq!(report.cookies_cleared.len(), 4);
    assert_eq!(service.requests("/logout").len(), 1);
    assert!(service.requests("/logout")[0].cookie.contains("remember=1-remember-canary"));
    assert_eq!(service.live_sessions(), 0);
    assert_eq!(keeper.status().unwrap().state, "signed_out", "the other keeper sees it too");
    let again = keeper.log_out(&LogoutOptions::default(), &never()).unwrap();
    assert_eq!((again.local, again.remote), (Local::AlreadySignedOut, "nothing_to_revoke"));
    let error = keeper.request(&get(&service.url("/me")), &never()).unwrap_err();
    assert_eq!(error.kind(), Kind::NotSignedIn);
    let trail: Vec<(String, String)> =
        keeper.audit(10).unwrap().into_iter().map(|line| (line.event, line.outcome)).collect();
    let expected =
        [("login", "ok"), ("restored", "ok"), ("logout", "cleared"), ("revoked", "revoked")];
    assert_eq!(trail, expected.map(|(event, outcome)| (event.to_owned(), outcome.to_owned())));
}

#[test]
fn a_logout_without_a_server_is_delivered_later() {
    let directory = tempfile::tempdir().unwrap();
    let service = Service::start();
    let keeper = service.keeper(directory.path());
    log_in(&keeper);
    service.always_answer(Some(Answer::Close));
    let start = Instant::now();
    let report = keeper.log_out(&LogoutOptions::default(), &never()).unwrap();
    assert_eq!((report.local, report.remote), (Local::Cleared, "deferred"));
    assert!(start.elapsed() < Duration::from_secs(4));
    assert!(report.expires_at.is_some());
    assert_eq!(keeper.status().unwrap().pending_revocations, 1);
    let clock: Arc<dyn Clock> = held_clock();
    let restarted = Keeper::with_clock(service.config(directory.path()), clock).unwrap();
    assert_eq!(restarted.restore(false, &never()).unwrap().state, "signed_out");
    assert_eq!(restarted.drain(false, &never()).unwrap().deferred, 1);
    service.always_answer(None);
    let drained = restarted.drain(false, &never()).unwrap();
    assert_eq!((drained.revoked, drained.entries.len()), (1, 0));
    assert_eq!(service.live_sessions(), 0);
    assert_eq!(restarted.drain(false, &never()).unwrap().revoked, 0);
    let trail = keeper.audit(100).unwrap();
    assert_eq!(trail.iter().filter(|line| line.event == "revoked").count(), 1);
}

#[test]
fn a_cancelled_logout_is_signed_out_here_and_told_later() {
    let (service, directory) = (Service::start(), tempfile::tempdir().unwrap());
    let keeper = service.keeper(directory.path());
    log_in(&keeper);
    service.answer_logouts([Answer::Hang]);
    let cancel = never();
    let other = cancel.clone();
    std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(200));
        other.cancel();
    });
    let start = Instant::now();
    let report = keeper.log_out(&LogoutOptions::default(), &cancel).unwrap();
    assert!(start.elapsed() < Duration::from_millis(1200), "{:?}", start.elapsed());
    assert_eq!(report.remote, "deferred");
    assert_eq!(keeper.drain(false, &never()).unwrap().revoked, 1);
}

#[test]
fn a_local_logout_leaves_the_server_to_the_outbox() {
    let (service, directory) = (Service::start(), tempfile::tempdir().unwrap());
    let keeper = service.keeper(directory.path());
    log_in(&keeper);
    let manner = LogoutOptions { local_only: true, ..LogoutOptions::default() };
    assert_eq!(keeper.log_out(&manner, &never()).unwrap().remote, "deferred");
    assert!(service.requests("/logout").is_empty());
    assert_eq!(keeper.drain(true, &never()).unwrap().revoked, 1, "it is due at once");
}

#[test]
fn everywhere_is_refused_where_there_is_no_way() {
    let (service, directory) = (Service::start(), tempfile::tempdir().unwrap());
    let keeper = service.keeper(directory.path());
    log_in(&keeper);
    let manner = LogoutOptions { everywhere: true, ..LogoutOptions::default() };
    assert_eq!(keeper.log_out(&manner, &never()).unwrap_err().kind(), Kind::InvalidInput);
    assert_eq!(keeper.status().unwrap().state, "signed_in");
}

#[test]
fn wrong_credentials_change_nothing() {
    let (service, directory) = (Service::start(), tempfile::tempdir().unwrap());
    let keeper = service.keeper(directory.path());
    log_in(&keeper);
    let error = keeper.log_in("viewer@example.com", &Secret::new("wrong"), &never()).unwrap_err();
    assert_eq!(error.kind(), Kind::CredentialsRefused);
    assert_eq!(keeper.status().unwrap().state, "signed_in");
    for (name, password) in [("", "x"), ("a", ""), ("a\r\nb", "x"), ("a", "x\0")] {
        let error = keeper.log_in(name, &Secret::new(password), &never()).unwrap_err();
        assert_eq!(error.kind(), Kind::InvalidInput);
    }
}

#[test]
fn a_second_login_replaces_the_first_and_revokes_it() {
    let (service, directory) = (Service::start(), tempfile::tempdir().unwrap());
    let keeper = service.keeper(directory.path());
    log_in(&keeper);
    log_in(&keeper);
    assert_eq!(keeper.status().unwrap().pending_revocations, 1);
    assert_eq!(keeper.drain(true, &never()).unwrap().revoked, 1);
    assert_eq!(service.live_sessions(), 1);
    assert_eq!(keeper.request(&get(&service.url("/me")), &never()).unwrap().status, 200);
}

#[test]
fn a_token_is_renewed_when_it_is_due_and_not_before() {
    let (service, directory) = (Service::start(), tempfile::tempdir().unwrap());
    let clock = held_clock();
    let shared: Arc<dyn Clock> = clock.clone();
    let keeper = Keeper::with_clock(service.config(directory.path()), shared).unwrap();
    log_in(&keeper);
    let before = keeper.status().unwrap().expires_at;
    let logins = service.requests("/login").len();
    keeper.request(&get(&service.url("/me")), &never()).unwrap();
    assert_eq!(service.requests("/login").len(), logins);
    service.token_life(2 * 86_400);
    clock.set(clock.now() + 86_400 - 1800);
    assert_eq!(keeper.schedule().unwrap().renew_at.map(|at| at <= clock.now()), Some(true));
    keeper.request(&get(&service.url("/me")), &never()).unwrap();
    assert_eq!(service.requests("/login").len(), logins + 1);
    assert!(keeper.status().unwrap().expires_at > before);
}

#[test]
fn a_session_that_somebody_ended_is_noticed_and_told_once() {
    let (service, directory) = (Service::start(), tempfile::tempdir().unwrap());
    let keeper = service.keeper(directory.path());
    log_in(&keeper);
    service.end_all();
    let start = keeper.newest_event();
    let error = keeper.request(&get(&service.url("/me")), &never()).unwrap_err();
    assert_eq!(error.kind(), Kind::SessionExpired);
    let error = keeper.request(&get(&service.url("/me")), &never()).unwrap_err();
    assert_eq!(error.kind(), Kind::NotSignedIn);
    let told = keeper.events_after(start);
    assert_eq!(told.iter().filter(|event| event.event == "session_expired").count(), 1);
    assert_eq!(keeper.status().unwrap().state, "signed_out");
}

#[test]
fn requests_go_to_the_providers_hosts_only() {
    let (service, other) = (Service::start(), Service::start());
    let directory = tempfile::tempdir().unwrap();
    let keeper = service.keeper(directory.path());
    log_in(&keeper);
    for url in [other.url("/me"), "https://example.com/".into(), "file:///etc/passwd".into()] {
        let error = keeper.request(&get(&url), &never()).unwrap_err();
        assert_eq!(error.kind(), Kind::HostNotAllowed, "{url}");
    }
    assert!(other.all_requests().is_empty());
    assert_eq!(
        keeper.request(&get("not an address"), &never()).unwrap_err().kind(),
        Kind::InvalidInput
    );
}

#[test]
fn nothing_is_thrown_away_while_the_clock_is_unknown() {
    let (service, directory) = (Service::start(), tempfile::tempdir().unwrap());
    let clock = held_clock();
    let now = clock.now();
    let shared: Arc<dyn Clock> = clock.clone();
    let keeper = Keeper::with_clock(service.config(directory.path()), shared).unwrap();
    log_in(&keeper);
    service.always_answer(Some(Answer::Close));
    assert_eq!(keeper.log_out(&LogoutOptions::default(), &never()).unwrap().remote, "deferred");
    clock.set_known(false);
    for moment in [0, 946_684_800, now - 86_400, now + 315_360_000, 4_102_444_800] {
        clock.set(moment);
        let drained = keeper.drain(false, &never()).unwrap();
        assert_eq!((drained.expired, drained.entries.len()), (0, 1), "at {moment}");
    }
    clock.set(now + 100 * 86_400);
    clock.set_known(true);
    assert_eq!(keeper.drain(false, &never()).unwrap().expired, 0, "180 days are not over");
    clock.set(now + 181 * 86_400);
    assert_eq!(keeper.drain(false, &never()).unwrap().expired, 1);
    assert_eq!(keeper.audit(1).unwrap()[0].event, "revocation_expired");
}

#[test]
fn a_probe_can_give_the_proof_that_the_answer_did_not() {
    let (service, directory) = (Service::start(), tempfile::tempdir().unwrap());
    let mut config = service.config(directory.path());
    let probe = format!(
        "\n[logout.probe]\nflow = \"request\"\nurl = \"{}\"\nrefused_status = [401]\n",
        service.url("/me")
    );
    config.provider = service.provider(|text| format!("{text}{probe}"));
    let keeper = Keeper::open(config).unwrap();
    log_in(&keeper);
    let nothing = service::answer("200 OK", &[], "bye");
    service.answer_logouts([Answer::Raw(nothing.clone()), Answer::Raw(nothing)]);
    assert_eq!(keeper.log_out(&LogoutOptions::default(), &never()).unwrap().remote, "unconfirmed");
    service.end_all();
    let drained = keeper.drain(false, &never()).unwrap();
    assert_eq!((drained.revoked, drained.entries.len()), (1, 0));
}

#[test]
fn forgetting_tells_the_server_first() {
    let (service, directory) = (Service::start(), tempfile::tempdir().unwrap());
    let keeper = service.keeper(directory.path());
    log_in(&keeper);
    let forgotten = keeper.forget(&never()).unwrap();
    assert_eq!((forgotten.sessions, forgotten.pending_revocations), (1, 0));
    assert_eq!(service.live_sessions(), 0);
    log_in(&keeper);
    assert_eq!(keeper.status().unwrap().state, "signed_in");
}
