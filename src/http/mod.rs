//! Everything that goes over the network: the client, its limits, pages' forms.
//!
//! The only floor that names reqwest and rustls. It knows no provider: which hosts are allowed
//! comes in as [`Hosts`](crate::provider::Hosts), what an answer means is decided above.

mod answer;
mod client;
mod connect;
mod fault;
pub mod form;
mod limits;
mod request;
mod retry_after;
mod runtime;
mod settings;
mod stream;
mod tls;
mod worker;

pub use answer::Answer;
pub use client::Client;
pub use limits::Limits;
pub use request::{Body, Request, check_headers, set_by_the_session};
pub use settings::{Proxy, Resolve, Settings};
pub use stream::{Piece, Stream};

/// How many certificate authorities come with the module.
pub fn bundled_roots() -> usize {
    webpki_roots::TLS_SERVER_ROOTS.len()
}
