//! Where a keeper's data and its device keys are.

use crate::error::{Error, Kind, Result};
use std::path::{Path, PathBuf};

/// The data directory and that of the keys; without `keys` they are in the user's data directory.
pub fn settle(directory: &Path, keys: Option<PathBuf>) -> Result<(PathBuf, PathBuf)> {
    let directory = settled(directory)?;
    let keys = match keys {
        Some(path) => settled(&path)?,
        None => dirs::data_local_dir()
            .map_or_else(|| directory.clone(), |base| base.join("sessionkeeper").join("keys")),
    };
    Ok((directory, keys))
}

/// One spelling for each directory, whether it exists or not: links are resolved as far as the
/// path exists.
fn settled(path: &Path) -> Result<PathBuf> {
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
