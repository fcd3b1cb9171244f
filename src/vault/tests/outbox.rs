//! The outbox: what is due, what is settled, and how much of it there may be.

use super::*;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

fn revocation(id: &str, provider: &str) -> Revocation {
    revoked(&session(id, provider))
}

fn definitions(home: &Home) -> i64 {
    rusqlite::Connection::open(home.file())
        .unwrap()
        .query_row("SELECT count(*) FROM definitions", [], |row| row.get(0))
        .unwrap()
}

#[test]
fn an_answer_about_older_credentials_does_not_settle_newer_ones() {
    let home = Home::new();
    let vault = home.open();
    let id = vault.enqueue(&revocation("a", "angel")).unwrap();
    vault.postpone(id, 4, 2, NOW + 900, "rejected").unwrap();
    let sent = vault.entry(id).unwrap().unwrap();
    assert_eq!((sent.attempts, sent.refusals), (4, 2));
    let late = Revocation { credentials: credentials("late"), ..sent.revocation.clone() };
    home.open().enqueue(&late).unwrap();
    assert!(!vault.settle(&sent, &record(Event::Revoked)).unwrap());
    let entry = vault.entry(id).unwrap().unwrap();
    assert_eq!(entry.revocation, late);
    assert_eq!((entry.attempts, entry.refusals, entry.next_attempt_at), (0, 0, NOW));
    assert_eq!(events(&vault), [""; 0]);
    assert!(vault.settle(&entry, &record(Event::Revoked)).unwrap());
    assert_eq!(events(&vault), ["revoked"]);
}

#[test]
fn many_entries_of_a_held_provider_do_not_block_the_others() {
    let home = Home::new();
    let vault = home.open();
    for n in 0..300 {
        vault.enqueue(&revocation(&n.to_string(), "held")).unwrap();
    }
    let id = vault.enqueue(&revocation("a", "angel")).unwrap();
    let absurd = vault.enqueue(&revocation("b", "angel")).unwrap();
    vault.postpone(absurd, 1, 0, NOW + 30 * 86_400, "deferred").unwrap();
    let due: Vec<_> = vault.due(NOW, 200, &["held".to_owned()]).unwrap();
    assert_eq!(due.iter().map(|entry| entry.id).collect::<Vec<_>>(), [id, absurd]);
    assert_eq!(vault.due(NOW, 200, &[]).unwrap().len(), 200);
    assert_eq!(vault.due(NOW, 999, &["angel".to_owned()]).unwrap().len(), 300);
}

#[test]
fn a_held_provider_is_due_when_it_is_let_go() {
    let home = Home::new();
    let vault = home.open();
    let held = |until| BTreeMap::from([("held".to_owned(), until)]);
    let id = vault.enqueue(&revocation("a", "held")).unwrap();
    assert_eq!(vault.next_due(&held(NOW + 60)).unwrap(), Some(NOW + 60));
    assert_eq!(vault.next_due(&held(NOW - 60)).unwrap(), Some(NOW));
    // A later entry of another provider comes first as long as this one is held.
    let other = vault.enqueue(&revocation("b", "angel")).unwrap();
    vault.postpone(other, 1, 0, NOW + 30, "deferred").unwrap();
    assert_eq!(vault.next_due(&held(NOW + 60)).unwrap(), Some(NOW + 30));
    assert_eq!(vault.next_due(&BTreeMap::new()).unwrap(), Some(NOW));
    // An absurd time counts as now.
    vault.postpone(id, 1, 0, NOW + 30 * 86_400, "deferred").unwrap();
    assert_eq!(vault.next_due(&BTreeMap::new()).unwrap(), Some(NOW));
    assert_eq!(vault.next_due(&held(NOW + 20)).unwrap(), Some(NOW + 20));
}

#[test]
fn every_session_is_ended_at_once() {
    let home = Home::new();
    let vault = home.open();
    for (id, provider) in [("a", "angel"), ("o", "other"), ("t", "third")] {
        log_in(&vault, id, provider);
    }
    let mut keep_none =
        |session: &Session| Some(revoked(session)).filter(|_| session.id != "t").into();
    let mut record_for = |session: &Session| NewAuditEvent {
        provider: session.provider.clone(),
        ..record(Event::Logout)
    };
    assert_eq!(vault.end_every(&mut keep_none, &mut record_for).unwrap(), 3);
    assert_eq!(vault.end_every(&mut retire, &mut record_for).unwrap(), 0);
    for vault in [&vault, &home.open()] {
        assert_eq!(vault.sessions().unwrap(), []);
        let left: Vec<_> =
            vault.entries().unwrap().into_iter().map(|e| e.revocation.session_id).collect();
        assert_eq!(left, ["a", "o"]);
    }
    let lines = vault.trail(3).unwrap();
    let of: Vec<_> = lines.iter().map(|l| (l.event.as_str(), l.provider.as_str())).collect();
    assert_eq!(of, [("logout", "angel"), ("logout", "other"), ("logout", "third")]);
}

#[test]
fn a_definition_is_stored_once_and_goes_with_its_last_entry() {
    let home = Home::new();
    let vault = home.open();
    for id in ["a", "b"] {
        vault.enqueue(&revocation(id, "angel")).unwrap();
    }
    let newer = Revocation { definition: "newer".to_owned(), ..revocation("c", "angel") };
    vault.enqueue(&newer).unwrap();
    assert_eq!(definitions(&home), 2);
    let entries = vault.entries().unwrap();
    assert_eq!(entries[1].revocation, revocation("b", "angel"));
    assert_eq!(entries[2].revocation, newer);
    // Another definition for the same entry: nobody needs the old one any more.
    vault.enqueue(&Revocation { definition: "newest".to_owned(), ..newer }).unwrap();
    assert_eq!(definitions(&home), 2);
    for (entry, left) in entries[..2].iter().zip([2, 1]) {
        assert!(vault.settle(entry, &record(Event::Revoked)).unwrap());
        assert_eq!(definitions(&home), left);
    }
    vault.forget().unwrap();
    assert_eq!(definitions(&home), 0);
}

#[test]
fn a_lost_definition_costs_no_entry() {
    let home = Home::new();
    let vault = home.open();
    let id = vault.enqueue(&revocation("a", "angel")).unwrap();
    sql(&home, "UPDATE definitions SET sealed = randomblob(200)");
    let entry = vault.entry(id).unwrap().unwrap();
    assert_eq!(entry.revocation.credentials, revocation("a", "angel").credentials);
    assert_eq!(entry.revocation.definition, "");
    assert_eq!(only_damage(&vault).outcome, "damaged");
    // It comes back with the next entry that needs it.
    vault.enqueue(&revocation("b", "angel")).unwrap();
    assert_eq!(vault.entry(id).unwrap().unwrap().revocation, revocation("a", "angel"));
}

#[test]
fn an_index_that_hides_entries_is_damage() {
    for (index, columns) in
        [("outbox_by_time", "provider, next_attempt_at"), ("outbox_by_id", "id")]
    {
        let home = Home::new();
        let vault = home.open();
        for id in ["a", "b", "c"] {
            vault.enqueue(&revocation(id, "angel")).unwrap();
        }
        drop(vault);
        // The index now lacks a row: it was made while it was a partial one.
        let unique = if columns == "id" { "UNIQUE " } else { "" };
        sql(
            &home,
            &format!(
                "DROP INDEX {index};
                 CREATE {unique}INDEX {index} ON outbox ({columns}) WHERE id <> 'b';
                 PRAGMA writable_schema = ON;
                 UPDATE sqlite_schema SET sql = 'CREATE {unique}INDEX {index} ON outbox ({columns})'
                 WHERE name = '{index}';"
            ),
        );
        let vault = home.open();
        assert_eq!(only_damage(&vault).outcome, "damaged", "{index}");
        assert_eq!(vault.due(NOW, 9, &[]).unwrap().len(), 3);
        assert_eq!(vault.pending(Some("angel")).unwrap(), 3);
    }
}

/// Far more than there will be: no call takes long because of them. Most are filled in by SQL, with
/// columns as wide as real ones, because sealing so many takes minutes in a debug build.
#[test]
fn a_hundred_thousand_entries() {
    let home = Home::new();
    let vault = home.open();
    for n in 0..250 {
        vault.enqueue(&revocation(&n.to_string(), "angel")).unwrap();
    }
    sql(
        &home,
        "WITH RECURSIVE numbers (n) AS (SELECT 250 UNION ALL SELECT n + 1 FROM numbers LIMIT 99750)
         INSERT INTO outbox (id, provider, account, definition, attempts, refusals,
             next_attempt_at, last_outcome, sealed)
         SELECT n, provider, account, definition, 1, 0, next_attempt_at, 'deferred', zeroblob(1500)
         FROM numbers, (SELECT * FROM outbox LIMIT 1)",
    );
    let quick = |what: &str, work: &dyn Fn()| {
        let start = Instant::now();
        work();
        assert!(start.elapsed() < Duration::from_secs(1), "{what}: {:?}", start.elapsed());
    };
    quick("pending", &|| assert_eq!(vault.pending(Some("angel")).unwrap(), 100_000));
    quick("pending of all", &|| assert_eq!(vault.pending(None).unwrap(), 100_000));
    quick("due", &|| assert_eq!(vault.due(NOW, 200, &[]).unwrap().len(), 200));
    quick("due of nobody", &|| assert_eq!(vault.due(NOW, 9, &["angel".to_owned()]).unwrap(), []));
    quick("next due", &|| assert_eq!(vault.next_due(&BTreeMap::new()).unwrap(), Some(NOW)));
    quick("opening", &|| drop(home.open()));
    quick("a logout", &|| {
        log_in(&vault, "a", "angel");
        end(&vault, "angel");
    });
    let entry = vault.due(NOW, 1, &[]).unwrap().remove(0);
    quick("settling", &|| assert!(vault.settle(&entry, &record(Event::Revoked)).unwrap()));
    assert_eq!(vault.entries_as(|entry| entry.id).unwrap().len(), 250);
    assert_eq!(vault.take_damage(), []);
}

/// The statements that look at the whole outbox read an index, not the sealed columns.
#[test]
fn counting_reads_an_index() {
    let home = Home::new();
    drop(home.open());
    let file = rusqlite::Connection::open(home.file()).unwrap();
    for statement in [
        "SELECT count(provider) FROM outbox",
        "SELECT count(*) FROM outbox WHERE provider = 'angel'",
        "SELECT next_attempt_at, row FROM outbox WHERE provider = 'angel'
         AND next_attempt_at BETWEEN 1 AND 2 ORDER BY next_attempt_at, row LIMIT 9",
        "SELECT 1 FROM outbox WHERE definition = 'x'",
    ] {
        let plan: String = file
            .query_row(&format!("EXPLAIN QUERY PLAN {statement}"), [], |row| row.get(3))
            .unwrap();
        assert!(plan.contains("USING COVERING INDEX"), "{statement}: {plan}");
    }
}
