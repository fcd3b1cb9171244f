//! What talking to a provider's server takes, for logins and logouts alike.

use crate::cancel::Cancel;
use crate::clock::Clock;
use crate::http::Client;
use crate::provider::Provider;

#[derive(Clone, Copy)]
pub struct Context<'a> {
    pub client: &'a Client,
    pub provider: &'a Provider,
    pub clock: &'a dyn Clock,
    pub cancel: &'a Cancel,
}
