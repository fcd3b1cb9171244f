//! Ways in which a logout could be lost, a success be claimed without proof, or a session come back.
//! Each was a defect once, or could easily become one.

mod service;

use service::{Answer, Service, answer, log_in};
use sessionkeeper::cancel::Cancel;
use sessionkeeper::clock::{Clock, HeldClock, SystemClock};
use sessionkeeper::error::Kind;
use sessionkeeper::keeper::{Config, Keeper, LogoutOptions, Outgoing};
use sessionkeeper::secret::Secret;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

fn never() -> Cancel {
    Cancel::new()
}

fn me(service: &Service) -> Outgoing {
    Outgoing {
        account: None,
        method: "GET".into(),
        url: service.url("/me"),
        headers: Vec::new(),
        body: None,
    }
}

fn held_clock() -> Arc<HeldClock> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    Arc::new(HeldClock::at(i64::try_from(now).unwrap()))
}

fn apart(service: &Service, directory: &Path) -> Keeper {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    Keeper::with_clock(service.config(directory), clock).unwrap()
}

/// A provider with a second host, which the login's cookies are not for.
fn with_localhost(service: &Service, directory: &Path, more: &str, logout_there: bool) -> Config {
    let port = service.port;
    let mut config = service.config(directory);
    config.provider = service.provider(|text| {
        let both = format!("hosts = [\"127.0.0.1:{port}\", \"localhost:{port}\"]\n\n[session]");
        let text = text.replace(&format!("hosts = [\"127.0.0.1:{port}\"]\n\n[session]"), &both);
        let here = format!("http://127.0.0.1:{port}/logout");
        let there = format!("http://localhost:{port}/logout");
        format!("{}{more}", if logout_there { text.replace(&here, &there) } else { text })
    });
    config
}

#[test]
fn a_session_that_cannot_be_renewed_lives_to_its_end() {
    let (service, directory) = (Service::start(), tempfile::tempdir().unwrap());
    let clock = held_clock();
    let mut config = service.config(directory.path());
    config.provider = service.provider(|text| {
        let (from, to) = (text.find("[renew]").unwrap(), text.find("[[logout.steps]]").unwrap());
        format!("{}{}", &text[..from], &text[to..])
    });
    let shared: Arc<dyn Clock> = clock.clone();
    let keeper = Keeper::with_clock(config, shared).unwrap();
    log_in(&keeper);
    clock.set(clock.now() + 86_400 - 1800);
    assert_eq!(keeper.restore(false, &never()).unwrap().state, "signed_in");
    assert_eq!(keeper.request(&me(&service), &never()).unwrap().status, 200);
    assert_eq!(keeper.renew(&never()).unwrap_err().kind(), Kind::InvalidInput);
    assert_eq!(keeper.status().unwrap().state, "signed_in");
    clock.set(clock.now() + 3600);
    assert_eq!(keeper.request(&me(&service), &never()).unwrap_err().kind(), Kind::SessionExpired);
}

#[test]
fn three_refusals_count_and_network_trouble_does_not() {
    let (service, directory) = (Service::start(), tempfile::tempdir().unwrap());
    let keeper = service.keeper(directory.path());
    log_in(&keeper);
    service.always_answer(Some(Answer::Close));
    keeper.log_out(&LogoutOptions::default(), &never()).unwrap();
    for _ in 0..3 {
        assert_eq!(keeper.drain(false, &never()).unwrap().deferred, 1);
    }
    service.always_answer(Some(Answer::Raw(answer("404 Not Found", &[], ""))));
    let mut outcomes = Vec::new();
    for _ in 0..4 {
        outcomes.push(keeper.drain(false, &never()).unwrap().entries[0].last_outcome.clone());
    }
    assert_eq!(outcomes, ["deferred", "deferred", "rejected", "rejected"]);
    let told = |event: &str| keeper.events_after(0).iter().filter(|e| e.event == event).count();
    assert_eq!(told("revocation_rejected"), 1);
}

#[test]
fn tokens_renewed_beside_a_logout_are_revoked_too() {
    for is_same_process in [true, false] {
        let (service, directory) = (Service::start(), tempfile::tempdir().unwrap());
        service.slow_renewals(500);
        let (keeper, other) =
            (apart(&service, directory.path()), apart(&service, directory.path()));
        log_in(&keeper);
        service.answer_logouts([Answer::Slow]);
        std::thread::scope(|scope| {
            let renewal = scope.spawn(|| keeper.renew(&never()));
            std::thread::sleep(Duration::from_millis(200));
            let leaver = if is_same_process { &keeper } else { &other };
            leaver.log_out(&LogoutOptions::default(), &never()).unwrap();
            assert!(renewal.join().unwrap().is_err());
        });
        std::thread::sleep(Duration::from_millis(300));
        assert_eq!(service.renewals(), 1, "the server gave fresh tokens");
        keeper.drain(false, &never()).unwrap();
        assert_eq!(service.requests("/logout").len(), 2, "the fresh tokens were never sent");
        assert_eq!(keeper.status().unwrap().pending_revocations, 0);
        let trail = keeper.audit(100).unwrap();
        assert_eq!(trail.iter().filter(|line| line.event == "revoked").count(), 1);
    }
}

#[test]
fn a_disk_that_refuses_is_told_each_time() {
    let (service, directory) = (Service::start(), tempfile::tempdir().unwrap());
    let keeper = apart(&service, directory.path());
    log_in(&keeper);
    service.always_answer(Some(Answer::Close));
    let other = rusqlite::Connection::open(directory.path().join("data/vault.db")).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let start = Instant::now();
    for _ in 0..2 {
        let error = keeper.log_out(&LogoutOptions::default(), &never()).unwrap_err();
        assert_eq!(error.kind(), Kind::LogoutIncomplete);
        assert!(error.message().contains("until the next start"), "{error}");
    }
    assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
    other.execute_batch("ROLLBACK").unwrap();
    assert_eq!(keeper.status().unwrap().state, "signed_out", "in this process");
    service.always_answer(None);
    assert_eq!(keeper.log_out(&LogoutOptions::default(), &never()).unwrap().remote, "revoked");
    assert_eq!(apart(&service, directory.path()).status().unwrap().state, "signed_out");
}

#[test]
fn a_vault_that_cannot_be_read_does_not_keep_the_viewer_signed_in() {
    let (service, directory) = (Service::start(), tempfile::tempdir().unwrap());
    let keeper = apart(&service, directory.path());
    log_in(&keeper);
    keeper.status().unwrap();
    let other = rusqlite::Connection::open(directory.path().join("data/vault.db")).unwrap();
    other.execute_batch("BEGIN EXCLUSIVE").unwrap();
    let error = keeper.log_out(&LogoutOptions::default(), &never()).unwrap_err();
    assert_eq!(error.kind(), Kind::LogoutIncomplete);
    assert!(error.message().contains("The server has ended the session"), "{error}");
    other.execute_batch("ROLLBACK").unwrap();
    assert_eq!(service.live_sessions(), 0, "it was told, with what this process remembered");
    assert_eq!(keeper.status().unwrap().state, "signed_out", "in this process at least");
}

#[test]
fn nothing_sent_proves_nothing() {
    let (service, directory) = (Service::start(), tempfile::tempdir().unwrap());
    let keeper = Keeper::open(with_localhost(&service, directory.path(), "", true)).unwrap();
    log_in(&keeper);
    let report = keeper.log_out(&LogoutOptions::default(), &never()).unwrap();
    assert_eq!(report.remote, "unconfirmed");
    assert!(service.requests("/logout").is_empty());
}

#[test]
fn a_probe_without_credentials_proves_nothing() {
    let (service, directory) = (Service::start(), tempfile::tempdir().unwrap());
    let address = format!("http://localhost:{}/me", service.port);
    let probe = format!(
        "\n[logout.probe]\nflow = \"request\"\nurl = \"{address}\"\nrefused_status = [401]\n"
    );
    let keeper = Keeper::open(with_localhost(&service, directory.path(), &probe, false)).unwrap();
    log_in(&keeper);
    service.answer_logouts([Answer::Raw(answer("200 OK", &[], "bye"))]);
    assert_eq!(keeper.log_out(&LogoutOptions::default(), &never()).unwrap().remote, "unconfirmed");
}

#[test]
fn a_bystander_cookie_says_nothing_of_the_session() {
    let (service, directory) = (Service::start(), tempfile::tempdir().unwrap());
    service.set_ageless_cookies();
    let clock = held_clock();
    let shared: Arc<dyn Clock> = clock.clone();
    let keeper = Keeper::with_clock(service.config(directory.path()), shared).unwrap();
    log_in(&keeper);
    clock.set(clock.now() + 700);
    assert_eq!(keeper.request(&me(&service), &never()).unwrap().status, 200);
    assert_eq!(keeper.log_out(&LogoutOptions::default(), &never()).unwrap().remote, "revoked");
    assert_eq!(service.live_sessions(), 0);
}

#[cfg(unix)]
#[test]
fn a_directory_behind_a_link_is_one_directory() {
    let (service, directory) = (Service::start(), tempfile::tempdir().unwrap());
    let (real, link) = (directory.path().join("real"), directory.path().join("link"));
    std::fs::create_dir(&real).unwrap();
    std::os::unix::fs::symlink(&real, &link).unwrap();
    let before = Keeper::open(service.config(&link)).unwrap();
    log_in(&before);
    let after = Keeper::open(service.config(&link)).unwrap();
    assert_eq!(before.newest_event(), after.newest_event());
}

#[test]
fn a_login_is_in_the_log() {
    let (service, directory) = (Service::start(), tempfile::tempdir().unwrap());
    let keeper = service.keeper(directory.path());
    keeper.logged(|| log_in(&keeper));
    let log = keeper.take_log();
    assert!(log.iter().any(|(_, line)| line.contains("log in: sending")), "{log:?}");
}

#[test]
fn a_login_that_breaks_after_the_form_is_ended() {
    let (service, directory) = (Service::start(), tempfile::tempdir().unwrap());
    service.break_landing();
    let keeper = service.keeper(directory.path());
    let error =
        keeper.log_in("viewer@example.com", &Secret::new("pässwörd"), &never()).unwrap_err();
    assert_eq!(error.kind(), Kind::UnexpectedAnswer);
    assert_eq!(service.live_sessions(), 0);
    assert_eq!(keeper.status().unwrap().state, "signed_out");
}

#[test]
fn a_login_that_is_cancelled_after_the_form_is_ended_in_the_background() {
    let (service, directory) = (Service::start(), tempfile::tempdir().unwrap());
    let keeper = service.keeper(directory.path());
    for pause in [0, 2, 5, 10, 20, 40] {
        let cancel = never();
        let other = cancel.clone();
        std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(pause));
            other.cancel();
        });
        let start = Instant::now();
        let result = keeper.log_in("viewer@example.com", &Secret::new("pässwörd"), &cancel);
        assert!(start.elapsed() < Duration::from_secs(1));
        if result.is_ok() {
            keeper.log_out(&LogoutOptions::default(), &never()).unwrap();
        }
    }
    let start = Instant::now();
    while service.live_sessions() > 0 && start.elapsed() < Duration::from_secs(5) {
        std::thread::sleep(Duration::from_millis(50));
        keeper.drain(false, &never()).unwrap();
        if keeper.status().unwrap().state == "signed_in" {
            // The cancel came after everything was done.
            keeper.log_out(&LogoutOptions::default(), &never()).unwrap();
        }
    }
    assert_eq!(service.live_sessions(), 0);
}
