//! OAuth 2.0 as the core speaks it: what it makes of an issuer's answers, and what it sends there.
//! The certified server is in tests/servers/oidc.

mod account;
mod device_login;
mod discovery;
mod logout;
mod polling;
mod renewal;
