//! Entries that cannot be sent, answers about older credentials, and what waits.

use super::*;
use crate::clock::{Clock, HeldClock};
use crate::cookies::Jar;
use crate::http::{Proxy, Settings};
use crate::keeper::Config;
use crate::provider::Hosts;
use crate::session::{Credentials, Evidence, Revocation};
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
        directory: directory.join("data"),
        key_directory: Some(directory.join("keys")),
        network: Settings { proxy: Proxy::None, ..Settings::default() },
        logout_deadline: Duration::from_secs(3),
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
        account: "a".into(),
        created_at: 0,
        first_attempt_at: i64::try_from(number).unwrap(),
        expires_at: None,
        credentials: Credentials::new(),
        evidence: Evidence::default(),
        everywhere: false,
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
    enqueue(&vault, &entry(1, "angel", ""));
    let get = || vault.read(|tx| tx.outbox().get(1)).unwrap();
    let refused = OutboxEntry { attempts: 4, refusals: 2, ..get().unwrap() };
    keeper.postpone(refused, &Verdict::new(Outcome::Deferred, "")).unwrap();
    let sent = get().unwrap();
    let mut credentials = Credentials::new();
    credentials.set("access_token", crate::secret::Secret::new("late"));
    enqueue(&vault, &Revocation { credentials, ..entry(1, "angel", "") });
    let line = about(&sent, Event::Revoked, "revoked");
    assert!(!keeper.settle(&sent, &line).unwrap());
    let newer = get().unwrap();
    assert_eq!((newer.attempts, newer.refusals, newer.next_attempt_at), (0, 0, NOW));
    assert_eq!(keeper.audit(9).unwrap(), []);
    assert!(keeper.settle(&newer, &line).unwrap());
    assert!(!keeper.settle(&newer, &line).unwrap());
    assert_eq!(keeper.audit(9).unwrap().len(), 1);
}

#[test]
fn what_is_held_back_is_not_due() {
    let directory = tempfile::tempdir().unwrap();
    let keeper = keeper(directory.path(), provider::find("angel", &Given::new()).unwrap());
    enqueue(&keeper.shared.vault().unwrap(), &entry(1, "gone", "x"));
    keeper.shared.delivery.hold_back("gone", Duration::from_secs(30));
    assert_eq!(keeper.drain(true, &Cancel::new()).unwrap().entries.len(), 1);
    let at = keeper.schedule().unwrap().drain_at.unwrap();
    assert!((NOW + 28..=NOW + 31).contains(&at), "in {} s", at - NOW);
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
        ..entry(1, "service", &source)
    };
    enqueue(&keeper.shared.vault().unwrap(), &held);
    let drained = keeper.drain(true, &Cancel::new()).unwrap();
    assert_eq!((drained.unconfirmed, drained.entries.len()), (1, 1), "nothing was sent");
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
    keeper.postpone(get(), &verdict).unwrap();
    for day in [0, 1, 40, 89] {
        clock.set(NOW + day * 86_400);
        for due_only in [true, false] {
            let drained = keeper.drain(due_only, &Cancel::new()).unwrap();
            assert_eq!((drained.unconfirmed, drained.entries[0].next_attempt_at), (0, None));
            assert_eq!((get().attempts, get().last_outcome), (0, Some(Outcome::Unconfirmed)));
        }
        assert!(keeper.schedule().unwrap().drain_at > Some(clock.now()), "not asked all the time");
    }
    clock.set(NOW + 91 * 86_400);
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
    keeper.postpone(get(), &settled).unwrap();
    enqueue(&vault, &entry(1, "angel", ""));
    assert!(get().is_settled, "nothing is new");
    let mut credentials = Credentials::new();
    credentials.set("access_token", crate::secret::Secret::new("late"));
    enqueue(&vault, &Revocation { credentials, ..entry(1, "angel", "") });
    assert!(!get().is_settled);
}
