//! Logging in by one request with the name and the password, answered with JSON, cookies or both.
//!
//! Once it is sent it is not cancelled: the server may have opened a session by then, and somebody
//! has to know of it.

use super::{read_answer, refused, sent_elsewhere, unexpected};
use crate::cancel::Cancel;
use crate::credentials::Credentials;
use crate::error::Result;
use crate::http::Request;
use crate::provider::{PasswordLogin, Values};
use crate::secret::Secret;
use crate::visit::Visit;

const NAME: &str = "the login";

pub(super) fn log_in(
    visit: &Visit,
    login: &PasswordLogin,
    username: &str,
    password: &Secret,
    gained: &mut Credentials,
) -> Result<()> {
    visit.cancel.check()?;
    let values = Values::from([
        ("username".to_owned(), Secret::new(username)),
        ("password".to_owned(), password.clone()),
    ]);
    let request = Request::filled("POST", &login.target, &login.body, &values)
        .with_header("Accept", "application/json");
    let hosts = &visit.provider.hosts;
    let answer = visit.client.exchange(&request, hosts, &mut gained.jar, &Cancel::new())?;
    match answer.status {
        status if login.refused_status.contains(&status) => Err(refused()),
        200 | 201 => read_answer(visit, NAME, &answer, gained),
        204 => Ok(()),
        307 | 308 => Err(sent_elsewhere(NAME)),
        status => Err(unexpected(NAME, &format!("answered with status {status}"))),
    }
}
