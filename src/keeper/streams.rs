//! Answers that are read piece by piece, by number: until their end, until their session's, until
//! the viewer withdraws her permission, until they are closed, or until nobody has read them for
//! some minutes.

use crate::cancel::Cancel;
use crate::error::{Error, Kind, Result};
use crate::http::{Piece, Stream};
use crate::session::Session;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// So often it is looked for what other processes have ended.
pub(super) const LOOK: Duration = Duration::from_secs(1);

#[derive(Default)]
pub struct Streams(Mutex<Table>);

#[derive(Default)]
struct Table {
    last: u64,
    open: HashMap<u64, Open>,
}

/// Whose session it is, and which add-on uses it.
#[derive(Clone)]
pub struct Usage {
    pub provider: String,
    pub session_id: String,
    pub account: String,
    /// `None`: nobody has to be asked.
    pub addon: Option<String>,
}

impl Usage {
    pub fn new(session: &Session, addon: Option<&String>) -> Self {
        Usage {
            provider: session.provider.clone(),
            session_id: session.id.clone(),
            account: session.account.id.clone(),
            addon: addon.cloned(),
        }
    }
}

struct Open {
    usage: Usage,
    /// Or why it has ended.
    stream: Result<Arc<Stream>>,
    /// Of the read under way.
    reader: Option<Cancel>,
    last_use: Instant,
    last_look: Instant,
}

/// A stream that is being read.
pub struct Reading {
    pub stream: Arc<Stream>,
    pub usage: Usage,
    /// True when it is time to look whether it may still be read.
    pub wants_look: bool,
}

impl Streams {
    /// Keeps a stream for its reader, and gives its number.
    pub fn put(&self, usage: Usage, stream: Stream) -> u64 {
        let now = Instant::now();
        let open = Open {
            usage,
            stream: Ok(Arc::new(stream)),
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

    /// A read begins; it is cancelled when the stream ends.
    pub fn begin(&self, number: u64, cancel: &Cancel) -> Result<Reading> {
        let mut table = self.table();
        let open = table.open.get_mut(&number).ok_or_else(unknown)?;
        let stream = match open.stream.clone() {
            Ok(stream) => stream,
            Err(why) => {
                table.open.remove(&number);
                return Err(why);
            }
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
        Ok(Reading { stream, usage: open.usage.clone(), wants_look })
    }

    /// The read is over; after the last one, or one that failed, nothing is left to read. Its
    /// result, unless the stream ended meanwhile.
    pub fn end_read(&self, number: u64, read: Result<Piece>) -> Result<Piece> {
        let mut table = self.table();
        let Some(open) = table.open.get_mut(&number) else { return read };
        open.reader = None;
        open.last_use = Instant::now();
        let read = open.stream.clone().and(read);
        if read.as_ref().map_or(true, |piece| piece.is_last) {
            table.open.remove(&number);
        }
        read
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
        self.end(&session_over(), |usage| {
            usage.provider == provider && session_id.is_none_or(|id| id == usage.session_id)
        });
    }

    pub fn end_all(&self) {
        self.end(&session_over(), |_| true);
    }

    /// Those that are meant can be read no further.
    pub fn end(&self, why: &Error, is_meant: impl Fn(&Usage) -> bool) {
        for open in self.table().open.values_mut().filter(|open| is_meant(&open.usage)) {
            open.stream = Err(why.clone());
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
