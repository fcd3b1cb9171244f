//! Reading a streamed answer, piece by piece or all that is left of it; it ends with its session,
//! and with the permission to use it, wherever that was ended.

use super::handle::Keeper;
use super::permissions::Standing;
use super::streams::{LOOK, Usage, session_over};
use crate::cancel::Cancel;
use crate::error::{Error, Kind, Result};
use crate::http::{Piece, Stream};
use crate::session::Session;
use serde::Serialize;

/// What is read at once of a stream that is read as a whole.
const PIECE: usize = 256 << 10;
const MIB: usize = 1 << 20;

/// A part of a streamed body.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ReceivedPiece {
    #[serde(skip)]
    pub body: Vec<u8>,
    /// Nothing comes after it, and its stream is closed.
    pub is_last: bool,
}

impl Keeper {
    /// Waits for the next piece of a streamed answer, of about `size` bytes; `None`: for all that
    /// is left. After an error nothing is left of it.
    pub fn read_stream(
        &self,
        number: u64,
        size: Option<usize>,
        cancel: &Cancel,
    ) -> Result<ReceivedPiece> {
        let mut body = Vec::new();
        loop {
            let mut piece = self.next_piece(number, size.unwrap_or(PIECE), cancel)?;
            if body.is_empty() {
                std::mem::swap(&mut body, &mut piece.bytes);
            }
            body.extend_from_slice(&piece.bytes);
            if size.is_some() || (piece.is_last && body.len() <= self.max_body) {
                return Ok(ReceivedPiece { body, is_last: piece.is_last });
            }
            if body.len() > self.max_body {
                self.close_stream(number);
                return Err(self.too_large());
            }
        }
    }

    /// Gives a streamed answer back, read or not.
    pub fn close_stream(&self, number: u64) {
        self.shared.streams.close(number);
    }

    pub(super) fn keep_stream(&self, session: &Session, stream: Stream) -> Result<u64> {
        let usage = Usage::new(session, self.caller.as_ref());
        let number = self.shared.streams.put(usage, stream);
        // A logout that came before has not seen it.
        if self.shared.sessions.has_ended(&session.id) {
            self.close_stream(number);
            return Err(session_over());
        }
        Ok(number)
    }

    fn next_piece(&self, number: u64, size: usize, cancel: &Cancel) -> Result<Piece> {
        let streams = &self.shared.streams;
        let reading = streams.begin(number, cancel)?;
        let look = || self.end_if_over(&reading.usage);
        if reading.wants_look {
            look();
        }
        let read = reading.stream.read(size, cancel, LOOK, &look);
        streams.end_read(number, read)
    }

    /// Another process may have ended the session, or the permission.
    fn end_if_over(&self, usage: &Usage) {
        match self.standing(usage) {
            Standing::Usable => {}
            Standing::Gone => {
                self.shared.streams.end_session(&usage.provider, Some(&usage.session_id));
            }
            Standing::Withheld => self.end_streams_of(usage.addon.as_deref(), &usage.account),
        }
    }

    pub(super) fn too_large(&self) -> Error {
        let size = match (self.max_body / MIB, self.max_body % MIB) {
            (size @ 1.., 0) => format!("{size} MiB"),
            _ => format!("{} bytes", self.max_body),
        };
        Error::new(Kind::UnexpectedAnswer, format!("the answer is larger than {size}"))
            .with_hint("Stream it, or allow for more with max_body.")
    }
}
