//! The cookies of a session: what an answer may set (RFC 6265bis 5.6 and 5.7), what a request
//! carries (5.8). Knows no request and no vault; sealing and sending are for others.

mod cookie;
mod date;
mod given;
mod jar;
mod set_cookie;

pub use given::GivenCookie;
pub use jar::Jar;
