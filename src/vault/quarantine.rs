//! The files kept aside for later inspection: `vault.damaged-<UTC date>-<n>.db`, with its journal
//! where it had one. The newest five are kept; `forget` removes them all.

use super::files::Directories;
use crate::clock::UnixTime;
use std::fs;
use std::path::{Path, PathBuf};

/// A disk that damages the vault again and again is not to be filled by what it has damaged.
const KEPT: usize = 5;

const START: &str = "vault.damaged-";

impl Directories {
    /// A name that nothing has, for a file that is kept aside.
    pub fn aside(&self, now: UnixTime) -> PathBuf {
        let stamp = stamp(now);
        (1..=u32::MAX)
            .map(|n| self.data.join(format!("{START}{stamp}-{n}.db")))
            .find(|path| fs::symlink_metadata(path).is_err())
            .unwrap_or_else(|| self.data.join("vault.damaged.db"))
    }

    /// Removes the oldest of the files kept aside; never `newest`, which a wrong clock may have
    /// dated before the others, and no directory that holds something.
    pub fn keep_few_aside(&self, newest: &Path) {
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

/// What orders the kept files: the date, then the number. `None` for what is not named so.
fn age(path: &Path) -> Option<(String, u32)> {
    let name = path.file_name()?.to_str()?;
    let (stamp, number) = name.strip_prefix(START)?.strip_suffix(".db")?.split_once('-')?;
    Some((stamp.to_owned(), number.parse().ok()?))
}

/// `20261121T011854Z`. Days to a date as in Howard Hinnant's `civil_from_days`.
fn stamp(now: UnixTime) -> String {
    let now = now.clamp(0, 253_402_300_799);
    let (days, second) = (now / 86_400 + 719_468, now % 86_400);
    let era = days / 146_097;
    let day_of_era = days % 146_097;
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    format!("{year:04}{month:02}{day:02}T{hour:02}{minute:02}{second:02}Z")
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
