//! What the core makes of the answers of an OAuth 2.0 issuer, and what it sends there. Each answer is
//! written by the test that is about it; the certified server is in tests/servers/oidc.

mod authorization;
