//! Where a keeper's data and its device keys are.

use crate::error::{Error, Kind, Result};
use std::path::{Path, PathBuf};

/// The name below the user's local data, which roams to no other machine.
const DATA: &str = "sessionkeeper";
/// Beside that and not inside: a copy of the data opens nothing.
const KEYS: &str = "sessionkeeper-keys";

/// The user's own data directory, for a keeper of which none is named.
pub fn own() -> Result<PathBuf> {
    let base = user_data()?.ok_or_else(|| {
        Error::new(Kind::Storage, "the system names no directory for user data")
            .with_hint("Name one with --data-dir, or set HOME.")
    })?;
    Ok(base.join(DATA))
}

/// The data directory and that of the keys; without `keys` they are in the user's data directory,
/// and where the system names none, in the same.
pub fn settle(directory: &Path, keys: Option<PathBuf>) -> Result<(PathBuf, PathBuf)> {
    let directory = settled(directory)?;
    let keys = match keys {
        Some(path) => settled(&path)?,
        None => user_data()?.map_or_else(|| directory.clone(), |base| base.join(KEYS)),
    };
    Ok((directory, keys))
}

/// Where the system wants the user's local data.
fn user_data() -> Result<Option<PathBuf>> {
    match dirs::data_local_dir() {
        Some(base) if base.is_relative() => {
            let message = "the home directory is not an absolute path";
            let hint = "Set HOME to where the user's files are, as in /home/viewer.";
            Err(Error::new(Kind::Storage, message).with_hint(hint))
        }
        base => Ok(base),
    }
}

/// One spelling for each directory, whether it exists or not: links are resolved as far as the
/// path exists.
pub fn settled(path: &Path) -> Result<PathBuf> {
    let path = std::path::absolute(path).map_err(|error| {
        Error::new(
            Kind::InvalidInput,
            format!("'{}' is not a directory ({})", path.display(), error.kind()),
        )
    })?;
    for ancestor in path.ancestors() {
        if let (Ok(real), Ok(rest)) = (ancestor.canonicalize(), path.strip_prefix(ancestor)) {
            return Ok(if rest.as_os_str().is_empty() { real } else { real.join(rest) });
        }
    }
    Ok(path)
}
