//! The quarantine: damaged files are kept for inspection as `vault.damaged-<UTC date>-<n>.db`, with
//! their journals. The newest five are kept; `forget` removes them all.

use super::files::{Directories, journal_of};
use crate::clock::UnixTime;
use std::fs;
use std::path::{Path, PathBuf};
use time::OffsetDateTime;

/// A disk that keeps damaging the vault must not be filled with the remains.
const KEPT: usize = 5;

const START: &str = "vault.damaged-";

impl Directories {
    /// A free name for a file that goes into quarantine.
    pub fn quarantine(&self, now: UnixTime) -> PathBuf {
        let stamp = stamp(now);
        let name = |n: u32| self.data.join(format!("{START}{stamp}-{n:03}.db"));
        let free = (1..=999).map(name).find(|path| fs::symlink_metadata(path).is_err());
        free.unwrap_or_else(|| name(0))
    }

    /// Removes the oldest files from quarantine, but never `newest`, to which a wrong clock may
    /// have given an earlier date, and no directory that holds something.
    pub fn shorten_quarantine(&self, newest: &Path) {
        let mut kept = self.named(START);
        kept.retain(|path| path != newest && path.extension().is_some_and(|end| end == "db"));
        kept.sort_unstable();
        let too_many = kept.len().saturating_sub(KEPT - 1);
        for path in &kept[..too_many] {
            let _ = fs::remove_file(journal_of(path));
            let _ = fs::remove_file(path).or_else(|_| fs::remove_dir(path));
        }
    }
}

/// Removes every damaged file, key and journal.
pub fn empty(directories: &Directories) {
    for start in [START, "device.damaged-"] {
        for path in directories.named(start) {
            let _ = fs::remove_file(path);
        }
    }
}

/// `20261121T011854Z`; the first second of 1970 if the time has no date.
fn stamp(now: UnixTime) -> String {
    let at = OffsetDateTime::from_unix_timestamp(now.max(0)).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    let (year, month, day) = (at.year(), u8::from(at.month()), at.day());
    format!("{year:04}{month:02}{day:02}T{:02}{:02}{:02}Z", at.hour(), at.minute(), at.second())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_is_the_utc_date() {
        assert_eq!(stamp(0), "19700101T000000Z");
        assert_eq!(stamp(951_782_400), "20000229T000000Z");
        assert_eq!(stamp(1_795_223_934), "20261121T011854Z");
        assert_eq!(stamp(i64::MIN), "19700101T000000Z");
    }
}
