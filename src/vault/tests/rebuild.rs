//! Rebuilding a damaged vault: from what it is read, and what is kept of it.

use super::*;
use crate::vault::sources::Source;

/// The vault and its journal as a crash leaves them that happens while a transaction is being
/// written: the session is gone from the file, and only the journal brings it back.
fn crash_in_a_transaction() -> Home {
    let home = Home::new();
    let vault = home.open();
    log_in(&vault, "a", "angel");
    let crashed = vault.write(|transaction, _| {
        transaction.execute_batch("DELETE FROM sessions")?;
        Ok(crash(&home, transaction))
    });
    crashed.unwrap()
}

#[test]
fn a_rebuild_plays_the_journal_back() {
    for header_too in [false, true] {
        let crashed = crash_in_a_transaction();
        if header_too {
            let mut bytes = fs::read(crashed.file()).unwrap();
            bytes[..100].fill(0x55);
            fs::write(crashed.file(), bytes).unwrap();
        }
        // Found damaged while it was in use, so no opening has played the journal back.
        let directories = Directories::prepare(&crashed.data(), &crashed.keys()).unwrap();
        let lock = Lock::open(&directories.data);
        let guard = lock.alone().unwrap();
        let damage =
            salvage::rebuild(&directories, &guard, &*crashed.clock, VaultError::Damaged).unwrap();
        drop(guard);
        assert_eq!(damage.outcome, "damaged");
        let kept = damage.kept_as.unwrap();
        assert!(files::journal_of(&kept).is_file());
        let vault = crashed.open();
        assert_eq!(vault.take_damage(), []);
        assert_eq!(vault.session("angel").unwrap().unwrap().id, "a", "header {header_too}");
        assert_eq!(directories.named("vault.new-"), [] as [PathBuf; 0]);
    }
}

#[test]
fn without_its_journal_that_session_would_be_lost() {
    let crashed = crash_in_a_transaction();
    fs::remove_file(crashed.data().join("vault.db-journal")).unwrap();
    assert_eq!(crashed.open().session("angel").unwrap(), None);
}

#[test]
fn a_large_file_is_read_where_it_lies() {
    let home = Home::new();
    log_in(&home.open(), "a", "angel");
    let directories = Directories::prepare(&home.data(), &home.keys()).unwrap();
    let before = fs::read(home.file()).unwrap();
    let sources = Source::up_to(&directories, 100, 10).unwrap();
    assert_eq!(directories.named("vault.new-").len(), 0);
    let sessions = |source: &Source| -> i64 {
        source.connection.query_row("SELECT count(*) FROM sessions", [], |row| row.get(0)).unwrap()
    };
    assert_eq!(sources.iter().map(sessions).collect::<Vec<_>>(), [1]);
    sources.into_iter().for_each(Source::discard);
    assert_eq!(fs::read(home.file()).unwrap(), before);
    // Where it cannot be, a copy with a sound header is.
    let mut bytes = before;
    bytes[..100].fill(0x55);
    fs::write(home.file(), bytes).unwrap();
    let sources = Source::up_to(&directories, 100, 10).unwrap();
    assert_eq!(directories.named("vault.new-").len(), 1);
    assert_eq!(sources.iter().map(sessions).collect::<Vec<_>>(), [1]);
    sources.into_iter().for_each(Source::discard);
    assert_eq!(directories.named("vault.new-").len(), 0);
}

#[test]
fn the_newest_five_of_the_damaged_files_are_kept() {
    let home = Home::new();
    let mut kept = Vec::new();
    for n in 0..12 {
        drop(home.open());
        fs::write(home.file(), format!("number {n}")).unwrap();
        fs::write(home.data().join("vault.db-journal"), "not hot").unwrap();
        // In the middle the clock is far behind.
        home.clock.set(if n == 5 { 1_000 } else { NOW + n / 3 });
        kept.extend(only_damage(&home.open()).kept_as);
        assert!(kept.last().unwrap().exists());
    }
    let there: Vec<_> = kept.iter().filter(|path| path.exists()).collect();
    assert_eq!(there, kept.iter().skip(7).collect::<Vec<_>>());
    let directories = Directories::prepare(&home.data(), &home.keys()).unwrap();
    assert!(directories.named("vault.damaged-").len() <= 10);
}
