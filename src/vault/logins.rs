//! Logins under way: a file for each, written before the server may open a session, brought up to
//! date with what came, and removed once that is in the database.
//!
//! What a crash leaves here is a session that may live at the server and that nobody holds. A file
//! of its own, because it has to be there in the moment the answer is: one write and one fsync,
//! where a transaction takes five. Whoever logs in keeps it locked, so that a lock that can be had
//! tells of a process that has ended. It is sealed with a key of its own and cannot restore a
//! session.

use super::error::explain_io;
use super::files::{Directories, sync_directory};
use super::seal::{Aad, Keys, Purpose};
use super::store::Vault;
use crate::error::Result;
use crate::lock::Locked;
use crate::session::Revocation;
use serde::{Deserialize, Serialize};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

//  The file `login-<session id>`: one record after the other, of which the last whole one counts.
//
//      | length: 4, little-endian | sealed: length |

const PREFIX: &str = "login-";

/// Longer files are not ours.
const LONGEST: u64 = 16 << 20;

/// Where files cannot be locked, a login counts as lost after this time; none takes longer.
const NO_LOGIN_TAKES: Duration = Duration::from_secs(2 * 3600);

/// A login that has begun.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BegunLogin {
    /// The id of the session that is to come.
    pub session_id: String,
    /// The provider's key.
    pub provider: String,
    /// What ends the session, as far as the server has given anything.
    pub revocation: Option<Revocation>,
    /// True: the session is somebody else's until it is stored.
    pub is_adoption: bool,
}

/// The note of a login under way; dropping it leaves the note to others.
pub struct LoginNote {
    path: PathBuf,
    file: Locked,
    keys: Arc<Keys>,
}

impl LoginNote {
    /// Adds what came, durably.
    pub fn update(&self, login: &BegunLogin) -> Result<()> {
        let sealed = self.keys.seal(login, aad(&login.session_id))?;
        let length = u32::try_from(sealed.len()).unwrap_or(u32::MAX);
        let record = [&length.to_le_bytes()[..], &sealed].concat();
        self.file.append(&record).map_err(|error| refused(&error, &self.path))
    }

    /// The login is over, and everything that came of it is in the database.
    pub fn remove(&self) {
        if let Err(error) = fs::remove_file(&self.path) {
            log::warn!("the note of a login cannot be removed ({})", error.kind());
        }
    }

    /// The last record that is whole; `None` where there is none that opens.
    fn read(&self) -> Option<BegunLogin> {
        let bytes = self.file.bytes(LONGEST).ok()?;
        let session_id = session_of(&self.path)?;
        let mut rest = bytes.as_slice();
        let mut last = None;
        while let Some((length, after)) = rest.split_first_chunk::<4>() {
            let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
            let Some((sealed, after)) = after.split_at_checked(length) else { break };
            last = self.keys.open(sealed, aad(session_id)).or(last);
            rest = after;
        }
        last
    }
}

impl Vault {
    /// Notes, durably, that a login has begun.
    pub fn begin_login(&self, login: &BegunLogin) -> Result<LoginNote> {
        let keys = self.keys()?;
        let path = self.store.directories.data.join(format!("{PREFIX}{}", login.session_id));
        let file = create(&path).map_err(|error| refused(&error, &path))?;
        let note = LoginNote { path, file, keys };
        let noted = note.update(login).and_then(|()| {
            sync_directory(&self.store.directories.data)
                .map_err(|error| refused(&error, &note.path))
        });
        noted.inspect_err(|_| note.remove())?;
        Ok(note)
    }

    /// True when a login is under way, or one was interrupted.
    pub fn has_logins(&self) -> bool {
        !notes(&self.store.directories).is_empty()
    }

    /// The logins whose processes have ended, each with its note. What cannot be read is removed.
    pub fn lost_logins(&self) -> Result<Vec<(BegunLogin, LoginNote)>> {
        let paths = notes(&self.store.directories);
        if paths.is_empty() {
            return Ok(Vec::new());
        }
        let keys = self.keys()?;
        let lost = paths.into_iter().filter_map(|path| {
            let file = Locked::open(&path, false).ok().flatten()?;
            if !file.is_held() && file.age().is_none_or(|age| age < NO_LOGIN_TAKES) {
                return None;
            }
            let note = LoginNote { path, file, keys: Arc::clone(&keys) };
            let login = note.read();
            if login.is_none() {
                log::warn!("an interrupted login has left a note that cannot be read");
                note.remove();
            }
            Some((login?, note))
        });
        Ok(lost.collect())
    }
}

/// A new file, locked. Somebody who looks for lost logins may have found it first.
fn create(path: &Path) -> io::Result<Locked> {
    for _ in 0..100 {
        if let Some(file) = Locked::open(path, true)? {
            return Ok(file);
        }
        thread::sleep(Duration::from_millis(1));
    }
    Err(io::ErrorKind::WouldBlock.into())
}

/// Removes all notes, of logins under way as well.
pub fn remove_notes(directories: &Directories) {
    for path in notes(directories) {
        let _ = fs::remove_file(path);
    }
}

fn notes(directories: &Directories) -> Vec<PathBuf> {
    let mut paths = directories.named(PREFIX);
    paths.retain(|path| session_of(path).is_some_and(super::lock::is_id));
    paths
}

fn session_of(path: &Path) -> Option<&str> {
    path.file_name()?.to_str()?.strip_prefix(PREFIX)
}

fn aad(session_id: &str) -> Aad<'_> {
    Aad { purpose: Purpose::Login, provider: "", account: "", id: session_id }
}

fn refused(error: &io::Error, path: &Path) -> crate::error::Error {
    explain_io(error, "the login cannot be noted", path.parent().unwrap_or(path))
}
