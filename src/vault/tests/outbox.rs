//! The outbox: what is due, what is kept, and how many entries there may be.

use super::*;
use std::time::{Duration, Instant};

fn revocation(id: &str, provider: &str) -> Revocation {
    // Short, because debug builds are slow to seal.
    Revocation { definition: String::new(), ..revoked(&session(id, provider)) }
}

#[test]
fn an_entry_is_removed_once_and_its_number_is_not_used_again() {
    let home = Home::new();
    let vault = home.open();
    let later = Revocation { first_attempt_at: NOW + 9, ..revocation("a", "angel") };
    let entry = vault.enqueue(&later).unwrap();
    assert_eq!(vault.entry(entry.id).unwrap(), Some(entry.clone()));
    assert_eq!(entry.next_attempt, Rest { until: NOW + 9, length: 9 });
    assert!(vault.remove(&entry));
    assert!(!vault.remove(&entry));
    assert!(vault.enqueue(&revocation("b", "angel")).unwrap().id > entry.id);
    // A late schedule for an entry that is gone changes nothing.
    vault.transact(|tx| tx.outbox().postpone(&entry)).unwrap();
    assert_eq!(vault.entries().unwrap().len(), 1);
}

#[test]
fn newer_credentials_keep_the_schedule_and_an_older_schedule_keeps_them() {
    let home = Home::new();
    let vault = home.open();
    let first = vault.enqueue(&revocation("a", "angel")).unwrap();
    vault.postpone(first.id, 4, NOW + 900, "rejected");
    let sent = vault.entry(first.id).unwrap().unwrap();
    let late = Revocation { credentials: credentials("late"), ..revocation("a", "angel") };
    let entry = home.open().enqueue(&late).unwrap();
    assert_eq!(entry, OutboxEntry { revocation: late.clone(), ..sent.clone() });
    assert_eq!(vault.entry(first.id).unwrap(), Some(entry));
    // The attempt with the older credentials ends afterwards.
    let postponed = OutboxEntry { attempts: 5, ..sent };
    vault.transact(|tx| tx.outbox().postpone(&postponed)).unwrap();
    let entry = vault.entry(first.id).unwrap().unwrap();
    assert_eq!((entry.attempts, entry.revocation), (5, late));
}

#[test]
fn entries_wait_in_the_order_of_their_times() {
    let home = Home::new();
    let vault = home.open();
    assert_eq!(vault.waiting().unwrap(), [0; 0]);
    let ids: Vec<_> =
        ["a", "b", "c", "d"].map(|id| vault.enqueue(&revocation(id, "angel")).unwrap().id).into();
    vault.postpone(ids[0], 1, NOW + 10, "deferred");
    vault.postpone(ids[1], 2, NOW - 5, "deferred");
    vault.postpone(ids[2], 3, NOW + 86_400, "unconfirmed");
    vault.postpone(ids[3], 4, NOW + 10, "rejected");
    assert_eq!(vault.waiting().unwrap(), [ids[1], ids[0], ids[3], ids[2]]);
    let entry = vault.entry(ids[3]).unwrap().unwrap();
    assert_eq!((entry.attempts, entry.last_outcome), (4, Some(Outcome::Rejected)));
    assert_eq!(entry.next_attempt, Rest { until: NOW + 10, length: 10 });
}

#[test]
fn a_host_rests_until_it_answers_and_its_failures_are_counted() {
    let home = Home::new();
    let vault = home.open();
    for provider in ["one", "other"] {
        vault.enqueue(&revocation(provider, provider)).unwrap();
    }
    let rest = |count: u32| Rest { until: NOW + i64::from(count), length: i64::from(count) };
    let hold = |host: &str| vault.transact(|tx| tx.hosts().hold(host, rest)).unwrap();
    let resting = |vault: &Vault| vault.read(|tx| tx.hosts().resting()).unwrap();
    assert_eq!([hold("one.example"), hold("one.example")], [rest(1), rest(2)]);
    assert_eq!(hold("other.example"), rest(1));
    let both = [("one.example".to_owned(), rest(2)), ("other.example".to_owned(), rest(1))];
    assert_eq!(resting(&home.open()), both.clone().into());
    vault.transact(|tx| tx.hosts().release("one.example")).unwrap();
    assert_eq!(resting(&vault), both[1..].iter().cloned().collect());
    assert_eq!(hold("one.example"), rest(1), "counted anew");
    // Nobody waits for the other one any more.
    let gone = vault.entries().unwrap().remove(1);
    assert!(vault.remove(&gone));
    assert_eq!(hold("one.example"), rest(2));
    assert_eq!(resting(&vault), both[..1].iter().cloned().collect());
}

#[test]
fn an_entry_keeps_its_host() {
    let home = Home::new();
    let vault = home.open();
    let first = vault.enqueue(&revocation("a", "angel")).unwrap();
    let moved = Revocation { host: "elsewhere".to_owned(), ..revocation("a", "angel") };
    vault.enqueue(&moved).unwrap();
    // A schedule that was made before.
    vault.transact(|tx| tx.outbox().postpone(&first)).unwrap();
    assert_eq!(vault.entry(first.id).unwrap().unwrap().revocation.host, "angel.example");
    assert_eq!(vault.take_damage(), []);
}

/// A full outbox: each entry is kept and found, and no call gets slow.
#[test]
fn a_thousand_entries_wait_and_one_more_takes_the_place_of_the_least_hopeful() {
    let home = Home::new();
    let vault = home.open();
    let many = |tx: &Transaction<'_>| {
        (0..1_000)
            .try_for_each(|n| tx.outbox().enqueue(&revocation(&format!("{n}"), "angel")).map(drop))
    };
    vault.transact(many).unwrap();
    vault.postpone(4, 3, NOW, "unconfirmed");
    vault.postpone(7, 3, NOW, "rejected");
    vault.postpone(9, 3, NOW, "rejected");
    vault.postpone(1, 3, NOW, "deferred");
    let quick = |what: &str, work: &dyn Fn()| {
        let start = Instant::now();
        work();
        let took = start.elapsed();
        assert!(took < Duration::from_millis(100), "{what}: {took:?}");
    };
    quick("counting", &|| assert_eq!(vault.pending(Some("angel")).unwrap(), 1_000));
    quick("the schedule", &|| assert_eq!(vault.waiting().unwrap().len(), 1_000));
    // An entry that is already there displaces nothing.
    vault.enqueue(&revocation("500", "angel")).unwrap();
    assert_eq!(vault.pending(None).unwrap(), 1_000);
    for (new, gone) in [("x", 7), ("y", 9), ("z", 4), ("w", 1), ("v", 2)] {
        let entry = vault.enqueue(&revocation(new, "angel")).unwrap();
        assert_eq!(entry.revocation.session_id, new);
        assert_eq!(vault.entry(gone).unwrap(), None, "for {new}");
        assert_eq!(home.open().pending(None).unwrap(), 1_000);
    }
    let lines = vault.trail(9).unwrap();
    let told: Vec<_> = lines.iter().map(|line| (&*line.event, &*line.outcome)).collect();
    let dropped = "revocation_dropped";
    let outcomes = ["rejected", "rejected", "unconfirmed", "deferred", ""];
    assert_eq!(told, outcomes.map(|outcome| (dropped, outcome)));
    assert_eq!(vault.take_damage(), []);
}

/// A displaced entry is back if the new one is not stored after all.
#[test]
fn a_full_outbox_loses_nothing_by_a_transaction_that_fails() {
    let home = Home::new();
    let vault = home.open();
    let fail = |tx: &Transaction<'_>| -> VaultResult<()> {
        for n in 0..1_001 {
            tx.outbox().enqueue(&revocation(&n.to_string(), "angel"))?;
        }
        assert_eq!(tx.outbox().count(None)?, 1_000);
        Err(crate::error::Error::new(Kind::Internal, "on purpose").into())
    };
    vault.enqueue(&revocation("0", "angel")).unwrap();
    assert_eq!(vault.transact(fail).unwrap_err().message(), "on purpose");
    assert_eq!(vault.entry(1).unwrap().unwrap().revocation.session_id, "0");
    assert_eq!(events(&vault), [""; 0]);
}

/// The index lacks a row, because it was made as a partial one.
#[test]
fn a_damaged_index_hides_no_entry() {
    let home = Home::new();
    let vault = home.open();
    for id in ["a", "b", "c"] {
        vault.enqueue(&revocation(id, "angel")).unwrap();
    }
    let spoil = "DROP INDEX outbox_by_provider;
         CREATE INDEX outbox_by_provider ON outbox (provider) WHERE session <> 'b';
         PRAGMA writable_schema = ON;
         UPDATE sqlite_schema SET sql = 'CREATE INDEX outbox_by_provider ON outbox (provider)'
         WHERE name = 'outbox_by_provider';";
    sql(&home, spoil);
    // It is used for counting, never for finding.
    assert_eq!(vault.waiting().unwrap(), [1, 2, 3]);
    assert_eq!(vault.entry(2).unwrap().unwrap().revocation.session_id, "b");
    let vault = home.open();
    assert_eq!(only_damage(&vault).outcome, "damaged");
    assert_eq!(vault.waiting().unwrap(), [1, 2, 3]);
    assert_eq!(vault.pending(Some("angel")).unwrap(), 3);
}
