//! What is stored, fenced, ended, and written to the trail.

use super::*;

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
    let stored = log_in(&vault, "b", "angel");
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
    let second = vault.replace(&renewed).unwrap().unwrap();
    assert!(second.generation > first.generation);
    assert_eq!(vault.session("angel").unwrap(), Some(second.clone()));
    // Made from the older session: refused.
    assert_eq!(vault.replace(&first).unwrap(), None);
    assert_eq!(end(&vault, "angel"), Some(1));
    assert_eq!(vault.replace(&second).unwrap(), None);
    let third = log_in(&vault, "b", "angel");
    assert!(third.generation > second.generation);
    assert_eq!(vault.replace(&second).unwrap(), None);
    assert_eq!(vault.session("angel").unwrap(), Some(third));
}

#[test]
fn a_logout_takes_the_latest_and_happens_once() {
    let home = Home::new();
    let vault = home.open();
    let first = log_in(&vault, "a", "angel");
    let renewed = Session { credentials: credentials("fresh"), ..first };
    vault.replace(&renewed).unwrap();
    assert_eq!(try_end(&vault, "angel", SessionSelector::Session("z"), &[]).unwrap(), None);
    let ended = try_end(&vault, "angel", SessionSelector::Active, &[]).unwrap().unwrap();
    assert_eq!(end(&vault, "angel"), None);
    assert_eq!(vault.session("angel").unwrap(), None);
    let entry = vault.entry(ended.id).unwrap().unwrap();
    assert_eq!(entry, ended);
    assert_eq!(entry.revocation.credentials, credentials("fresh"));
    assert_eq!((entry.attempts, entry.next_attempt.until), (0, NOW));
    assert_eq!(events(&vault), ["login", "logout"]);
    let vault = home.open();
    assert_eq!(vault.session("angel").unwrap(), None);
    assert_eq!(vault.entries().unwrap().len(), 1);
}

#[test]
fn the_trail_is_escaped_and_only_added_to() {
    let home = Home::new();
    let vault = home.open();
    let detail = "a\r\nb\u{0}\u{202e}".to_owned() + &"x".repeat(5_000);
    vault.append(&NewAuditEvent { detail, ..record(Event::Logout) }).unwrap();
    vault.append(&record(Event::Login)).unwrap();
    let lines = vault.trail(10).unwrap();
    assert_eq!(lines.iter().map(|line| line.seq).collect::<Vec<_>>(), [1, 2]);
    assert!(lines[0].detail.starts_with("a\\r\\nb\\u{0}\\u{202e}xxx"));
    assert!(lines[0].detail.len() < 600);
    assert_eq!(vault.trail(1).unwrap()[0].event, "login");
    let file = rusqlite::Connection::open(home.file()).unwrap();
    assert!(file.execute("UPDATE audit SET event = 'x'", []).is_err());
    assert!(file.execute("DELETE FROM audit", []).is_err());
}

#[test]
fn the_trail_keeps_its_newest_lines() {
    let home = Home::new();
    let vault = home.open();
    let event = record(Event::Restored);
    vault.transact(|tx| (0..10_100).try_for_each(|_| tx.audit().append(&event))).unwrap();
    let lines = vault.trail(usize::MAX).unwrap();
    assert_eq!(lines.len(), 10_000);
    assert_eq!((lines[0].seq, lines[9_999].seq), (101, 10_100));
}

#[test]
fn nothing_secret_is_in_the_files() {
    let home = Home::new();
    let vault = home.open();
    log_in(&vault, "a", "angel");
    log_in(&vault, "b", "angel");
    raw(&vault, |connection, tx| {
        end_in(tx, "angel", SessionSelector::Active, &[])?;
        connection.execute_batch("PRAGMA cache_spill = 1")?;
        for path in vault.directories.named("") {
            assert_hidden(&path);
        }
        assert!(vault.directories.journal().exists());
        Ok(())
    });
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
fn a_sound_vault_is_diagnosed_so() {
    let home = Home::new();
    let found = home.open().diagnose().unwrap();
    assert_eq!((found.schema, found.journal_mode.as_str()), (1, "delete"));
    assert!(found.is_sound && found.file_locks && !found.key_beside_vault);
    assert_eq!(found.key_place, home.key_file().canonicalize().unwrap());
}
