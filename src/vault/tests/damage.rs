//! Damaged files: cut, flipped, replaced. Nothing panics, and no other account is lost.

use super::*;
use std::time::Instant;

/// Two accounts, an entry and a few lines.
fn furnish(home: &Home) {
    let vault = home.open();
    log_in(&vault, "old", "angel");
    log_in(&vault, "a", "angel");
    log_in(&vault, "o", "other");
}

/// Opens the vault, reads everything, logs in and out; returns what is left.
fn live(home: &Home) -> (Vec<String>, usize, Vec<Damage>) {
    live_in(&home.open())
}

fn live_in(vault: &Vault) -> (Vec<String>, usize, Vec<Damage>) {
    let sessions: Vec<_> = vault.sessions().unwrap().into_iter().map(|s| s.id).collect();
    let entries = vault.entries().unwrap().len();
    vault.trail(100).unwrap();
    assert!(sessions.iter().all(|id| ["a", "o"].contains(&id.as_str())));
    log_in(vault, "n", "third");
    end(vault, "third");
    (sessions, entries, vault.take_damage())
}

#[test]
fn a_flipped_byte_anywhere() {
    let home = Home::new();
    furnish(&home);
    let (good, id) = (fs::read(home.file()).unwrap(), home.id());
    let (mut tried, mut first_page, mut both_lost, mut newer) = (0, 0, 0, 0);
    let start = Instant::now();
    for at in (0..100).step_by(step(2, 1)).chain((100..good.len()).step_by(step(97, 7))) {
        // The reserve and the unused parts of pages hold zeroes that nobody reads.
        if at > 100 && good[at.saturating_sub(8)..(at + 8).min(good.len())] == [0; 16] {
            continue;
        }
        home.clear_data(&id);
        let mut bad = good.clone();
        bad[at] ^= 0xff;
        fs::write(home.file(), &bad).unwrap();
        tried += 1;
        let vault = match home.try_open() {
            Ok(vault) => vault,
            Err(error) => {
                // The version number itself.
                assert_eq!(error.kind(), Kind::VersionMismatch, "at {at}");
                assert_eq!(fs::read(home.file()).unwrap(), bad);
                newer += 1;
                continue;
            }
        };
        let (sessions, _, damage) = live_in(&vault);
        if sessions.len() < 2 {
            assert!(!damage.is_empty(), "lost silently at {at}");
        }
        if at < 4_096 {
            first_page += usize::from(sessions.is_empty());
        } else {
            both_lost += usize::from(sessions.is_empty());
        }
        // Each copy is older than what the tries before have stored.
        for damage in damage.into_iter().filter(|damage| damage.outcome != "rolled_back") {
            assert!(damage.kept_as.unwrap().exists());
        }
    }
    println!(
        "{tried} tried, {first_page} and {both_lost} lost both, {newer} newer, {:?}",
        start.elapsed()
    );
    assert!(newer <= 4);
    // Only damage to a page's header, or to the row that names the vault, loses both.
    assert!(both_lost < 6, "{both_lost} of {tried}");
}

#[test]
fn a_file_that_is_cut() {
    let home = Home::new();
    furnish(&home);
    let (good, id) = (fs::read(home.file()).unwrap(), home.id());
    for length in (0..good.len()).step_by(step(4_001, 448)).chain((0..4_200).step_by(step(512, 64)))
    {
        home.clear_data(&id);
        fs::write(home.file(), &good[..length]).unwrap();
        // SQLite reads a short last page as if zeroes followed, which may be what was there.
        let (sessions, entries, damage) = live(&home);
        assert!(!damage.is_empty() || (sessions.len(), entries) == (2, 1), "cut at {length}");
    }
}

#[test]
fn a_file_of_zeroes_or_of_something_else() {
    let home = Home::new();
    drop(home.open());
    let id = home.id();
    let mut foreign = b"SQLite format 3\0".to_vec();
    foreign.resize(8_192, 0xa5);
    for bytes in [vec![], vec![0; 8_192], vec![0; 10 << 20], foreign, b"{}".to_vec()] {
        home.clear_data(&id);
        fs::write(home.file(), &bytes).unwrap();
        let (sessions, _, damage) = live(&home);
        assert!(sessions.is_empty());
        assert_eq!(damage.len(), 1);
        assert_eq!(damage[0].outcome, "damaged");
        assert_eq!(fs::read(damage[0].kept_as.as_ref().unwrap()).unwrap(), bytes);
    }
}

#[test]
fn a_database_of_somebody_else() {
    let home = Home::new();
    drop(home.open());
    home.clear_data("");
    sql(&home, "CREATE TABLE sessions (row INTEGER PRIMARY KEY, id TEXT)");
    assert_eq!(live(&home).2.len(), 1);
    // Ours, but with a trigger that is not.
    sql(&home, "CREATE TRIGGER evil AFTER INSERT ON outbox BEGIN DELETE FROM outbox; END");
    let (_, _, damage) = live(&home);
    assert_eq!(damage.len(), 1);
}

#[test]
fn a_schema_that_is_not_ours_loses_nothing() {
    for change in [
        "CREATE TABLE somebody_elses (x)",
        "CREATE TRIGGER evil AFTER UPDATE ON sessions BEGIN DELETE FROM outbox; END",
        "DROP INDEX outbox_by_provider",
        "DROP TABLE audit",
        "PRAGMA user_version = 0",
    ] {
        let home = Home::new();
        furnish(&home);
        sql(&home, change);
        let (sessions, entries, damage) = live(&home);
        assert_eq!((sessions.len(), entries, damage.len()), (2, 1, 1), "{change}");
    }
}

#[test]
fn a_first_page_that_is_gone_is_quarantined_and_the_vault_begins_anew() {
    for from in [0, 100] {
        let home = Home::new();
        furnish(&home);
        let mut bytes = fs::read(home.file()).unwrap();
        bytes[from..4_096].fill(0x55);
        fs::write(home.file(), &bytes).unwrap();
        let (sessions, entries, damage) = live(&home);
        assert_eq!((sessions.len(), entries, damage.len()), (0, 0, 1));
        assert_eq!(fs::read(damage[0].kept_as.as_ref().unwrap()).unwrap(), bytes);
        assert_eq!(live(&home).2, []);
    }
}

#[test]
fn a_damaged_proof_of_the_key_loses_nothing() {
    let home = Home::new();
    furnish(&home);
    sql(&home, "UPDATE meta SET sealed = randomblob(56)");
    let (sessions, entries, damage) = live(&home);
    assert_eq!((sessions.len(), entries, damage.len()), (2, 1, 1));
    assert_eq!(damage[0].outcome, "damaged");
    // The row that names the vault is gone, but the lock file remembers its id.
    sql(&home, "DELETE FROM meta");
    let (sessions, _, damage) = live(&home);
    assert_eq!((sessions.len(), damage.len()), (2, 1));
}

#[test]
fn an_earlier_file_in_quarantine_is_not_overwritten() {
    let home = Home::new();
    let mut kept = Vec::new();
    for n in 0..3 {
        drop(home.open());
        fs::write(home.file(), format!("number {n}")).unwrap();
        kept.extend(only_damage(&home.open()).kept_as);
    }
    for (n, path) in kept.iter().enumerate() {
        assert_eq!(fs::read(path).unwrap(), format!("number {n}").into_bytes());
    }
}

#[test]
fn a_row_that_does_not_open_takes_no_other_with_it() {
    let home = Home::new();
    furnish(&home);
    let vault = home.open();
    sql(&home, "UPDATE sessions SET sealed = randomblob(200) WHERE session = 'a'");
    assert_eq!(vault.session("other").unwrap().unwrap().id, "o");
    assert_eq!(vault.take_damage(), []);
    assert_eq!(vault.session("angel").unwrap(), None);
    let damage = only_damage(&vault);
    assert!(damage.kept_as.unwrap().is_file());
    assert_eq!(vault.entries().unwrap().len(), 1);
    sql(&home, "UPDATE outbox SET account = '8'");
    assert_eq!(vault.entries().unwrap(), []);
    assert_eq!(only_damage(&vault).outcome, "damaged");
    assert_eq!(home.open().take_damage(), []);
}

#[test]
fn sealed_columns_cannot_be_exchanged() {
    for change in [
        "CREATE TEMP TABLE was AS SELECT * FROM sessions;
         UPDATE sessions SET sealed = (SELECT sealed FROM was WHERE was.session <> sessions.session)",
        "UPDATE sessions SET sealed = (SELECT sealed FROM outbox)",
        "UPDATE sessions SET generation = generation + 1",
        "UPDATE sessions SET provider = 'angel' WHERE session = 'o'; DELETE FROM sessions WHERE session = 'a'",
    ] {
        let home = Home::new();
        furnish(&home);
        sql(&home, change);
        let vault = home.open();
        assert_eq!(vault.sessions().unwrap(), [], "{change}");
        assert_eq!(only_damage(&vault).outcome, "damaged");
    }
}

#[test]
fn damage_while_the_vault_is_open() {
    let home = Home::new();
    furnish(&home);
    let vault = home.open();
    let length = fs::metadata(home.file()).unwrap().len();
    let mut bytes = fs::read(home.file()).unwrap();
    bytes[..16].fill(0);
    // A new change counter makes SQLite read the file again.
    bytes[24..28].fill(9);
    fs::write(home.file(), &bytes).unwrap();
    assert_eq!(length, bytes.len() as u64);
    assert_eq!(vault.sessions().unwrap(), []);
    assert_eq!(only_damage(&vault).outcome, "damaged");
    log_in(&vault, "b", "angel");
    assert_eq!(end(&vault, "angel"), Some(1));
}

#[test]
fn a_vault_that_is_removed_or_replaced_while_it_is_open() {
    let home = Home::new();
    furnish(&home);
    let vault = home.open();
    let mark = vault.change_mark().unwrap();
    fs::remove_file(home.file()).unwrap();
    assert_eq!(vault.sessions().unwrap(), []);
    assert_ne!(vault.change_mark().unwrap(), mark);
    log_in(&vault, "b", "angel");
    assert_eq!(home.open().sessions().unwrap().len(), 1);
}

#[test]
fn a_journal_that_is_left_over_is_not_played_back() {
    let home = Home::new();
    furnish(&home);
    let journal = home.data().join("vault.db-journal");
    fs::remove_file(home.file()).unwrap();
    fs::write(&journal, vec![0x5a; 4_096]).unwrap();
    let vault = home.open();
    assert_eq!(vault.sessions().unwrap(), []);
    log_in(&vault, "b", "angel");
    assert!(!journal.exists());
    assert_eq!(home.open().take_damage(), []);
}

#[cfg(unix)]
#[test]
fn something_else_in_the_files_place() {
    use std::os::unix::fs::{FileTypeExt, symlink};
    let home = Home::new();
    furnish(&home);
    let elsewhere = home.directory.path().join("elsewhere.db");
    fs::rename(home.file(), &elsewhere).unwrap();
    let bytes = fs::read(&elsewhere).unwrap();
    symlink(&elsewhere, home.file()).unwrap();
    let (sessions, _, damage) = live(&home);
    assert!(sessions.is_empty());
    assert!(damage[0].kept_as.as_ref().unwrap().is_symlink());
    assert_eq!(fs::read(&elsewhere).unwrap(), bytes);

    fs::remove_file(home.file()).unwrap();
    fs::create_dir(home.file()).unwrap();
    assert!(live(&home).2[0].kept_as.as_ref().unwrap().is_dir());

    fs::remove_file(home.file()).unwrap();
    let made = std::process::Command::new("mkfifo").arg(home.file()).status();
    assert!(made.unwrap().success());
    let kept = live(&home).2[0].kept_as.clone().unwrap();
    assert!(fs::symlink_metadata(kept).unwrap().file_type().is_fifo());
}

#[test]
fn a_newer_vault_is_not_touched() {
    let home = Home::new();
    furnish(&home);
    sql(&home, "PRAGMA user_version = 2");
    let bytes = fs::read(home.file()).unwrap();
    let error = home.try_open().err().unwrap();
    assert_eq!(error.kind(), Kind::VersionMismatch);
    assert!(!error.hint().is_empty());
    assert_eq!(fs::read(home.file()).unwrap(), bytes);
    assert_eq!(fs::read_dir(home.data()).unwrap().count(), 3);
    sql(&home, "PRAGMA user_version = 1");
    assert_eq!(home.open().sessions().unwrap().len(), 2);
}
