//! Where a data directory is, noted so that one that was deleted can be told from one whose disk or
//! network path is only away.
//!
//! It is gone only where the directory that held it is still the very same one. That says nothing at
//! the root of a file system or directly below it, where another may be mounted another day, nor on
//! systems whose directories have no identity: what was there is never called gone.

use crate::lock::{Identity, identity};
use serde::{Deserialize, Serialize};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Place {
    pub data_dir: PathBuf,
    /// The directory that holds it; `None`: its absence would say nothing.
    parent: Option<Holder>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Holder {
    device: u64,
    inode: u64,
    /// Two disks may number their directories alike; `None` where the file system does not say.
    made: Option<SystemTime>,
}

impl Place {
    /// As it is now.
    pub fn of(data_dir: &Path) -> Self {
        let mut levels = data_dir.ancestors().map(|path| fs::metadata(path).ok());
        let levels = [(); 3].map(|()| levels.next().flatten());
        let is_told = is_on_one_disk(levels.each_ref().map(|found| identity(found.as_ref()?)));
        let [_, parent, _] = levels;
        let parent = parent.filter(|_| is_told).and_then(|found| Holder::of(&found));
        Place { data_dir: data_dir.to_owned(), parent }
    }

    /// The directory that held it, where that is still the same one.
    pub fn same_parent(&self) -> Option<&Path> {
        let parent = self.data_dir.parent()?;
        let now = Holder::of(&fs::metadata(parent).ok()?)?;
        (self.parent.as_ref() == Some(&now)).then_some(parent)
    }

    /// True where the data directory is certainly not there, or holds no vault, whole or in
    /// quarantine.
    pub fn is_gone(&self) -> bool {
        self.same_parent().is_some() && self.has_no_vault()
    }

    fn has_no_vault(&self) -> bool {
        match fs::metadata(&self.data_dir) {
            Ok(found) => {
                let is_own = |parent: &Holder| {
                    identity(&found).is_some_and(|(device, _)| device == parent.device)
                };
                self.parent.as_ref().is_some_and(is_own) && holds_no_vault(&self.data_dir)
            }
            Err(error) => error.kind() == io::ErrorKind::NotFound,
        }
    }
}

impl Holder {
    fn of(found: &fs::Metadata) -> Option<Self> {
        let (device, inode) = identity(found)?;
        Some(Holder { device, inode, made: found.created().ok() })
    }
}

/// Of the data directory, its parent and the parent of that.
fn is_on_one_disk(found: [Identity; 3]) -> bool {
    let [device, parent, grandparent] = found.map(|found| found.map(|(device, _)| device));
    device.is_some() && device == parent && parent == grandparent
}

fn holds_no_vault(directory: &Path) -> bool {
    let Ok(mut entries) = fs::read_dir(directory) else { return false };
    entries.all(|entry| {
        entry.is_ok_and(|entry| entry.path().extension().is_none_or(|end| end != "db"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_a_disk_may_be_mounted_nothing_is_noted() {
        let (one, other) = (Some((1, 10)), Some((2, 10)));
        assert!(is_on_one_disk([one; 3]));
        assert!(!is_on_one_disk([other, one, one]), "the root of a disk");
        assert!(!is_on_one_disk([other, other, one]), "directly below it");
        assert!(!is_on_one_disk([None; 3]), "no identities");
        assert!(!is_on_one_disk([one, one, None]));
        // It has no directory above.
        assert_eq!(Place::of(Path::new("/")).parent, None);
        #[cfg(target_os = "linux")]
        assert_eq!(Place::of(Path::new("/proc/1")).parent, None);
    }

    #[cfg(unix)]
    #[test]
    fn a_directory_like_the_one_that_held_it_is_another() {
        let home = tempfile::tempdir().unwrap();
        let data_dir = home.path().join("parent/data");
        fs::create_dir_all(&data_dir).unwrap();
        let place = Place::of(&data_dir);
        assert!(place.is_gone(), "there is no vault in it");
        let changed = |change: fn(&mut Holder)| {
            let mut place = place.clone();
            change(place.parent.as_mut().unwrap());
            place.is_gone()
        };
        assert!(!changed(|holder| holder.device += 1));
        assert!(!changed(|holder| holder.inode += 1));
        assert!(!changed(|holder| holder.made = Some(SystemTime::UNIX_EPOCH)));
        assert!(!Place { parent: None, ..place.clone() }.is_gone());
        fs::write(data_dir.join("vault.db"), "").unwrap();
        assert!(!place.is_gone());
        fs::remove_dir_all(&data_dir).unwrap();
        assert!(place.is_gone());
    }
}
