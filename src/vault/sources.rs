//! What a damaged vault is read from: copies, as a rule, so that the file itself stays as it was
//! found. Only for whoever is alone with the vault.
//!
//! There are up to two: the file as it is, and the file with the first page of a new vault, which
//! helps where only the header or the schema is damaged. A journal that still has to be played back
//! is copied as well; without it a transaction that a crash has cut would be read half written.

use super::error::{VaultResult, explain_io};
use super::files::{Directories, create_file, journal_of, open_file};
use super::{key, schema};
use crate::error::Result;
use rusqlite::Connection;
use std::fs::{self, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

/// The first page: header and schema, the same in each vault of a version.
const PAGE: usize = 4096;

/// A larger file is read where it lies.
const COPIED: u64 = 256 << 20;

/// A larger one that cannot be read where it lies is kept aside unread. An outbox of a hundred
/// thousand entries takes a tenth of this.
const LARGEST: u64 = 4 << 30;

pub struct Source {
    pub connection: Connection,
    copy: Option<PathBuf>,
}

impl Source {
    /// The sources of the vault that can be read as one of ours.
    pub fn all(directories: &Directories) -> Result<Vec<Source>> {
        let vault = directories.vault();
        let length = fs::metadata(&vault).map(|found| found.len()).unwrap_or_default();
        Source::up_to(directories, length, COPIED)
    }

    /// As `all`, with a limit that a test can lower.
    pub(super) fn up_to(
        directories: &Directories,
        length: u64,
        copied: u64,
    ) -> Result<Vec<Source>> {
        let mut sources = Vec::new();
        if length <= copied {
            sources.extend(Source::copy(directories, None)?);
        } else if let Ok(connection) = connect(&directories.vault()) {
            return Ok(vec![Source { connection, copy: None }]);
        }
        if length <= LARGEST {
            if let Some(page) = first_page(directories) {
                sources.extend(Source::copy(directories, Some(&page))?);
            }
        }
        Ok(sources)
    }

    /// Closes it, and removes the copy.
    pub fn discard(self) {
        drop(self.connection);
        if let Some(copy) = self.copy {
            remove(&copy);
        }
    }

    fn copy(directories: &Directories, first_page: Option<&[u8]>) -> Result<Option<Source>> {
        let path = directories.fresh(&key::random_id()?);
        if let Err(error) = copy(directories, &path, first_page) {
            remove(&path);
            let what = "the damaged vault cannot be copied";
            return Err(explain_io(&error, what, &directories.data));
        }
        if let Ok(connection) = connect(&path) {
            return Ok(Some(Source { connection, copy: Some(path) }));
        }
        remove(&path);
        Ok(None)
    }
}

/// Tables that are not ours would be misread.
fn connect(path: &Path) -> VaultResult<Connection> {
    let connection = schema::connect(path)?;
    schema::recognise(&connection)?;
    Ok(connection)
}

/// Only under the directory's lock: closing any descriptor of the file drops SQLite's own locks.
fn copy(directories: &Directories, to: &Path, first_page: Option<&[u8]>) -> io::Result<()> {
    let mut from = open_file(&directories.vault(), false, false)?;
    let mut copy = create_file(to)?;
    if let Some(page) = first_page {
        io::copy(&mut (&mut from).take(PAGE as u64), &mut io::sink())?;
        copy.write_all(page)?;
    }
    io::copy(&mut from, &mut copy)?;
    if let Ok(mut journal) = open_file(&directories.journal(), false, false) {
        io::copy(&mut journal, &mut create_file(&journal_of(to))?)?;
    }
    Ok(())
}

fn first_page(directories: &Directories) -> Option<Vec<u8>> {
    let path = directories.fresh(&key::random_id().ok()?);
    let made = create_file(&path).ok().and_then(|_| {
        let mut connection = schema::connect(&path).ok()?;
        schema::create(&mut connection).ok()
    });
    let mut page = vec![0; PAGE];
    let read = made
        .and_then(|()| OpenOptions::new().read(true).open(&path).ok()?.read_exact(&mut page).ok());
    let _ = fs::remove_file(&path);
    read?;
    // The number of pages is taken from the file's length where these two differ.
    page[92..96].fill(0);
    // No free pages: those of the damaged file are not known.
    page[32..40].fill(0);
    Some(page)
}

fn remove(copy: &Path) {
    let _ = fs::remove_file(copy);
    let _ = fs::remove_file(journal_of(copy));
}
