//! What this machine can do, for whoever looks for the cause of a trouble. It leaves everything as it is.

use super::handle::Keeper;
use crate::clock::UnixTime;
use crate::error::Result;
use crate::http;
use serde::Serialize;

/// What this machine can do, by area.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Doctor {
    pub versions: Versions,
    pub vault: VaultFacts,
    pub key: KeyFacts,
    pub locks: LockFacts,
    pub file_system: FileSystemFacts,
    pub tls: TlsFacts,
    pub clock: ClockFacts,
}

#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Versions {
    pub sessionkeeper: &'static str,
    pub sqlite: &'static str,
}

#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct VaultFacts {
    pub place: String,
    /// The version of the tables.
    pub schema: i64,
    pub is_sound: bool,
    /// When it was last noticed that an older copy of the vault had been put back.
    pub rolled_back_at: Option<UnixTime>,
}

#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct KeyFacts {
    pub place: String,
    /// True: a copy of the data directory can be opened.
    pub is_beside_the_vault: bool,
    pub is_readable_by_others: bool,
}

#[derive(Clone, Copy, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct LockFacts {
    pub across_processes: bool,
}

#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct FileSystemFacts {
    pub journal_mode: String,
    pub is_writable: bool,
}

#[derive(Clone, Copy, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct TlsFacts {
    /// How many certificate authorities are built in.
    pub bundled_roots: usize,
}

#[derive(Clone, Copy, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ClockFacts {
    pub now: UnixTime,
    pub is_plausible: bool,
    pub is_known: bool,
}

impl Keeper {
    /// What this machine can do. No network.
    pub fn doctor(&self) -> Result<Doctor> {
        let vault = self.vault()?;
        let clock = &self.shared.clock;
        let diagnosis = vault.diagnose()?;
        Ok(Doctor {
            versions: Versions {
                sessionkeeper: env!("CARGO_PKG_VERSION"),
                sqlite: diagnosis.sqlite,
            },
            vault: VaultFacts {
                place: self.shared.directory.display().to_string(),
                schema: diagnosis.schema,
                is_sound: diagnosis.is_sound,
                rolled_back_at: diagnosis.rolled_back_at,
            },
            key: KeyFacts {
                place: diagnosis.key_place.display().to_string(),
                is_beside_the_vault: diagnosis.key_beside_vault,
                is_readable_by_others: diagnosis.key_readable_by_others,
            },
            locks: LockFacts {
                across_processes: diagnosis.file_locks && self.shared.login_lock.can_lock(),
            },
            file_system: FileSystemFacts {
                journal_mode: diagnosis.journal_mode,
                is_writable: diagnosis.is_writable,
            },
            tls: TlsFacts { bundled_roots: http::bundled_roots() },
            clock: ClockFacts {
                now: clock.now(),
                is_plausible: clock.is_plausible(),
                is_known: clock.is_known(),
            },
        })
    }
}
