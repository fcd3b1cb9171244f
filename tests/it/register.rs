//! The register of private vaults.

use crate::fixture::{Device, never};
use crate::service::{Service, log_in};
use sessionkeeper::keeper::{Keeper, RegisteredVault};
use std::fs;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

const ADDON: &str = "plugin.video.x";

/// The shared device, and a private one that is registered there.
fn two() -> (Service, Device, Device) {
    let service = Service::start();
    let shared = service.device();
    let provider = shared.provider().clone();
    let private = Device::private(provider, &shared.clock, &shared.directory, ADDON);
    (service, shared, private)
}

fn entries(shared: &Device) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(shared.directory.join("data/vaults")) else { return Vec::new() };
    entries.map(|entry| entry.unwrap().path()).collect()
}

fn vaults(keeper: &Keeper) -> Vec<RegisteredVault> {
    let listed = keeper.vaults().unwrap();
    assert!(listed.vanished.is_empty());
    listed.vaults
}

/// As if it had been written two minutes ago.
fn age(path: &PathBuf) {
    let file = fs::File::options().append(true).open(path).unwrap();
    file.set_modified(SystemTime::now() - Duration::from_secs(120)).unwrap();
}

#[test]
fn a_private_vault_is_registered_once_it_is_there() {
    let (_service, shared, private) = two();
    assert!(entries(&shared).is_empty(), "opening touches no disk");
    assert!(vaults(&shared).is_empty());
    log_in(&private);
    let directory = private.directory.canonicalize().unwrap();
    let path = |name: &str| directory.join(name).to_str().unwrap().to_owned();
    let expected =
        RegisteredVault { addon: ADDON.to_owned(), data_dir: path("data"), key_dir: path("keys") };
    assert_eq!(vaults(&shared), [expected]);
    let [entry] = &entries(&shared)[..] else { panic!() };
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        assert_eq!(fs::metadata(entry).unwrap().mode() & 0o777, 0o600);
    }
    // It is left as it is.
    age(entry);
    let written = fs::metadata(entry).unwrap().modified().unwrap();
    let again = private.restarted();
    again.status().unwrap();
    assert_eq!(fs::metadata(entry).unwrap().modified().unwrap(), written);
    assert!(vaults(&private).is_empty(), "the register is the shared directory's");
}

#[test]
fn a_vault_that_has_vanished_is_told_once_and_dropped() {
    let (_service, shared, private) = two();
    log_in(&private);
    let [entry] = &entries(&shared)[..] else { panic!() };
    fs::remove_dir_all(private.directory.join("data")).unwrap();
    let young = shared.vaults().unwrap();
    assert_eq!((young.away.len(), young.vanished.len()), (1, 0), "it may be in the making");
    age(entry);
    let listed = shared.vaults().unwrap();
    assert_eq!((listed.vaults.len(), listed.vanished.len()), (0, 1));
    assert_eq!(listed.vanished[0].addon, ADDON);
    assert!(vaults(&shared).is_empty() && entries(&shared).is_empty());
    // Its add-on is installed again.
    let again = private.restarted();
    log_in(&again);
    again.status().unwrap();
    assert_eq!(vaults(&shared).len(), 1);
}

/// A network path that is not there, an empty mount point, a data directory that nobody may read.
#[test]
fn a_vault_that_is_only_away_is_kept() {
    let (_service, shared, private) = two();
    let disk = private.directory.join("disk");
    fs::create_dir(&disk).unwrap();
    let private = private.with_data_in(&disk.join("addon"));
    log_in(&private);
    age(&entries(&shared)[0]);
    let elsewhere = disk.with_extension("away");
    fs::rename(&disk, &elsewhere).unwrap();
    for has_mount_point in [false, true] {
        if has_mount_point {
            fs::create_dir_all(&private.directory).unwrap();
        }
        let listed = shared.vaults().unwrap();
        assert_eq!(listed.away.len(), 1, "{has_mount_point}");
        assert!(listed.vaults.is_empty() && listed.vanished.is_empty(), "{has_mount_point}");
        assert_eq!(entries(&shared).len(), 1);
    }
    fs::remove_dir_all(&disk).unwrap();
    fs::rename(&elsewhere, &disk).unwrap();
    assert_eq!(vaults(&shared).len(), 1, "it is back, and nobody had to open it");
}

#[test]
fn what_could_not_be_registered_is_at_the_next_use() {
    let (_service, shared, private) = two();
    let register = shared.directory.join("data/vaults");
    fs::create_dir_all(shared.directory.join("data")).unwrap();
    fs::write(&register, "").unwrap();
    log_in(&private);
    fs::remove_file(&register).unwrap();
    private.status().unwrap();
    assert_eq!(vaults(&shared).len(), 1);
    let log: String = private.take_log().into_iter().map(|(_, line)| line).collect();
    assert_eq!(log.matches("could not be registered").count(), 1, "{log}");
}

#[cfg(unix)]
#[test]
fn the_shared_vault_is_nobodys_own_by_another_name() {
    let (_service, shared, private) = two();
    log_in(&shared);
    for name in ["data", "keys"] {
        let _ = fs::remove_dir_all(private.directory.join(name));
        let target = shared.directory.join(name);
        std::os::unix::fs::symlink(target, private.directory.join(name)).unwrap();
    }
    let private = private.restarted();
    private.status().unwrap();
    assert!(entries(&shared).is_empty() && vaults(&shared).is_empty());
    private.renew(&never()).unwrap();
    assert!(private.events_after(0).iter().all(|event| event.addon.is_empty()));
}

#[test]
fn what_is_damaged_is_dropped_with_a_word_in_the_log() {
    let (_service, shared, private) = two();
    log_in(&private);
    let [entry] = entries(&shared).try_into().unwrap();
    let good = fs::read_to_string(&entry).unwrap();
    let register = entry.parent().unwrap();
    let cases = [
        "",
        "{",
        "[]",
        "null",
        &good.replace(ADDON, "\u{0}"),
        &good.replace("data_dir", "directory"),
        &good.replace("\"key_dir\":\"", "\"key_dir\":\"./"),
        &good.replace('}', ",\"more\":1}"),
        &good.replace(ADDON, &"x".repeat(70_000)),
        &good[..good.len() / 2],
    ];
    for text in cases {
        fs::write(&entry, text).unwrap();
        let listed = shared.logged(|| shared.vaults().unwrap());
        assert!(listed.vaults.is_empty() && listed.vanished.is_empty(), "{text}");
        assert!(!entry.exists(), "{text}");
        let log: String = shared.take_log().into_iter().map(|(_, line)| line).collect();
        assert!(log.contains("damaged"), "{text}: {log}");
        let again = private.restarted();
        again.status().unwrap();
        assert_eq!(fs::read_to_string(&entry).unwrap(), good, "the next opening writes it anew");
    }
    // An entry under another's name is nobody's.
    fs::write(register.join(format!("{}.json", "0".repeat(32))), &good).unwrap();
    assert_eq!(vaults(&shared).len(), 1);
    assert_eq!(entries(&shared).len(), 1);
    // What is no entry is left alone.
    fs::write(register.join("readme.txt"), "x").unwrap();
    assert_eq!((vaults(&shared).len(), entries(&shared).len()), (1, 2));
}

#[test]
fn events_name_the_add_on_whose_vault_it_is() {
    let (_service, shared, private) = two();
    log_in(&private);
    log_in(&shared);
    let addons = |keeper: &Keeper| keeper.events_after(0).into_iter().map(|one| one.addon);
    assert!(addons(&private).all(|addon| addon == ADDON));
    assert!(addons(&shared).all(|addon| addon.is_empty()));
    assert_eq!((addons(&private).count(), addons(&shared).count()), (1, 1));
}
