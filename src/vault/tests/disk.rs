//! The disk refuses: full, read-only, missing. Logging out still works.

use super::*;

/// As large as a real one, with the provider's definition.
fn log_in_at_length(vault: &Vault, id: &str, provider: &str) {
    let definition = "x".repeat(10_000);
    store_login(vault, &Session { definition, ..session(id, provider) }).unwrap();
}

#[test]
fn a_full_disk_does_not_keep_anybody_signed_in() {
    let home = Home::new();
    let vault = home.open();
    log_in_at_length(&vault, "a", "angel");
    fill_up(&vault);
    let definition = "x".repeat(20_000);
    let another = Revocation { definition, ..revoked(&session("b", "angel")) };
    let error = vault.enqueue(&another).unwrap_err();
    assert_eq!(error.kind(), Kind::Storage);
    assert_eq!(error.message(), "the disk is full");
    assert!(error.hint().contains(&*home.data().to_string_lossy()));
    assert!(vault.session("angel").unwrap().is_some());
    let local = end_truly(&vault, SessionSelector::Active, 9_000);
    let LocalOutcome::Cleared(Some(entry)) = local else { panic!("{local:?}") };
    assert_eq!(vault.session("angel").unwrap(), None);
    assert_eq!(vault.entry(entry.id).unwrap(), Some(entry));
    assert_eq!(events(&vault), ["login", "logout"]);
    let vault = home.open();
    assert_eq!(vault.session("angel").unwrap(), None);
    assert_eq!(vault.take_damage(), []);
}

#[test]
fn where_no_entry_fits_the_session_goes_all_the_same() {
    let home = Home::new();
    let vault = home.open();
    log_in(&vault, "a", "angel");
    log_in(&vault, "o", "other");
    fill_up(&vault);
    let local = end_truly(&vault, SessionSelector::Active, 60_000);
    assert!(matches!(local, LocalOutcome::Unqueued), "{local:?}");
    for vault in [vault, home.open()] {
        assert_eq!(vault.session("angel").unwrap(), None);
        assert_eq!(vault.sessions().unwrap().len(), 1);
        assert_eq!(vault.entries().unwrap(), []);
        assert_eq!(vault.take_damage(), []);
    }
}

#[test]
fn ending_with_nobody_signed_in() {
    let home = Home::new();
    let vault = home.open();
    let local = end_truly(&vault, SessionSelector::Active, 0);
    assert!(matches!(local, LocalOutcome::NobodyThere), "{local:?}");
    assert_eq!(vault.entries().unwrap(), []);
    assert_eq!(vault.trail(9).unwrap(), []);
}

/// A small file system if the test may mount one (as root), else a directory that it makes
/// read-only: either way, no new file can be created once it is full.
#[cfg(target_os = "linux")]
pub struct Small(pub Home, bool);

#[cfg(target_os = "linux")]
impl Small {
    pub fn new() -> Self {
        let home = Home::new();
        fs::create_dir(home.data()).unwrap();
        let mounted = std::process::Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=1m,nr_inodes=12", "tmpfs"])
            .arg(home.data())
            .stderr(std::process::Stdio::null())
            .status()
            .is_ok_and(|status| status.success());
        Small(home, mounted)
    }

    /// No room for a byte, and none for a name.
    pub fn fill(&self) {
        use std::io::Write;
        let mut filler = fs::File::create(self.0.data().join("filler")).unwrap();
        while filler.write(&[0; 512]).is_ok_and(|written| written > 0) {}
        for n in 0..20 {
            let _ = fs::File::create(self.0.data().join(n.to_string()));
        }
        assert!(fs::File::create(self.0.data().join("another")).is_err());
    }
}

#[cfg(target_os = "linux")]
impl Drop for Small {
    fn drop(&mut self) {
        use std::os::unix::fs::PermissionsExt;
        if self.1 {
            let _ = std::process::Command::new("umount").arg("-l").arg(self.0.data()).status();
        } else {
            let _ = fs::set_permissions(self.0.data(), fs::Permissions::from_mode(0o700));
        }
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_file_system_without_room_for_a_journal() {
    let small = Small::new();
    let home = &small.0;
    let vault = home.open();
    log_in(&vault, "a", "angel");
    small.fill();
    let error = try_end(&vault, "angel", SessionSelector::Active, &[]).unwrap_err();
    assert_eq!(error.kind(), Kind::Storage);
    assert!(vault.session("angel").unwrap().is_some());
    assert!(store_login(&vault, &session("b", "angel")).is_err());
    assert_eq!(vault.session("angel").unwrap().unwrap().id, "a");
    let local = end_truly(&vault, SessionSelector::Active, 0);
    assert!(matches!(local, LocalOutcome::Cleared(Some(_))), "{local:?}");
    // It is still so after a restart on the full disk.
    drop(vault);
    let vault = home.open();
    assert_eq!(vault.session("angel").unwrap(), None);
    assert_eq!(vault.pending(None).unwrap(), 1);
    assert_eq!(vault.take_damage(), []);
}

#[test]
fn a_directory_that_cannot_be_made() {
    let home = Home::new();
    fs::write(home.data(), "a file").unwrap();
    let error = home.try_open().err().unwrap();
    assert_eq!(error.kind(), Kind::Storage);
    assert!(error.hint().contains(&*home.data().to_string_lossy()));
    assert_eq!(fs::read(home.data()).unwrap(), b"a file");
}

#[test]
fn what_a_crash_left_is_swept() {
    let home = Home::new();
    drop(home.open());
    let left = home.data().join("vault.new-0123.db");
    fs::write(&left, "half").unwrap();
    drop(home.open());
    assert!(!left.exists());
}

#[cfg(unix)]
#[test]
fn a_data_directory_that_is_deleted_is_made_anew() {
    let home = Home::new();
    let vault = home.open();
    for deleted in [home.data(), home.directory.path().to_owned()] {
        log_in(&vault, "a", "angel");
        fs::remove_dir_all(deleted).unwrap();
        assert_eq!(vault.session("angel").unwrap(), None);
        assert!(home.file().exists());
        let stored = log_in(&vault, "b", "angel");
        assert!(!vault.diagnose().unwrap().key_beside_vault);
        assert!(vault.diagnose().unwrap().file_locks);
        assert_eq!(home.open().session("angel").unwrap(), Some(stored));
        fs::remove_dir_all(home.data()).unwrap();
        assert_eq!(end(&vault, "angel"), None);
    }
}
