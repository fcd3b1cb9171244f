//! The quarantine: damaged files that are kept for inspection, as `vault.damaged-<UTC
//! date>-<n>.db`, with the journal where there was one. The newest five are kept; `forget` removes
//! them all.

use super::files::Directories;
use crate::clock::UnixTime;
use std::fs;
use std::path::{Path, PathBuf};
use time::OffsetDateTime;

/// A disk that damages the vault again and again must not be filled with what it has damaged.
const KEPT: usize = 5;

const START: &str = "vault.damaged-";

impl Directories {
    /// An unused name, for a file that goes into quarantine.
    pub fn quarantine(&self, now: UnixTime) -> PathBuf {
        let stamp = stamp(now);
        (1..=u32::MAX)
            .map(|n| self.data.join(format!("{START}{stamp}-{n}.db")))
            .find(|path| fs::symlink_metadata(path).is_err())
            .unwrap_or_else(|| self.data.join("vault.damaged.db"))
    }

    /// Removes the oldest files from quarantine; never `newest`, which a wrong clock may have dated
    /// before the others, and no directory that holds something.
    pub fn shorten_quarantine(&self, newest: &Path) {
        let mut kept: Vec<_> = self
            .named(START)
            .into_iter()
            .filter(|path| path != newest)
            .filter_map(|path| Some((age(&path)?, path)))
            .collect();
        kept.sort_unstable();
        let too_many = kept.len().saturating_sub(KEPT - 1);
        for (_, path) in kept.into_iter().take(too_many) {
            let _ = fs::remove_file(super::files::journal_of(&path));
            if fs::remove_file(&path).is_err() {
                let _ = fs::remove_dir(&path);
            }
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

/// What orders the kept files: the date, then the number. `None` for what is not named so.
fn age(path: &Path) -> Option<(String, u32)> {
    let name = path.file_name()?.to_str()?;
    let (stamp, number) = name.strip_prefix(START)?.strip_suffix(".db")?.split_once('-')?;
    Some((stamp.to_owned(), number.parse().ok()?))
}

/// `20261121T011854Z`; the first second of 1970 for a time that has no date.
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
