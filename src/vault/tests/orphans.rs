//! Keys of vaults that are gone: erased where that is certain, and kept wherever it is not.

use super::super::orphans::sweep;
use super::*;
use std::time::{Instant, SystemTime};

/// A disk with a vault on it, and the keys elsewhere.
struct Disk {
    home: Home,
    vault: PathBuf,
}

impl Disk {
    /// `place` is below where the disk is mounted.
    fn with_vault_at(place: &str) -> Self {
        let home = Home::new();
        let vault = home.directory.path().join("disk").join(place);
        fs::create_dir_all(vault.parent().unwrap()).unwrap();
        drop(Vault::open(&vault, &home.keys(), home.clock.clone()).unwrap());
        Disk { home, vault }
    }

    fn mount_point(&self) -> PathBuf {
        self.home.directory.path().join("disk")
    }

    /// What is left in the key directory after the sweep.
    fn swept(&self, young: Duration) -> Vec<String> {
        sweep(&self.home.keys(), young);
        let end = |path: &PathBuf| path.extension().unwrap().to_str().unwrap().to_owned();
        let mut ends: Vec<_> = paths_in(&self.home.keys()).iter().map(end).collect();
        ends.retain(|end| end != "generation");
        ends.sort();
        ends
    }
}

const ALL: [&str; 2] = ["key", "place"];
const MINUTE: Duration = Duration::from_secs(60);

#[test]
fn the_key_of_a_vault_that_was_deleted_is_erased() {
    let disk = Disk::with_vault_at("addon_data/plugin.video.x");
    assert_eq!(disk.swept(Duration::ZERO), ALL, "the vault is there");
    fs::remove_dir_all(&disk.vault).unwrap();
    assert_eq!(disk.swept(MINUTE), ALL, "it was there a moment ago");
    assert_eq!(disk.swept(Duration::ZERO), [""; 0]);
    assert_eq!(fs::read_dir(disk.home.keys()).unwrap().count(), 0, "nothing of it is left");
}

#[test]
fn the_key_of_a_vault_that_was_deleted_alone_is_erased() {
    let disk = Disk::with_vault_at("plugin.video.x");
    fs::remove_file(disk.vault.join("vault.db")).unwrap();
    fs::remove_file(disk.vault.join("vault.lock")).unwrap();
    assert_eq!(disk.swept(MINUTE), ALL);
    assert_eq!(disk.swept(Duration::ZERO), [""; 0]);
}

#[test]
fn the_key_of_a_vault_on_a_disk_that_is_not_there_is_kept() {
    for place in ["userdata/addon_data/plugin.video.x", "plugin.video.x"] {
        for has_mount_point in [false, true] {
            let disk = Disk::with_vault_at(place);
            let elsewhere = disk.mount_point().with_extension("away");
            fs::rename(disk.mount_point(), &elsewhere).unwrap();
            if has_mount_point {
                fs::create_dir(disk.mount_point()).unwrap();
            }
            assert_eq!(disk.swept(Duration::ZERO), ALL, "{place}, {has_mount_point}");
            let _ = fs::remove_dir(disk.mount_point());
            fs::rename(&elsewhere, disk.mount_point()).unwrap();
            let vault = Vault::open(&disk.vault, &disk.home.keys(), disk.home.clock.clone());
            assert_eq!(vault.unwrap().take_damage(), []);
        }
    }
}

#[test]
fn the_key_of_a_vault_under_another_name_is_kept() {
    let disk = Disk::with_vault_at("addon_data/plugin.video.x");
    let renamed = disk.vault.with_file_name("plugin.video.y");
    fs::rename(&disk.vault, &renamed).unwrap();
    assert_eq!(disk.swept(Duration::ZERO), ALL);
    let vault = Vault::open(&renamed, &disk.home.keys(), disk.home.clock.clone()).unwrap();
    assert_eq!(vault.take_damage(), []);
    fs::remove_dir_all(&renamed).unwrap();
    assert_eq!(disk.swept(Duration::ZERO), [""; 0], "the note has followed it");
}

#[test]
fn a_key_of_which_little_is_known_is_kept() {
    let place = |disk: &Disk| {
        paths_in(&disk.home.keys()).into_iter().find(|path| is(path, "place")).unwrap()
    };
    for text in ["", "{", "{}", "{\"data_dir\":\"x\",\"parent\":null}"] {
        let disk = Disk::with_vault_at("plugin.video.x");
        fs::remove_dir_all(&disk.vault).unwrap();
        fs::write(place(&disk), text).unwrap();
        assert_eq!(disk.swept(Duration::ZERO), ALL, "{text}");
        fs::remove_file(place(&disk)).unwrap();
        assert_eq!(disk.swept(Duration::ZERO), ["key"]);
    }
}

#[test]
fn the_key_of_a_vault_in_quarantine_is_kept() {
    let disk = Disk::with_vault_at("plugin.video.x");
    fs::rename(disk.vault.join("vault.db"), disk.vault.join("vault.damaged.db")).unwrap();
    fs::remove_file(disk.vault.join("vault.lock")).unwrap();
    assert_eq!(disk.swept(Duration::ZERO), ALL);
}

/// What a process does by itself.
#[test]
fn the_first_opening_of_a_process_sweeps() {
    let disk = Disk::with_vault_at("plugin.video.x");
    fs::remove_dir_all(&disk.vault).unwrap();
    // Nobody in this process has opened anything with these keys.
    let keys = disk.home.keys().with_extension("unseen");
    fs::rename(disk.home.keys(), &keys).unwrap();
    let long_ago = SystemTime::now() - 2 * MINUTE;
    for path in paths_in(&keys) {
        fs::File::options().append(true).open(&path).unwrap().set_modified(long_ago).unwrap();
    }
    drop(Vault::open(&disk.home.data(), &keys, disk.home.clock.clone()).unwrap());
    let start = Instant::now();
    while paths_in(&keys).iter().filter(|path| is(path, "key")).count() > 1 {
        assert!(start.elapsed() < Duration::from_secs(10), "nobody swept");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn paths_in(directory: &Path) -> Vec<PathBuf> {
    fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect()
}

fn is(path: &Path, end: &str) -> bool {
    path.extension().is_some_and(|found| found == end)
}
