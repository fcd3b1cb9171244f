//! What is stored, fenced, ended, settled and written into the trail.

use super::*;
use std::collections::BTreeMap;

#[test]
fn a_session_survives_a_restart() {
    let home = Home::new();
    let stored = log_in(&home.open(), "a", "angel");
    assert!(stored.generation > 0);
    let vault = home.open();
    assert_eq!(vault.session("angel").unwrap(), Some(stored.clone()));
    assert_eq!(vault.sessions().unwrap(), [stored]);
    assert_eq!(vault.session("other").unwrap(), None);
    assert_eq!(vault.take_damage(), []);
}

#[test]
fn a_login_retires_the_older_session_of_the_same_provider_only() {
    let home = Home::new();
    let vault = home.open();
    let other = log_in(&vault, "o", "other");
    log_in(&vault, "a", "angel");
    let mut asked = Vec::new();
    let stored = vault
        .log_in(
            session("b", "angel"),
            &mut |old| {
                asked.push(old.id.clone());
                retire(old)
            },
            &record(Event::Login),
        )
        .unwrap();
    assert_eq!(asked, ["a"]);
    assert_eq!(vault.session("angel").unwrap(), Some(stored));
    assert_eq!(vault.session("other").unwrap(), Some(other));
    assert_eq!(vault.sessions().unwrap().len(), 2);
    let entries = vault.entries().unwrap();
    assert_eq!(entries.len(), 1);
    assert_eq!(entries[0].revocation, revoked(&session("a", "angel")));
    assert_eq!(vault.pending(Some("angel")).unwrap(), 1);
    assert_eq!(vault.pending(Some("other")).unwrap(), 0);
    assert_eq!(vault.pending(None).unwrap(), 1);
}

#[test]
fn a_renewal_is_fenced() {
    let home = Home::new();
    let vault = home.open();
    let first = log_in(&vault, "a", "angel");
    let renewed = Session { renewed_at: NOW + 60, ..first.clone() };
    let second = vault.renew(renewed, Some(&record(Event::Renewed))).unwrap().unwrap();
    assert!(second.generation > first.generation);
    assert_eq!(vault.session("angel").unwrap(), Some(second.clone()));
    // Made from the older one: refused, and no line.
    assert_eq!(vault.renew(first, Some(&record(Event::Renewed))).unwrap(), None);
    assert_eq!(end(&vault, "angel"), Ended::Ended { entry: Some(1) });
    assert_eq!(vault.renew(second.clone(), Some(&record(Event::Renewed))).unwrap(), None);
    let third = log_in(&vault, "b", "angel");
    assert!(third.generation > second.generation);
    assert_eq!(vault.renew(second, Some(&record(Event::Renewed))).unwrap(), None);
    assert_eq!(events(&vault), ["login", "renewed", "logout", "login"]);
}

#[test]
fn a_logout_takes_the_latest_and_happens_once() {
    let home = Home::new();
    let vault = home.open();
    let first = log_in(&vault, "a", "angel");
    let renewed = Session { credentials: credentials("fresh"), ..first };
    vault.renew(renewed, Some(&record(Event::Renewed))).unwrap();
    assert_eq!(
        vault
            .end("angel", SessionSelector::Session("z"), &mut retire, &record(Event::Logout))
            .unwrap(),
        Ended::Gone
    );
    let Ended::Ended { entry: Some(id) } = end(&vault, "angel") else { panic!() };
    assert_eq!(end(&vault, "angel"), Ended::Gone);
    assert_eq!(vault.session("angel").unwrap(), None);
    let entry = vault.entry(id).unwrap().unwrap();
    assert_eq!(entry.revocation.credentials, credentials("fresh"));
    assert_eq!((entry.attempts, entry.next_attempt_at), (0, NOW));
    assert_eq!(events(&vault), ["login", "renewed", "logout"]);
    // Tokens that come late go into the same entry.
    let late = Revocation { credentials: credentials("late"), ..entry.revocation };
    assert_eq!(vault.enqueue(&late).unwrap(), id);
    assert_eq!(vault.entries().unwrap().len(), 1);
    assert_eq!(vault.entry(id).unwrap().unwrap().revocation, late);
    let vault = home.open();
    assert_eq!(vault.session("angel").unwrap(), None);
    assert_eq!(vault.entries().unwrap().len(), 1);
}

#[test]
fn nothing_to_revoke_leaves_no_entry() {
    let home = Home::new();
    let vault = home.open();
    log_in(&vault, "a", "angel");
    let ended = vault
        .end(
            "angel",
            SessionSelector::Session("a"),
            &mut |_| Successors::default(),
            &record(Event::Logout),
        )
        .unwrap();
    assert_eq!(ended, Ended::Ended { entry: None });
    assert_eq!(vault.pending(None).unwrap(), 0);
}

#[test]
fn an_entry_is_settled_once_and_its_number_is_not_used_again() {
    let home = Home::new();
    let vault = home.open();
    let later = Revocation { first_attempt_at: NOW + 9, ..revoked(&session("a", "angel")) };
    let id = vault.enqueue(&later).unwrap();
    assert_eq!(vault.next_due(&BTreeMap::new()).unwrap(), Some(NOW + 9));
    let entry = vault.entry(id).unwrap().unwrap();
    assert!(vault.settle(&entry, &record(Event::Revoked)).unwrap());
    assert!(!vault.settle(&entry, &record(Event::Revoked)).unwrap());
    assert_eq!(events(&vault), ["revoked"]);
    assert!(vault.enqueue(&revoked(&session("b", "angel"))).unwrap() > id);
    vault.postpone(id, 1, 0, NOW, "deferred").unwrap();
}

#[test]
fn entries_are_due_by_time_and_absurd_times_are_due_now() {
    let home = Home::new();
    let vault = home.open();
    assert_eq!(vault.next_due(&BTreeMap::new()).unwrap(), None);
    let ids: Vec<_> = ["a", "b", "c", "d"]
        .map(|id| vault.enqueue(&revoked(&session(id, "angel"))).unwrap())
        .into();
    vault.postpone(ids[0], 1, 0, NOW + 10, "deferred").unwrap();
    vault.postpone(ids[1], 2, 0, NOW - 5, "deferred").unwrap();
    vault.postpone(ids[2], 3, 0, NOW + 10 * 86_400, "unconfirmed").unwrap();
    vault.postpone(ids[3], 4, 0, NOW + 20, "rejected").unwrap();
    let due = |now, limit| -> Vec<i64> {
        vault.due(now, limit, &[]).unwrap().into_iter().map(|entry| entry.id).collect()
    };
    assert_eq!(due(NOW, 9), [ids[1], ids[2]]);
    assert_eq!(due(NOW, 1), [ids[1]]);
    assert_eq!(due(NOW + 20, 9), [ids[1], ids[0], ids[3], ids[2]]);
    assert_eq!(vault.next_due(&BTreeMap::new()).unwrap(), Some(NOW - 5));
    let entry = vault.entry(ids[3]).unwrap().unwrap();
    assert_eq!((entry.attempts, entry.last_outcome.as_str()), (4, "rejected"));
    let overdue = vault.entry(ids[1]).unwrap().unwrap();
    vault.settle(&overdue, &record(Event::Revoked)).unwrap();
    assert_eq!(vault.next_due(&BTreeMap::new()).unwrap(), Some(NOW));
}

#[test]
fn a_thousand_entries_are_kept_and_drained() {
    let home = Home::new();
    let vault = home.open();
    for n in 0..1_000 {
        vault.enqueue(&revoked(&session(&n.to_string(), "angel"))).unwrap();
    }
    let entries = home.open().entries().unwrap();
    assert_eq!(entries.len(), 1_000);
    assert_eq!(vault.due(NOW, 10, &[]).unwrap().len(), 10);
    for entry in entries {
        assert!(vault.settle(&entry, &record(Event::Revoked)).unwrap());
    }
    assert_eq!(vault.pending(None).unwrap(), 0);
    assert!(vault.verify_trail().unwrap());
}

#[test]
fn the_trail_is_escaped_and_chained() {
    let home = Home::new();
    let vault = home.open();
    let detail = "a\r\nb\u{0}\u{202e}".to_owned() + &"x".repeat(5_000);
    vault.append(&NewAuditEvent { detail, ..record(Event::Logout) }).unwrap();
    vault.append(&record(Event::Login)).unwrap();
    let lines = vault.trail(10).unwrap();
    assert_eq!(lines.iter().map(|line| line.seq).collect::<Vec<_>>(), [1, 2]);
    assert!(lines[0].detail.starts_with("a\\u{d}\\u{a}b\\u{0}\\u{202e}xxx"));
    assert!(lines[0].detail.len() < 600);
    assert_eq!(vault.trail(1).unwrap()[0].event, "login");
    assert!(vault.verify_trail().unwrap());
    let file = rusqlite::Connection::open(home.file()).unwrap();
    assert!(file.execute("UPDATE audit SET event = 'x'", []).is_err());
    assert!(file.execute("DELETE FROM audit", []).is_err());
    let trigger = "SELECT sql FROM sqlite_schema WHERE name = 'audit_is_not_changed'";
    let trigger: String = file.query_row(trigger, [], |row| row.get(0)).unwrap();
    file.execute_batch(&format!(
        "DROP TRIGGER audit_is_not_changed; UPDATE audit SET at = 1 WHERE row = 1; {trigger}"
    ))
    .unwrap();
    assert!(!vault.verify_trail().unwrap());
}

#[test]
fn the_trail_keeps_its_newest_lines() {
    let home = Home::new();
    let vault = home.open();
    vault
        .write(|transaction, _| {
            for _ in 0..10_100 {
                audit::append(transaction, vault.clock(), &record(Event::Restored))?;
            }
            Ok(())
        })
        .unwrap();
    let lines = vault.trail(usize::MAX).unwrap();
    assert_eq!(lines.len(), 10_000);
    assert_eq!((lines[0].seq, lines[9_999].seq), (101, 10_100));
    assert!(vault.verify_trail().unwrap());
}

#[test]
fn nothing_secret_is_in_the_files() {
    let home = Home::new();
    let vault = home.open();
    log_in(&vault, "a", "angel");
    log_in(&vault, "b", "angel");
    let looked = vault.write(|transaction, keys| {
        sessions::end(
            transaction,
            keys,
            vault.clock(),
            ("angel", SessionSelector::Active),
            &mut retire,
            None,
        )?;
        transaction.execute_batch("PRAGMA cache_spill = 1")?;
        for path in vault.directories.named("") {
            assert_hidden(&path);
        }
        assert!(vault.directories.journal().exists());
        Ok(())
    });
    looked.unwrap();
    drop(vault);
    assert_hidden(&home.file());
    assert!(!find(&fs::read(home.file()).unwrap(), "viewer@example.com"));
    assert!(!find(&fs::read(home.file()).unwrap(), "id = \\\"angel\\\""));
}

fn assert_hidden(path: &Path) {
    assert!(!find(&fs::read(path).unwrap(), "canary-cookie"), "{}", path.display());
}

fn find(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

#[cfg(unix)]
#[test]
fn the_files_are_for_their_owner_only() {
    use std::os::unix::fs::PermissionsExt;
    let home = Home::new();
    log_in(&home.open(), "a", "angel");
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&home.data()), 0o700);
    assert_eq!(mode(&home.keys()), 0o700);
    assert_eq!(mode(&home.file()), 0o600);
    assert_eq!(mode(&home.key_file()), 0o600);
    let names: Vec<_> = fs::read_dir(home.data())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(names.len(), 2, "{names:?}");
}

#[test]
fn the_facts_are_told() {
    let home = Home::new();
    let facts = home.open().facts().unwrap();
    assert_eq!((facts.schema, facts.journal_mode.as_str()), (2, "delete"));
    assert!(facts.integrity && facts.trail_holds && facts.file_locks && !facts.key_beside_vault);
    assert_eq!(facts.key_place, home.key_file().canonicalize().unwrap());
}
