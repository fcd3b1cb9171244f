//! Whether the server takes a session, as far as it can be asked without changing anything.

use crate::context::Context;
use crate::error::Error;
use crate::login::{self, Known};
use crate::logout::{self, Tried};
use crate::session::Credentials;

/// What the server has said of a session that it has not accepted.
pub(super) struct Doubt {
    pub is_refused: bool,
    /// Why whose it is could not be asked.
    pub unclear: Option<Error>,
}

impl Doubt {
    /// Asks whose the session is, and as its logout is proved. `None`: the server accepts it.
    pub fn about(context: &Context, held: &mut Credentials) -> Option<Self> {
        let mut doubt = Doubt { is_refused: false, unclear: None };
        match login::is_known(context, held) {
            Known::Yes => return None,
            Known::No => doubt.is_refused = true,
            Known::Unclear(error) => doubt.unclear = Some(error),
            Known::Nobody => {}
        }
        match logout::probe(context, held) {
            Tried::Accepted => return None,
            Tried::Refused(_) => doubt.is_refused = true,
            Tried::Unclear => {}
        }
        Some(doubt)
    }
}
