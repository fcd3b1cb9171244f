//! The device key: missing, wrong, short, elsewhere, forgotten.

use super::*;

#[test]
fn a_key_that_is_no_longer_there() {
    let home = Home::new();
    log_in(&home.open(), "a", "angel");
    fs::remove_file(home.key_file()).unwrap();
    let vault = home.open();
    let damage = only_damage(&vault);
    assert_eq!(damage.outcome, "key_missing");
    assert!(damage.kept_as.unwrap().is_file());
    assert_eq!(vault.session("angel").unwrap(), None);
    assert_eq!(events(&vault), ["login"]);
    log_in(&vault, "b", "angel");
    let vault = home.open();
    assert_eq!(vault.take_damage(), []);
    assert!(vault.session("angel").unwrap().is_some());
}

#[test]
fn a_key_that_is_not_the_right_one() {
    for bytes in [&[1_u8; 32][..], &[1; 31], &[1; 33], &[]] {
        let home = Home::new();
        log_in(&home.open(), "a", "angel");
        fs::write(home.key_file(), bytes).unwrap();
        let vault = home.open();
        assert_eq!(only_damage(&vault).outcome, "key_wrong");
        assert_eq!(vault.session("angel").unwrap(), None);
        log_in(&vault, "b", "angel");
        assert_eq!(home.open().take_damage(), []);
    }
}

#[test]
fn something_else_in_the_key_files_place() {
    let home = Home::new();
    drop(home.open());
    let path = home.key_file();
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    assert_eq!(only_damage(&home.open()).outcome, "key_wrong");
}

#[test]
fn a_key_directory_that_cannot_be_written() {
    let home = Home::new();
    fs::write(home.keys(), "a file").unwrap();
    let vault = home.open();
    let stored = log_in(&vault, "a", "angel");
    let found = vault.diagnose().unwrap();
    assert!(found.key_beside_vault);
    assert_eq!(found.key_place.file_name().unwrap(), "device.key");
    assert_eq!(home.open().session("angel").unwrap(), Some(stored));
    // Forgetting replaces the key.
    let key = home.data().join("device.key");
    let before = fs::read(&key).unwrap();
    vault.forget().unwrap();
    assert_ne!(fs::read(&key).unwrap(), before);
    let stored = log_in(&vault, "b", "angel");
    let vault = home.open();
    assert_eq!(vault.session("angel").unwrap(), Some(stored));
    assert_eq!(vault.take_damage(), []);
    assert_eq!(vault.store.directories.named("device.").len(), 2, "the key and its mark");
}

#[test]
fn a_malformed_key_beside_the_vault_is_quarantined() {
    let home = Home::new();
    fs::write(home.keys(), "a file").unwrap();
    log_in(&home.open(), "a", "angel");
    fs::write(home.data().join("device.key"), "short").unwrap();
    let vault = home.open();
    assert_eq!(only_damage(&vault).outcome, "key_wrong");
    assert_eq!(vault.store.directories.named("device.damaged-").len(), 1);
    log_in(&vault, "b", "angel");
    assert_eq!(home.open().take_damage(), []);
}

/// The process was killed after the key was erased, or the disk did not delete the vault.
#[test]
fn a_vault_whose_key_was_erased_is_deleted_and_not_called_damaged() {
    let home = Home::new();
    log_in(&home.open(), "a", "angel");
    let old_key = home.key_file();
    fs::write(&old_key, [0; 32]).unwrap();
    for _ in 0..2 {
        let vault = home.open();
        assert_eq!(vault.sessions().unwrap(), []);
        assert_eq!(vault.take_damage(), []);
        assert_eq!(vault.store.directories.named("vault.damaged-").len(), 0);
    }
    assert!(!old_key.exists());
}

#[test]
fn forgetting_leaves_nothing_and_a_vault_that_works() {
    let home = Home::new();
    let vault = home.open();
    log_in(&vault, "a", "angel");
    log_in(&vault, "b", "angel");
    log_in(&vault, "c", "other");
    let (old_key, old_file) = (home.key_file(), fs::read(home.file()).unwrap());
    let other = home.open();
    assert_eq!(vault.forget().unwrap(), (2, 1));
    assert!(!old_key.exists());
    assert!(!old_key.with_extension("generation").exists());
    assert!(home.key_file().exists(), "the new key, and no other");
    for vault in [&vault, &other, &home.open()] {
        assert_eq!(vault.sessions().unwrap(), []);
        assert_eq!(vault.pending(None).unwrap(), 0);
        assert_eq!(events(vault), ["forgotten"]);
        assert_eq!(vault.take_damage(), []);
    }
    let stored = log_in(&other, "d", "angel");
    assert_eq!(vault.session("angel").unwrap(), Some(stored));
    drop((vault, other));
    // A copy of the old file can no longer be opened.
    fs::write(home.file(), old_file).unwrap();
    let vault = home.open();
    assert_eq!(only_damage(&vault).outcome, "key_wrong");
    assert_eq!(vault.sessions().unwrap(), []);
    assert_eq!(vault.forget().unwrap(), (0, 0));
    assert_eq!(vault.store.directories.named("vault.damaged-").len(), 0);
}

#[test]
fn an_old_copy_of_the_vault_is_noticed_and_told_once() {
    let home = Home::new();
    let stored = log_in(&home.open(), "a", "angel");
    let old = fs::read(home.file()).unwrap();
    end(&home.open(), "angel");
    fs::write(home.file(), &old).unwrap();
    let vault = home.open();
    let damage = only_damage(&vault);
    assert_eq!((damage.outcome, damage.kept_as), ("rolled_back", None));
    // The server decides about what is in it.
    assert_eq!(vault.session("angel").unwrap(), Some(stored));
    assert_eq!(vault.pending(None).unwrap(), 0);
    assert_eq!(home.open().take_damage(), []);
    // The next old copy is noticed again.
    fs::write(home.file(), &old).unwrap();
    assert_eq!(only_damage(&home.open()).outcome, "rolled_back");
}

#[test]
fn an_old_copy_is_noticed_while_the_vault_is_in_use() {
    let home = Home::new();
    let vault = home.open();
    log_in(&vault, "a", "angel");
    let old = home.directory.path().join("old");
    fs::copy(home.file(), &old).unwrap();
    log_in(&vault, "b", "angel");
    fs::rename(&old, home.file()).unwrap();
    assert_eq!(vault.session("angel").unwrap().unwrap().id, "a");
    assert_eq!(only_damage(&vault).outcome, "rolled_back");
}

#[test]
fn what_is_no_rollback_raises_no_alarm() {
    let home = Home::new();
    log_in(&home.open(), "a", "angel");
    let mark = home.key_file().with_extension("generation");
    for content in [&b""[..], b"nonsense", &[b'9'; 400]] {
        fs::write(&mark, content).unwrap();
        assert_eq!(home.open().take_damage(), [], "{content:?}");
    }
    fs::remove_file(&mark).unwrap();
    assert_eq!(home.open().take_damage(), []);
    assert!(mark.is_file());
    // What is rebuilt after damage is told as that, and may have lost its count.
    let vault = home.open();
    (0..5).for_each(|n| drop(log_in(&vault, &n.to_string(), "angel")));
    drop(vault);
    fs::write(home.file(), "no database").unwrap();
    assert_eq!(only_damage(&home.open()).outcome, "damaged");
    assert_eq!(home.open().take_damage(), []);
}

#[cfg(unix)]
#[test]
fn a_key_that_others_can_read_is_named() {
    use std::os::unix::fs::PermissionsExt;
    let home = Home::new();
    let vault = home.open();
    assert!(!vault.diagnose().unwrap().key_readable_by_others);
    for mode in [0o640, 0o604, 0o660] {
        fs::set_permissions(home.key_file(), fs::Permissions::from_mode(mode)).unwrap();
        assert!(vault.diagnose().unwrap().key_readable_by_others, "{mode:o}");
    }
}

#[test]
fn a_key_directory_inside_the_data_directory_is_named() {
    let home = Home::new();
    let inside = home.data().join("keys");
    let vault = Vault::open(&home.data(), &inside, home.clock.clone()).unwrap();
    assert!(vault.diagnose().unwrap().key_beside_vault);
}

#[test]
fn the_vault_of_another_profile_is_not_taken() {
    let (home, other) = (Home::new(), Home::new());
    log_in(&home.open(), "a", "angel");
    // Both profiles keep their keys in one directory.
    let theirs = Vault::open(&other.data(), &home.keys(), other.clock.clone()).unwrap();
    log_in(&theirs, "t", "angel");
    drop(theirs);
    fs::copy(other.file(), home.file()).unwrap();
    let vault = home.open();
    let damage = only_damage(&vault);
    assert_eq!(damage.outcome, "key_wrong");
    assert_eq!(fs::read(damage.kept_as.unwrap()).unwrap(), fs::read(other.file()).unwrap());
    assert_eq!(vault.sessions().unwrap(), []);
    assert_eq!(vault.trail(9).unwrap(), []);
    let theirs = Vault::open(&other.data(), &home.keys(), other.clock.clone()).unwrap();
    assert_eq!(theirs.session("angel").unwrap().unwrap().id, "t");
    assert_eq!(theirs.take_damage(), []);
}

#[test]
fn a_moved_profile_is_taken() {
    let home = Home::new();
    let stored = log_in(&home.open(), "a", "angel");
    let moved = home.directory.path().join("moved");
    fs::rename(home.data(), &moved).unwrap();
    let vault = Vault::open(&moved, &home.keys(), home.clock.clone()).unwrap();
    assert_eq!(vault.session("angel").unwrap(), Some(stored));
}
