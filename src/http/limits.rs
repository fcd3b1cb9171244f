//! What one request may take: so much time for each phase, so much of its answer.

use super::settings::Settings;
use std::time::Duration;

/// What a login, a renewal or a logout reads of an answer's body, after decoding.
const SMALL_BODY: usize = 1 << 20;

/// How long a request may take, and how much of its answer is taken.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Until the connection stands, name look-up and TLS included.
    pub connect: Duration,
    /// Until the answer's headers are there, and between two pieces of its body.
    pub answer: Duration,
    /// For all of it, redirects and body included; for a stream, until that is handed over.
    pub total: Duration,
    /// Bytes of a body, after decoding; a longer one is cut.
    pub body: usize,
    /// The body of a good answer (2xx) is left to be read, with at most so long between two pieces.
    pub stream: Option<Duration>,
}

impl Limits {
    pub(super) fn of(settings: &Settings) -> Self {
        Limits {
            connect: settings.connect_timeout,
            answer: settings.answer_timeout,
            total: settings.total_timeout,
            body: SMALL_BODY,
            stream: None,
        }
    }
}
