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
    assert_eq!(vault.next_due(&[]).unwrap(), Some(NOW + 9));
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
fn entries_are_due_by_time_and_absurd_times_are_due_now() {
    let home = Home::new();
    let vault = home.open();
    assert_eq!(vault.next_due(&[]).unwrap(), None);
    let ids: Vec<_> =
        ["a", "b", "c", "d"].map(|id| vault.enqueue(&revocation(id, "angel")).unwrap().id).into();
    vault.postpone(ids[0], 1, NOW + 10, "deferred");
    vault.postpone(ids[1], 2, NOW - 5, "deferred");
    vault.postpone(ids[2], 3, NOW + 10 * 86_400, "unconfirmed");
    vault.postpone(ids[3], 4, NOW + 20, "rejected");
    assert_eq!(vault.due(NOW, 9, &[]).unwrap(), [ids[1], ids[2]]);
    assert_eq!(vault.due(NOW, 1, &[]).unwrap(), [ids[1]]);
    assert_eq!(vault.due(NOW + 20, 9, &[]).unwrap(), [ids[1], ids[0], ids[3], ids[2]]);
    assert_eq!(vault.next_due(&[]).unwrap(), Some(NOW - 5));
    let entry = vault.entry(ids[3]).unwrap().unwrap();
    assert_eq!((entry.attempts, entry.last_outcome), (4, Some(Outcome::Rejected)));
    vault.remove(&vault.entry(ids[1]).unwrap().unwrap());
    assert_eq!(vault.next_due(&[]).unwrap(), Some(NOW));
}

#[test]
fn many_entries_of_a_held_provider_do_not_block_the_others() {
    let home = Home::new();
    let vault = home.open();
    for n in 0..300 {
        vault.enqueue(&revocation(&n.to_string(), "held")).unwrap();
    }
    let id = vault.enqueue(&revocation("a", "angel")).unwrap().id;
    let absurd = vault.enqueue(&revocation("b", "angel")).unwrap().id;
    vault.postpone(absurd, 1, NOW + 30 * 86_400, "deferred");
    assert_eq!(vault.due(NOW, 200, &["held"]).unwrap(), [id, absurd]);
    assert_eq!(vault.due(NOW, 200, &[]).unwrap().len(), 200);
    assert_eq!(vault.due(NOW, 999, &["angel"]).unwrap().len(), 300);
}

#[test]
fn a_held_provider_is_due_when_it_is_let_go() {
    let home = Home::new();
    let vault = home.open();
    let id = vault.enqueue(&revocation("a", "held")).unwrap().id;
    assert_eq!(vault.next_due(&[("held", NOW + 60)]).unwrap(), Some(NOW + 60));
    assert_eq!(vault.next_due(&[("held", NOW - 60)]).unwrap(), Some(NOW));
    // As long as this one is held, a later entry of another provider comes first.
    let other = vault.enqueue(&revocation("b", "angel")).unwrap().id;
    vault.postpone(other, 1, NOW + 30, "deferred");
    assert_eq!(vault.next_due(&[("held", NOW + 60)]).unwrap(), Some(NOW + 30));
    assert_eq!(vault.next_due(&[]).unwrap(), Some(NOW));
    // An absurd time counts as now.
    vault.postpone(id, 1, NOW + 30 * 86_400, "deferred");
    assert_eq!(vault.next_due(&[]).unwrap(), Some(NOW));
    assert_eq!(vault.next_due(&[("held", NOW + 20)]).unwrap(), Some(NOW + 20));
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
    quick("due of nobody", &|| assert_eq!(vault.due(NOW, 9, &["angel"]).unwrap(), [0; 0]));
    quick("next due", &|| assert_eq!(vault.next_due(&[]).unwrap(), Some(NOW)));
    assert_eq!(vault.due(NOW, 2_000, &[]).unwrap().len(), 1_000);
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
    assert_eq!(vault.due(NOW, 9, &[]).unwrap(), [1, 2, 3]);
    assert_eq!(vault.entry(2).unwrap().unwrap().revocation.session_id, "b");
    let vault = home.open();
    assert_eq!(only_damage(&vault).outcome, "damaged");
    assert_eq!(vault.due(NOW, 9, &[]).unwrap(), [1, 2, 3]);
    assert_eq!(vault.pending(Some("angel")).unwrap(), 3);
}
