//! The disk refuses: full, read-only, not there. Logging out works all the same.

use super::*;

#[test]
fn a_full_disk_does_not_keep_anybody_signed_in() {
    let home = Home::new();
    let vault = home.open();
    log_in(&vault, "a", "angel");
    fill_up(&vault);
    let big = |session: &Session| {
        let definition = "x".repeat(10_000);
        Some(Revocation { definition, ..revoked(session) }).into()
    };
    let error = vault
        .end("angel", SessionSelector::Active, &mut big.clone(), &record(Event::Logout))
        .unwrap_err();
    assert_eq!(error.kind(), Kind::Storage);
    assert_eq!(error.message(), "the disk is full");
    assert!(error.hint().contains(&*home.data().to_string_lossy()));
    assert!(vault.session("angel").unwrap().is_some());
    let ended = vault
        .end_without_journal(
            "angel",
            SessionSelector::Active,
            &mut big.clone(),
            &record(Event::Logout),
        )
        .unwrap();
    let InPlace::Ended { entry: Some(id) } = ended else { panic!("{ended:?}") };
    assert_eq!(vault.session("angel").unwrap(), None);
    assert_eq!(vault.entry(id).unwrap().unwrap().revocation.session_id, "a");
    assert_eq!(events(&vault), ["login", "logout"]);
    let vault = home.open();
    assert_eq!(vault.session("angel").unwrap(), None);
    assert_eq!(vault.facts().unwrap().journal_mode, "delete");
    assert_eq!(vault.take_damage(), []);
}

#[test]
fn where_not_even_the_reserve_is_enough_the_session_is_overwritten() {
    let home = Home::new();
    let vault = home.open();
    log_in(&vault, "a", "angel");
    log_in(&vault, "o", "other");
    fill_up(&vault);
    let mut huge = |session: &Session| {
        let definition = "x".repeat(300_000);
        Some(Revocation { definition, ..revoked(session) }).into()
    };
    let ended = vault
        .end_without_journal("angel", SessionSelector::Active, &mut huge, &record(Event::Logout))
        .unwrap();
    assert_eq!(ended, InPlace::Overwritten);
    for vault in [vault, home.open()] {
        assert_eq!(vault.session("angel").unwrap(), None);
        assert_eq!(vault.sessions().unwrap().len(), 1);
        assert_eq!(vault.entries().unwrap(), []);
        assert_eq!(vault.take_damage(), []);
    }
}

#[test]
fn in_place_with_nobody_signed_in() {
    let home = Home::new();
    let vault = home.open();
    let ended = vault
        .end_without_journal("angel", SessionSelector::Active, &mut retire, &record(Event::Logout))
        .unwrap();
    assert_eq!(ended, InPlace::Ended { entry: None });
    assert_eq!(vault.trail(9).unwrap(), []);
}

/// A small file system of its own where that may be mounted (as root), else a directory that the
/// test makes read-only: either way no new file can be created at the end.
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
        use std::os::unix::fs::PermissionsExt;
        if self.1 {
            let mut filler = fs::File::create(self.0.data().join("filler")).unwrap();
            while filler.write(&[0; 512]).is_ok_and(|written| written > 0) {}
            for n in 0..12 {
                let _ = fs::File::create(self.0.data().join(n.to_string()));
            }
        } else {
            fs::set_permissions(self.0.data(), fs::Permissions::from_mode(0o500)).unwrap();
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
    let error = vault
        .end("angel", SessionSelector::Active, &mut retire, &record(Event::Logout))
        .unwrap_err();
    assert_eq!(error.kind(), Kind::Storage);
    assert!(vault.session("angel").unwrap().is_some());
    assert!(vault.log_in(session("b", "angel"), &mut retire, &record(Event::Login)).is_err());
    assert_eq!(vault.session("angel").unwrap().unwrap().id, "a");
    let ended = vault
        .end_without_journal("angel", SessionSelector::Active, &mut retire, &record(Event::Logout))
        .unwrap();
    assert!(matches!(ended, InPlace::Ended { entry: Some(_) }), "{ended:?}");
    // A new start on the full disk finds it so.
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
        assert!(!vault.facts().unwrap().key_beside_vault);
        assert!(vault.facts().unwrap().file_locks);
        assert_eq!(home.open().session("angel").unwrap(), Some(stored));
        fs::remove_dir_all(home.data()).unwrap();
        assert_eq!(end(&vault, "angel"), Ended::Gone);
    }
}
