//! The vault as a file: how a complete one is written, and what it says about itself.
//!
//! `opening` decides whether a file may be used, and `rebuild` deals with a damaged one.

use super::error::{VaultError, VaultResult, explain_io};
use super::files::{Directories, create_file, random_id};
use super::key::{self, KeyFile};
use super::lock::is_id;
use super::rollback::Mark;
use super::schema;
use super::seal::{Aad, Keys, Purpose};
use crate::error::Result;
use crate::lock::Identity;
use rusqlite::{Connection, Transaction, params};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The check value, which proves a key, and its place.
const CHECK: &str = "sessionkeeper";
const CHECK_AAD: Aad<'_> = Aad { purpose: Purpose::Check, provider: "", account: "", id: "" };

/// An open vault.
pub struct Open {
    pub connection: Connection,
    pub keys: Arc<Keys>,
    pub key_file: KeyFile,
    pub identity: Identity,
    pub mark: Mark,
    /// True for an old copy that was put back.
    pub is_rolled_back: bool,
    version: i64,
}

impl Open {
    pub fn new(
        mut connection: Connection,
        keys: Keys,
        key_file: KeyFile,
        identity: Identity,
    ) -> VaultResult<Self> {
        let mut mark = Mark::of(&key_file);
        let is_rolled_back = mark.is_ahead_of(&mut connection)?;
        mark.follow(&connection)?;
        let version = data_version(&connection)?;
        let keys = Arc::new(keys);
        Ok(Open { connection, keys, key_file, identity, mark, is_rolled_back, version })
    }

    /// True if another connection has written since this was last asked.
    pub fn was_written_by_others(&mut self) -> VaultResult<bool> {
        let version = data_version(&self.connection)?;
        Ok(std::mem::replace(&mut self.version, version) != version)
    }
}

/// Writes a complete vault under a temporary name; `fill` adds the first rows. The caller sweeps up
/// what a failure leaves.
pub fn build(
    directories: &Directories,
    keys: &Keys,
    fill: impl FnOnce(&Transaction<'_>) -> VaultResult<()>,
) -> Result<PathBuf> {
    let path = directories.fresh(&random_id()?);
    write(&path, keys, fill).map_err(|failure| failure.explain(&directories.data))?;
    Ok(path)
}

/// The id and the key of a new vault.
pub fn create_keys(directories: &Directories) -> Result<(KeyFile, Keys)> {
    let vault = random_id()?;
    let key_file = key::create(directories, &vault)?;
    let keys = Keys::derive(&key_file.key, &vault)?;
    Ok((key_file, keys))
}

/// True if the sealed check value proves the key.
pub fn opens_check(keys: &Keys, sealed: &[u8]) -> bool {
    keys.open::<String>(sealed, CHECK_AAD).is_some_and(|text| text == CHECK)
}

/// The vault's id and its sealed check value.
pub fn read_meta(connection: &Connection) -> VaultResult<(String, Vec<u8>)> {
    let select = "SELECT vault, sealed FROM meta WHERE one = 1";
    let (vault, sealed): (String, _) =
        connection.query_row(select, [], |row| Ok((row.get(0)?, row.get(1)?)))?;
    if is_id(&vault) { Ok((vault, sealed)) } else { Err(VaultError::Damaged) }
}

fn write(
    path: &Path,
    keys: &Keys,
    fill: impl FnOnce(&Transaction<'_>) -> VaultResult<()>,
) -> VaultResult<()> {
    let failed =
        |error| explain_io(&error, "the vault cannot be created", path.parent().unwrap_or(path));
    drop(create_file(path).map_err(failed)?);
    let mut connection = schema::connect(path)?;
    schema::create(&mut connection)?;
    let transaction = connection.transaction()?;
    transaction.execute(
        "INSERT INTO meta (one, vault, sealed, generation, commits) VALUES (1, ?1, ?2, 0, '')",
        params![keys.vault(), keys.seal(&CHECK, CHECK_AAD)?],
    )?;
    fill(&transaction)?;
    transaction.commit()?;
    connection.close().map_err(|(_, error)| VaultError::from(error))
}

/// Changes when another connection writes, in this process or another. Reads 16 bytes of the file.
fn data_version(connection: &Connection) -> VaultResult<i64> {
    Ok(connection.prepare_cached("PRAGMA data_version")?.query_row([], |row| row.get(0))?)
}
