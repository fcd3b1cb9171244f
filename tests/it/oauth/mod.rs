//! OAuth 2.0 as the core speaks it: what it makes of an issuer's answers, and what it sends there.
//! The certified server is in tests/servers/oidc.

mod account;
pub mod browser_listener;
mod browser_login;
mod device_login;
mod dialects;
mod discovery;
mod logout;
mod polling;
mod renewal;
