//! The provider definitions that waiting entries were made with, each stored once.
//!
//! A definition is found by its SHA-256, which is in the sealed part of the entry. It is deleted with
//! the last entry that names it. An entry whose definition was lost is kept: the provider's present
//! definition mostly serves as well.

use super::error::{VaultError, VaultResult};
use super::seal::{Keys, Place, Purpose};
use ring::digest;
use rusqlite::{Connection, OptionalExtension, Transaction, params};
use std::collections::HashMap;

/// Reads definitions, each one once.
pub struct Definitions<'a> {
    connection: &'a Connection,
    keys: &'a Keys,
    known: HashMap<String, String>,
}

impl<'a> Definitions<'a> {
    pub fn new(connection: &'a Connection, keys: &'a Keys) -> Self {
        Definitions { connection, keys, known: HashMap::new() }
    }

    /// The definition of that hash; empty where it is not there.
    pub fn find(&mut self, hash: &str) -> VaultResult<String> {
        if let Some(definition) = self.known.get(hash) {
            return Ok(definition.clone());
        }
        let definition = match sealed(self.connection, hash)? {
            Some(sealed) => open(self.keys, hash, &sealed).ok_or(VaultError::BadRow)?,
            None => String::new(),
        };
        self.known.insert(hash.to_owned(), definition.clone());
        Ok(definition)
    }
}

/// Stores a definition, unless it is there, and gives its hash.
pub fn store(transaction: &Transaction<'_>, keys: &Keys, definition: &str) -> VaultResult<String> {
    let hash = hash_of(definition);
    let there = sealed(transaction, &hash)?.and_then(|sealed| open(keys, &hash, &sealed));
    if there.is_none() {
        transaction.execute(
            "INSERT OR REPLACE INTO definitions (hash, sealed) VALUES (?1, ?2)",
            params![hash, keys.seal(&definition, place(&hash))?],
        )?;
    }
    Ok(hash)
}

/// Deletes the definitions that no entry names any more.
pub fn sweep(transaction: &Transaction<'_>) -> VaultResult<()> {
    transaction.execute(
        "DELETE FROM definitions
         WHERE NOT EXISTS (SELECT 1 FROM outbox WHERE outbox.definition = definitions.hash)",
        [],
    )?;
    Ok(())
}

pub fn delete_unreadable(transaction: &Transaction<'_>, keys: &Keys) -> VaultResult<()> {
    let mut bad = Vec::new();
    let mut statement = transaction.prepare("SELECT row, hash, sealed FROM definitions")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let hash: String = row.get(1)?;
        let sealed = row.get_ref(2)?.as_blob().map_err(|_| VaultError::Damaged)?;
        if open(keys, &hash, sealed).is_none() {
            bad.push(row.get::<_, i64>(0)?);
        }
    }
    for row in bad {
        transaction.execute("DELETE FROM definitions WHERE row = ?1", [row])?;
    }
    Ok(())
}

/// `None` where it does not open, or is not what the hash says.
pub fn open(keys: &Keys, hash: &str, sealed: &[u8]) -> Option<String> {
    keys.open::<String>(sealed, place(hash)).filter(|definition| hash_of(definition) == hash)
}

fn sealed(connection: &Connection, hash: &str) -> VaultResult<Option<Vec<u8>>> {
    let mut statement =
        connection.prepare_cached("SELECT sealed FROM definitions WHERE hash = ?1")?;
    Ok(statement.query_row([hash], |row| row.get(0)).optional()?)
}

/// SHA-256, in hexadecimal digits.
pub fn hash_of(text: &str) -> String {
    let hash = digest::digest(&digest::SHA256, text.as_bytes());
    hash.as_ref().iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}

fn place(hash: &str) -> Place<'_> {
    Place { purpose: Purpose::Definition, provider: "", account: "", row: hash }
}
