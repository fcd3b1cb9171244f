//! Entries that cannot be sent, answers about older credentials, and what waits.

use super::*;
use crate::clock::{Clock, HeldClock};
use crate::cookies::Jar;
use crate::http::{Proxy, Settings};
use crate::keeper::Config;
use crate::provider::{self, Given, Hosts};
use crate::session::{Account, Credentials, Evidence, Revocation};
use crate::vault::Vault;
use std::path::Path;
use std::sync::Arc;

const NOW: UnixTime = 1_800_000_000;

fn keeper(directory: &Path, provider: Provider) -> Keeper {
    keeper_at(directory, provider, Arc::new(HeldClock::at(NOW)))
}

fn keeper_at(directory: &Path, provider: Provider, clock: Arc<dyn Clock>) -> Keeper {
    let config = Config {
        provider,
        sources: provider::Sources::default(),
        directory: directory.join("data"),
        key_directory: Some(directory.join("keys")),
        caller: None,
        network: Settings { proxy: Proxy::None, ..Settings::default() },
        headers: Vec::new(),
        max_body: 1 << 20,
        logout_deadline: Duration::from_secs(3),
        lock_timeout: Duration::from_secs(3),
        addon: None,
        register_in: None,
        background: false,
        renewal_margin: 3600,
        log_level: log::LevelFilter::Info,
        log_to_terminal: false,
    };
    Keeper::with_clock(config, clock).unwrap()
}

fn enqueue(vault: &Vault, revocation: &Revocation) {
    vault.transact(|tx| tx.outbox().enqueue(revocation)).unwrap();
}

fn entry(number: usize, provider: &str, definition: &str) -> Revocation {
    Revocation {
        session_id: format!("{number:032x}"),
        provider: provider.into(),
        host: format!("{provider}.example"),
        account: "a".into(),
        created_at: 0,
        first_attempt_at: i64::try_from(number).unwrap(),
        expires_at: None,
        credentials: Credentials::new(),
        evidence: Evidence::default(),
        everywhere: false,
        promised_to: None,
        definition: definition.into(),
    }
}

#[test]
fn a_poison_entry_does_not_stop_the_others() {
    let directory = tempfile::tempdir().unwrap();
    let keeper = keeper(directory.path(), provider::find("angel", &Given::new()).unwrap());
    let vault = keeper.shared.vault().unwrap();
    enqueue(&vault, &entry(1, "gone", "no longer a provider file"));
    let over = Revocation { expires_at: Some(10), ..entry(2, "angel", "") };
    enqueue(&vault, &over);
    let drained = keeper.drain(true, &Cancel::new()).unwrap();
    assert_eq!((drained.expired, drained.rejected, drained.entries.len()), (1, 1, 1));
    assert!(keeper.schedule().unwrap().drain_at > Some(NOW + 80_000), "parked, not lost");
    let told = keeper.events_after(0);
    assert_eq!(told.iter().filter(|one| one.event == Event::RevocationRejected).count(), 1);
}

#[test]
fn an_answer_about_older_credentials_does_not_settle_newer_ones() {
    let directory = tempfile::tempdir().unwrap();
    let keeper = keeper(directory.path(), provider::find("angel", &Given::new()).unwrap());
    let vault = keeper.shared.vault().unwrap();
    let viewer = Account { id: "a".into(), ..Account::default() };
    let promised_to = Some(viewer.clone());
    enqueue(&vault, &Revocation { promised_to, ..entry(1, "angel", "") });
    let get = || vault.read(|tx| tx.outbox().get(1)).unwrap();
    let refused = OutboxEntry { attempts: 4, refusals: 2, ..get().unwrap() };
    keeper.postpone(refused, &Verdict::new(Outcome::Deferred, ""), Host::Unknown).unwrap();
    let sent = get().unwrap();
    let mut credentials = Credentials::new();
    credentials.set("access_token", crate::secret::Secret::new("late"));
    enqueue(&vault, &Revocation { credentials, ..entry(1, "angel", "") });
    let line = about(&sent, Event::Revoked, "revoked");
    assert!(!keeper.settle(&sent, &line, true).unwrap());
    let newer = get().unwrap();
    assert_eq!((newer.attempts, newer.refusals, newer.next_attempt.until), (0, 0, NOW));
    assert_eq!(keeper.audit(9).unwrap(), []);
    assert!(keeper.settle(&newer, &line, true).unwrap());
    assert!(!keeper.settle(&newer, &line, true).unwrap());
    assert_eq!(keeper.audit(9).unwrap().len(), 1);
    let confirmed = keeper.take_confirmations().unwrap().logouts;
    let accounts: Vec<_> = confirmed.into_iter().map(|one| one.account).collect();
    assert_eq!(accounts, [viewer], "what was promised is kept with newer credentials");
}

#[test]
fn a_late_answer_is_about_the_credentials_that_were_sent() {
    let directory = tempfile::tempdir().unwrap();
    let keeper = keeper(directory.path(), provider::find("angel", &Given::new()).unwrap());
    let vault = keeper.shared.vault().unwrap();
    enqueue(&vault, &entry(1, "angel", ""));
    let get = || vault.read(|tx| tx.outbox().get(1)).unwrap();
    let sent = get().unwrap().revocation;
    let mut credentials = Credentials::new();
    credentials.set("access_token", crate::secret::Secret::new("late"));
    enqueue(&vault, &Revocation { credentials, ..entry(1, "angel", "") });
    let revoked = || Verdict::new(Outcome::Revoked, "");
    keeper.note_late(1, sent, revoked());
    assert_eq!(keeper.audit(9).unwrap(), []);
    keeper.note_late(1, get().unwrap().revocation, revoked());
    assert_eq!((get(), keeper.audit(9).unwrap().len()), (None, 1));
}

#[test]
fn what_an_attempt_tells_of_the_host() {
    let silent = |verdict: &Verdict| host_of(verdict) == Host::Silent;
    for fault in
        [Fault::Dns, Fault::Connect, Fault::Tls, Fault::Timeout, Fault::Reset, Fault::Malformed]
    {
        let fault = Some(fault);
        assert!(silent(&Verdict { fault, ..Verdict::new(Outcome::Deferred, "") }), "{fault:?}");
    }
    let answered = |outcome| Verdict { status: Some(200), ..Verdict::new(outcome, "") };
    assert!(silent(&answered(Outcome::Deferred)));
    for outcome in [Outcome::Revoked, Outcome::Unconfirmed, Outcome::Rejected] {
        assert!(host_of(&answered(outcome)) == Host::Answering);
        let retry_after = Some(Duration::from_secs(1));
        assert!(silent(&Verdict { retry_after, ..answered(outcome) }), "it asks to wait");
        assert!(host_of(&Verdict::new(outcome, "not sent")) == Host::Unknown);
    }
    assert!(host_of(&Verdict::new(Outcome::Deferred, "cancelled")) == Host::Unknown);
}

#[test]
fn entries_of_a_host_that_rests_are_not_due_and_others_are() {
    let directory = tempfile::tempdir().unwrap();
    let keeper = keeper(directory.path(), provider::find("angel", &Given::new()).unwrap());
    let vault = keeper.shared.vault().unwrap();
    enqueue(&vault, &entry(1, "gone", "no provider"));
    enqueue(&vault, &entry(2, "other", "no provider"));
    let length = |failures| Duration::from_secs(30 * u64::from(failures));
    for failures in 1..=2 {
        let rest_after = |count| {
            assert_eq!(count, failures);
            Rest::of(NOW, length(count))
        };
        vault.transact(|tx| tx.hosts().hold("gone.example", rest_after)).unwrap();
    }
    assert_eq!(keeper.schedule().unwrap().drain_at, Some(NOW), "the other one");
    let drained = keeper.drain(true, &Cancel::new()).unwrap();
    assert_eq!((drained.rejected, drained.entries.len()), (1, 2));
    let at = keeper.schedule().unwrap().drain_at.unwrap();
    assert!((NOW + 58..=NOW + 61).contains(&at), "in {} s", at - NOW);
    vault.transact(|tx| tx.hosts().release("gone.example")).unwrap();
    assert_eq!(keeper.schedule().unwrap().drain_at, Some(NOW));
    vault
        .transact(|tx| tx.hosts().hold("gone.example", |count| Rest::of(NOW, length(count))))
        .unwrap();
    let at = keeper.schedule().unwrap().drain_at.unwrap();
    assert!((NOW + 28..=NOW + 31).contains(&at), "counted anew: in {} s", at - NOW);
}

#[test]
fn credentials_of_another_host_are_not_replaced_by_none() {
    let text = include_str!("../../tests/it/service.toml").replace("PORT", "9");
    let directory = tempfile::tempdir().unwrap();
    let provider = Provider::parse(&text, None).unwrap();
    let source = provider.source.clone();
    let keeper = keeper(directory.path(), provider);
    let mut jar = Jar::new();
    let hosts = Hosts::new(&["old.example".into()], &[]).unwrap();
    let cookie = "remember=b; Path=/; Max-Age=9999".to_owned();
    jar.store(&"https://old.example/".parse().unwrap(), &[cookie], Some(NOW), &hosts);
    let held = Revocation {
        credentials: Credentials::new().with_jar(jar),
        ..entry(1, &keeper.provider().key, &source)
    };
    enqueue(&keeper.shared.vault().unwrap(), &held);
    let drained = keeper.drain(true, &Cancel::new()).unwrap();
    assert_eq!((drained.unconfirmed, drained.entries.len()), (1, 1), "nothing was sent");
    assert_eq!(drained.entries[0].next_attempt_at, None, "nor ever will be");
}

#[test]
fn what_no_answer_can_change_waits_for_its_end_and_is_not_sent() {
    let directory = tempfile::tempdir().unwrap();
    let clock = Arc::new(HeldClock::at(NOW));
    let shared: Arc<dyn Clock> = clock.clone();
    let keeper =
        keeper_at(directory.path(), provider::find("angel", &Given::new()).unwrap(), shared);
    let vault = keeper.shared.vault().unwrap();
    let waiting = Revocation { expires_at: Some(NOW + 90 * 86_400), ..entry(1, "angel", "") };
    enqueue(&vault, &waiting);
    let get = || vault.read(|tx| tx.outbox().get(1)).unwrap().unwrap();
    let verdict =
        Verdict { is_settled: true, ..Verdict::new(Outcome::Unconfirmed, "nothing is left") };
    keeper.postpone(get(), &verdict, Host::Unknown).unwrap();
    for days in [0, 1, 39, 49] {
        clock.wait(Duration::from_secs(days * 86_400), &Cancel::new());
        for due_only in [true, false] {
            let drained = keeper.drain(due_only, &Cancel::new()).unwrap();
            assert_eq!((drained.unconfirmed, drained.entries[0].next_attempt_at), (0, None));
            assert_eq!((get().attempts, get().last_outcome), (0, Some(Outcome::Unconfirmed)));
        }
        let next = keeper.schedule().unwrap().drain_at;
        assert_eq!(next, Some(clock.now() + 86_400), "not looked at all the time");
    }
    clock.wait(Duration::from_secs(2 * 86_400), &Cancel::new());
    assert_eq!(keeper.drain(true, &Cancel::new()).unwrap().expired, 1);
}

#[test]
fn with_newer_credentials_another_answer_can_come() {
    let directory = tempfile::tempdir().unwrap();
    let keeper = keeper(directory.path(), provider::find("angel", &Given::new()).unwrap());
    let vault = keeper.shared.vault().unwrap();
    enqueue(&vault, &entry(1, "angel", ""));
    let get = || vault.read(|tx| tx.outbox().get(1)).unwrap().unwrap();
    let settled = Verdict { is_settled: true, ..Verdict::new(Outcome::Alive, "") };
    keeper.postpone(get(), &settled, Host::Unknown).unwrap();
    enqueue(&vault, &entry(1, "angel", ""));
    assert!(get().is_settled, "nothing is new");
    let mut credentials = Credentials::new();
    credentials.set("access_token", crate::secret::Secret::new("late"));
    enqueue(&vault, &Revocation { credentials, ..entry(1, "angel", "") });
    assert!(!get().is_settled);
}

#[test]
fn another_drain_under_way_is_waited_for_where_all_is_to_be_sent_and_left_alone_where_not() {
    let directory = tempfile::tempdir().unwrap();
    let angel = provider::find("angel", &Given::new()).unwrap();
    let keeper =
        Keeper { lock_timeout: Duration::from_millis(300), ..keeper(directory.path(), angel) };
    let path = keeper.shared.directory.join("outbox.lock");
    std::fs::create_dir_all(&keeper.shared.directory).unwrap();
    let other = crate::lock::FileMutex::new(path);
    let held = other.lock(Duration::from_secs(1), &Cancel::new()).unwrap();
    assert!(keeper.drain(false, &Cancel::new()).is_ok(), "nothing is to be sent");
    enqueue(&keeper.shared.vault().unwrap(), &entry(1, "gone", "no provider"));
    let left = keeper.drain(true, &Cancel::new()).unwrap();
    assert_eq!((left.rejected, left.entries.len()), (0, 1));
    assert_eq!(keeper.drain(false, &Cancel::new()).unwrap_err().kind(), Kind::Storage);
    let cancelled = Cancel::new();
    cancelled.cancel();
    for due_only in [true, false] {
        let error = keeper.drain(due_only, &cancelled).unwrap_err();
        assert_eq!(error.kind(), Kind::Cancelled);
    }
    drop(held);
    assert_eq!(keeper.drain(true, &Cancel::new()).unwrap().rejected, 1);
}
