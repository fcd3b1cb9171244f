//! Rescuing a damaged vault: what is read, and what is quarantined.

use super::*;
use crate::vault::files::{Directories, journal_of};
use crate::vault::lock::DirectoryLock;
use crate::vault::rebuild;

/// The vault and its journal after a crash in the middle of a transaction: the session is gone from
/// the file, and only the journal brings it back.
fn crash_in_a_transaction() -> Home {
    let home = Home::new();
    let vault = home.open();
    log_in(&vault, "a", "angel");
    raw(&vault, |connection, _| {
        connection.execute_batch("DELETE FROM sessions")?;
        Ok(crash(&home, connection))
    })
}

#[test]
fn a_rescue_plays_the_journal_back() {
    let crashed = crash_in_a_transaction();
    // Damage was found while the vault was in use, so no opening has played the journal back.
    let directories = Directories::prepare(&crashed.data(), &crashed.keys()).unwrap();
    let guard = DirectoryLock::new(&directories.data)
        .exclusive(&BusyTimeout::of(Duration::ZERO).begin())
        .ok()
        .unwrap();
    let damage =
        rebuild::rebuild(&directories, &guard, &*crashed.clock, VaultError::Damaged).unwrap();
    drop(guard);
    assert_eq!(damage.outcome, "damaged");
    let kept = damage.kept_as.unwrap();
    assert!(journal_of(&kept).is_file());
    let vault = crashed.open();
    assert_eq!(vault.take_damage(), []);
    assert_eq!(vault.session("angel").unwrap().unwrap().id, "a");
    assert_eq!(directories.named("vault.new-"), [] as [PathBuf; 0]);
}

#[test]
fn without_its_journal_that_session_would_be_lost() {
    let crashed = crash_in_a_transaction();
    fs::remove_file(crashed.data().join("vault.db-journal")).unwrap();
    assert_eq!(crashed.open().session("angel").unwrap(), None);
}

#[test]
fn a_session_that_has_ended_does_not_come_back() {
    let home = Home::new();
    let vault = home.open();
    let old = log_in(&vault, "a", "angel");
    end(&vault, "angel");
    // As if an old page had come back, and another were there twice.
    vault.transact(|tx| tx.sessions().insert(old.clone())).unwrap();
    for _ in 0..2 {
        vault.transact(|tx| tx.sessions().insert(session("o", "other"))).unwrap();
    }
    drop(vault);
    make_foreign(&home);
    let vault = home.open();
    assert_eq!(only_damage(&vault).outcome, "damaged");
    let ids: Vec<_> = vault.sessions().unwrap().into_iter().map(|session| session.id).collect();
    assert_eq!(ids, ["o"]);
}

#[test]
fn rows_on_both_sides_of_a_bad_page_are_carried_over() {
    let home = Home::new();
    let vault = home.open();
    let line = |n: u32| NewAuditEvent { detail: format!("line {n:03}"), ..record(Event::Login) };
    vault.transact(|tx| (0..400).try_for_each(|n| tx.audit().append(&line(n)))).unwrap();
    drop(vault);
    let mut bytes = fs::read(home.file()).unwrap();
    let middle = bytes.windows(8).position(|window| window == b"line 200").unwrap();
    bytes[middle / 4_096 * 4_096..][..4_096].fill(0x55);
    fs::write(home.file(), bytes).unwrap();
    let vault = home.open();
    assert_eq!(only_damage(&vault).outcome, "damaged");
    let lines = vault.trail(1_000).unwrap();
    assert!(lines.len() > 200, "{}", lines.len());
    assert_eq!((&*lines[0].detail, &*lines.last().unwrap().detail), ("line 000", "line 399"));
    assert!(lines.iter().all(|line| line.detail != "line 200"));
}

#[test]
fn numbers_are_not_given_again() {
    let home = Home::new();
    let vault = home.open();
    let before = log_in(&vault, "a", "angel");
    let entry = end(&vault, "angel").unwrap();
    drop(vault);
    make_foreign(&home);
    let vault = home.open();
    let after = log_in(&vault, "b", "angel");
    assert!(after.generation > before.generation);
    assert!(end(&vault, "angel").unwrap() > entry + 1_000);
}

#[test]
fn the_newest_five_of_the_damaged_files_are_kept() {
    let home = Home::new();
    let mut kept = Vec::new();
    for n in 0..12 {
        drop(home.open());
        fs::write(home.file(), format!("number {n}")).unwrap();
        fs::write(home.data().join("vault.db-journal"), "not hot").unwrap();
        // Halfway through, the clock is far behind.
        home.clock.set(if n == 5 { 1_000 } else { NOW + n / 3 });
        kept.extend(only_damage(&home.open()).kept_as);
        assert!(kept.last().unwrap().exists());
    }
    let there: Vec<_> = kept.iter().filter(|path| path.exists()).collect();
    assert_eq!(there, kept.iter().skip(7).collect::<Vec<_>>());
    let directories = Directories::prepare(&home.data(), &home.keys()).unwrap();
    assert!(directories.named("vault.damaged-").len() <= 10);
}
