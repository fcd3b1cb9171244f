//! Keys of vaults that are gone: kept for 30 days and erased then, where that is certain, and kept
//! for good wherever it is not.

use super::super::orphans::sweep;
use super::*;
use std::time::Instant;

const ALL: [&str; 2] = ["key", "place"];
const MARKED: [&str; 3] = ["key", "orphaned", "place"];
const MONTH: i64 = 30 * 86_400;

/// A disk with a vault on it, and the keys elsewhere.
struct Disk {
    home: Home,
    vault: PathBuf,
}

impl Disk {
    /// `place` is below where the disk is mounted.
    fn with_vault_at(place: &str) -> Self {
        let home = Home::new();
        // Nobody sweeps but the test.
        home.clock.set_synchronised(false);
        let vault = home.directory.path().join("disk").join(place);
        fs::create_dir_all(vault.parent().unwrap()).unwrap();
        let disk = Disk { home, vault };
        assert_eq!(disk.damage_at(&disk.vault), []);
        disk
    }

    fn mount_point(&self) -> PathBuf {
        self.home.directory.path().join("disk")
    }

    /// The damage that is found when this data directory is opened.
    fn damage_at(&self, data: &Path) -> Vec<Damage> {
        Vault::open(data, &self.home.keys(), self.home.clock.clone()).unwrap().take_damage()
    }

    /// What is left in the key directory after a sweep on that day.
    fn swept_at(&self, seconds: i64) -> Vec<String> {
        sweep(&self.home.keys(), NOW + seconds);
        let end = |path: &PathBuf| path.extension().unwrap().to_str().unwrap().to_owned();
        let mut ends: Vec<_> = paths_in(&self.home.keys()).iter().map(end).collect();
        ends.retain(|end| end != "generation");
        ends.sort();
        ends
    }

    /// What is left after a sweep today and another one in a month.
    fn swept(&self) -> Vec<String> {
        self.swept_at(0);
        self.swept_at(MONTH)
    }
}

#[test]
fn the_key_of_a_vault_that_was_deleted_is_erased_after_a_month() {
    let disk = Disk::with_vault_at("addon_data/plugin.video.x");
    assert_eq!(disk.swept(), ALL, "the vault is there");
    fs::remove_dir_all(&disk.vault).unwrap();
    assert_eq!(disk.swept_at(0), MARKED);
    assert_eq!(disk.swept_at(MONTH - 1), MARKED);
    assert_eq!(disk.swept_at(MONTH), [""; 0]);
    assert_eq!(fs::read_dir(disk.home.keys()).unwrap().count(), 0, "nothing of it is left");
}

#[test]
fn the_key_of_a_vault_that_was_deleted_alone_is_erased() {
    let disk = Disk::with_vault_at("addon_data/plugin.video.x");
    fs::remove_file(disk.vault.join("vault.db")).unwrap();
    fs::remove_file(disk.vault.join("vault.lock")).unwrap();
    assert_eq!(disk.swept_at(0), MARKED);
    assert_eq!(disk.swept_at(MONTH), [""; 0]);
}

#[test]
fn a_month_is_counted_from_when_the_vault_was_missed_last() {
    let disk = Disk::with_vault_at("addon_data/plugin.video.x");
    let elsewhere = disk.mount_point().join("backup");
    fs::rename(&disk.vault, &elsewhere).unwrap();
    assert_eq!(disk.swept_at(0), MARKED);
    // It is back for a while, and a sweep sees it; or it is opened.
    fs::rename(&elsewhere, &disk.vault).unwrap();
    assert_eq!(disk.swept_at(10), ALL);
    fs::rename(&disk.vault, &elsewhere).unwrap();
    assert_eq!(disk.swept_at(20), MARKED);
    fs::rename(&elsewhere, &disk.vault).unwrap();
    assert_eq!(disk.damage_at(&disk.vault), []);
    fs::rename(&disk.vault, &elsewhere).unwrap();
    assert_eq!(disk.swept_at(30 + MONTH), MARKED);
    // The clock was ahead.
    assert_eq!(disk.swept_at(40), MARKED);
    assert_eq!(disk.swept_at(39 + MONTH), MARKED);
    fs::rename(&elsewhere, &disk.vault).unwrap();
    assert_eq!(disk.damage_at(&disk.vault), []);
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
            assert_eq!(disk.swept(), ALL, "{place}, {has_mount_point}");
            let _ = fs::remove_dir(disk.mount_point());
            fs::rename(&elsewhere, disk.mount_point()).unwrap();
            assert_eq!(disk.damage_at(&disk.vault), []);
        }
    }
}

#[test]
fn the_key_of_a_vault_is_kept_when_a_copy_is_deleted() {
    let disk = Disk::with_vault_at("addon_data/plugin.video.x");
    let copy = disk.mount_point().join("inspected/copy");
    fs::create_dir_all(&copy).unwrap();
    for path in paths_in(&disk.vault) {
        fs::copy(&path, copy.join(path.file_name().unwrap())).unwrap();
    }
    assert_eq!(disk.damage_at(&copy), []);
    fs::remove_dir_all(&copy).unwrap();
    assert_eq!(disk.swept(), ALL);
    assert_eq!(disk.damage_at(&disk.vault), []);
    fs::remove_dir_all(&disk.vault).unwrap();
    assert_eq!(disk.swept(), [""; 0], "none of them is left");
}

/// As where a disk is mounted at the data directory, or on a system without identities.
#[test]
fn the_key_of_a_vault_whose_absence_says_nothing_is_kept() {
    let disk = Disk::with_vault_at("addon_data/plugin.video.x");
    let note = paths_in(&disk.home.keys()).into_iter().find(|path| is(path, "place")).unwrap();
    let mut places: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(&note).unwrap()).unwrap();
    places[0]["parent"] = serde_json::Value::Null;
    fs::remove_dir_all(&disk.vault).unwrap();
    fs::write(&note, places.to_string()).unwrap();
    assert_eq!(disk.swept(), ALL);
}

#[test]
fn the_key_of_a_vault_under_another_name_is_kept() {
    let disk = Disk::with_vault_at("addon_data/plugin.video.x");
    let renamed = disk.vault.with_file_name("plugin.video.y");
    fs::rename(&disk.vault, &renamed).unwrap();
    assert_eq!(disk.swept(), ALL);
    assert_eq!(disk.damage_at(&renamed), []);
    fs::remove_dir_all(&renamed).unwrap();
    assert_eq!(disk.swept(), [""; 0], "the note has followed it");
}

#[test]
fn a_key_of_which_little_is_known_is_kept() {
    let note = |disk: &Disk| {
        paths_in(&disk.home.keys()).into_iter().find(|path| is(path, "place")).unwrap()
    };
    for text in ["", "{", "[]", "{}", "[{\"data_dir\":\"x\",\"parent\":null}]"] {
        let disk = Disk::with_vault_at("addon_data/plugin.video.x");
        fs::remove_dir_all(&disk.vault).unwrap();
        fs::write(note(&disk), text).unwrap();
        assert_eq!(disk.swept(), ALL, "{text}");
        fs::remove_file(note(&disk)).unwrap();
        assert_eq!(disk.swept(), ["key"]);
    }
}

#[test]
fn the_key_of_a_vault_in_quarantine_is_kept() {
    let disk = Disk::with_vault_at("addon_data/plugin.video.x");
    fs::rename(disk.vault.join("vault.db"), disk.vault.join("vault.damaged.db")).unwrap();
    fs::remove_file(disk.vault.join("vault.lock")).unwrap();
    assert_eq!(disk.swept(), ALL);
}

/// What a process does by itself, once it knows what day it is.
#[test]
fn the_first_opening_of_a_process_sweeps() {
    let disk = Disk::with_vault_at("addon_data/plugin.video.x");
    fs::remove_dir_all(&disk.vault).unwrap();
    // Nobody in this process has opened anything with these keys.
    let keys = disk.home.keys().with_extension("unseen");
    fs::rename(disk.home.keys(), &keys).unwrap();
    sweep(&keys, NOW);
    disk.home.clock.set(NOW + MONTH);
    let count = || paths_in(&keys).iter().filter(|path| is(path, "key")).count();
    drop(Vault::open(&disk.home.data(), &keys, disk.home.clock.clone()).unwrap());
    std::thread::sleep(Duration::from_millis(50));
    assert_eq!(count(), 2, "nobody knows whether a month has gone by");
    disk.home.clock.set_synchronised(true);
    drop(Vault::open(&disk.home.data(), &keys, disk.home.clock.clone()).unwrap());
    let start = Instant::now();
    while count() > 1 {
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
