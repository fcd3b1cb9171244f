//! Answers that are read piece by piece, by number: until their end, until their session's, until
//! they are closed, or until nobody has read them for some minutes.

use crate::cancel::Cancel;
use crate::error::{Error, Kind, Result};
use crate::http::{Piece, Stream};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// So often another process's logout is looked for.
const LOOK: Duration = Duration::from_secs(1);

#[derive(Default)]
pub struct Streams(Mutex<Table>);

#[derive(Default)]
struct Table {
    last: u64,
    open: HashMap<u64, Open>,
}

struct Open {
    provider: String,
    session_id: String,
    /// `None`: the session has ended.
    stream: Option<Arc<Stream>>,
    /// Of the read under way.
    reader: Option<Cancel>,
    last_use: Instant,
    last_look: Instant,
}

/// A stream that is being read.
pub struct Reading {
    pub stream: Arc<Stream>,
    pub provider: String,
    pub session_id: String,
    /// True when it is time to look whether the session is still there.
    pub wants_look: bool,
}

impl Streams {
    /// Keeps a stream of this session for its reader, and gives its number.
    pub fn put(&self, provider: &str, session_id: &str, stream: Stream) -> u64 {
        let now = Instant::now();
        let open = Open {
            provider: provider.to_owned(),
            session_id: session_id.to_owned(),
            stream: Some(Arc::new(stream)),
            reader: None,
            last_use: now,
            last_look: now,
        };
        let mut table = self.table();
        table.last += 1;
        let number = table.last;
        table.open.insert(number, open);
        number
    }

    /// A read begins; it is cancelled when the session ends.
    pub fn begin(&self, number: u64, cancel: &Cancel) -> Result<Reading> {
        let mut table = self.table();
        let open = table.open.get_mut(&number).ok_or_else(unknown)?;
        let Some(stream) = open.stream.clone() else {
            table.open.remove(&number);
            return Err(session_over());
        };
        if open.reader.is_some() {
            let message = "this answer is being read by another thread";
            return Err(Error::new(Kind::InvalidInput, message));
        }
        open.reader = Some(cancel.clone());
        open.last_use = Instant::now();
        let wants_look = open.last_look.elapsed() > LOOK;
        if wants_look {
            open.last_look = open.last_use;
        }
        let (provider, session_id) = (open.provider.clone(), open.session_id.clone());
        Ok(Reading { stream, provider, session_id, wants_look })
    }

    /// The read is over; after the last one, or one that failed, nothing is left to read. Its
    /// result, unless the session ended meanwhile.
    pub fn end_read(&self, number: u64, read: Result<Piece>) -> Result<Piece> {
        let mut table = self.table();
        let Some(open) = table.open.get_mut(&number) else { return read };
        open.reader = None;
        open.last_use = Instant::now();
        let is_over = open.stream.is_none();
        if is_over || read.as_ref().map_or(true, |piece| piece.is_last) {
            table.open.remove(&number);
        }
        if is_over { Err(session_over()) } else { read }
    }

    /// Nobody reads it any more. An unknown one is no error.
    pub fn close(&self, number: u64) {
        let open = self.table().open.remove(&number);
        if let Some(reader) = open.and_then(|open| open.reader) {
            reader.cancel();
        }
    }

    /// The session has ended, or with `None` whichever there is at the provider: nothing of it
    /// goes on.
    pub fn end_session(&self, provider: &str, session_id: Option<&str>) {
        for open in self.table().open.values_mut() {
            if open.provider == provider && session_id.is_none_or(|id| id == open.session_id) {
                open.stream = None;
                open.reader.iter().for_each(Cancel::cancel);
            }
        }
    }

    pub fn end_all(&self) {
        for open in self.table().open.values_mut() {
            open.stream = None;
            open.reader.iter().for_each(Cancel::cancel);
        }
    }

    /// Closes those that nobody has read for so long: their readers are gone. True when none is
    /// left.
    pub fn close_unread(&self, longest: Duration) -> bool {
        let mut table = self.table();
        table.open.retain(|_, open| open.reader.is_some() || open.last_use.elapsed() < longest);
        table.open.is_empty()
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn unknown() -> Error {
    Error::new(Kind::InvalidInput, "there is nothing left to read of this answer")
        .with_hint("It was closed, a read of it failed, or it was left alone for five minutes.")
}

pub(super) fn session_over() -> Error {
    Error::new(Kind::NotSignedIn, "the session ended while its answer was read")
        .with_hint("Log in first.")
}
