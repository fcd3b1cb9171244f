//! Logging in through the service's own form: fetch its pages in turn, take the hidden values they
//! hold, send the form, and follow the redirect that means success. No browser, no script.
//!
//! The password goes into the form's body and nowhere else. A 307 or 308 would send it on to
//! another address and is refused as an attack (RFC 9700 section 4.12). What follows the sending is
//! not cancelled: the server may have opened a session by then, and somebody has to know of it.

use super::{Progress, answer, page_text};
use crate::cancel::Cancel;
use crate::context::Context;
use crate::cookies::Jar;
use crate::error::Result;
use crate::http::{Answer, Request, form};
use crate::provider::{HostedForm, Submit, Values};
use crate::secret::Secret;
use crate::session::Credentials;
use crate::steps::{self, unexpected, unexpected_status};

pub(super) fn log_in(
    context: &Context,
    form: &HostedForm,
    username: &str,
    password: &Secret,
    credentials: &mut Credentials,
    progress: &mut dyn Progress,
) -> Result<()> {
    let mut values = Values::from([("username".to_owned(), Secret::new(username))]);
    steps::run(context, &form.pages, credentials, &mut values)?;
    answer::settle(context, &values, None, credentials)?;
    progress.begins(credentials)?;
    context.cancel.check()?;
    values.insert("password".to_owned(), password.clone());
    submit(context, &form.submit, &mut values, credentials, progress)
}

fn submit(
    context: &Context,
    submit: &Submit,
    values: &mut Values,
    credentials: &mut Credentials,
    progress: &mut dyn Progress,
) -> Result<()> {
    log::debug!("log in: sending {}", submit.name);
    let request = steps::fill(context, submit.request(), credentials, values)
        .ok_or_else(|| steps::lacks_value(&submit.name))?;
    let (hosts, whole) = (&context.provider.hosts, Cancel::new());
    let answer = context.client.exchange(&request, hosts, &mut credentials.jar, &whole)?;
    if submit.refused.as_ref().is_some_and(|signs| steps::shows(signs, &answer)) {
        return Err(super::refused());
    }
    match answer.status {
        301..=303 => {
            take(context, submit, &answer, values, credentials)?;
            follow(context, submit, &answer, credentials, progress)
        }
        307 | 308 => Err(super::sent_elsewhere(&submit.name)),
        401 => Err(super::refused()),
        _ => {
            let text = page_text(&submit.name, &answer)?;
            let refused = submit.refused_class.as_ref();
            if refused.is_some_and(|class| form::has_class(&text, class)) {
                return Err(super::refused());
            }
            take(context, submit, &answer, values, credentials)
        }
    }
}

fn take(
    context: &Context,
    submit: &Submit,
    answer: &Answer,
    values: &mut Values,
    credentials: &mut Credentials,
) -> Result<()> {
    steps::take(&submit.name, &submit.take, answer, &credentials.jar, values)?;
    answer::settle(context, values, answer.date(), credentials)
}

fn follow(
    context: &Context,
    submit: &Submit,
    answer: &Answer,
    credentials: &mut Credentials,
    progress: &mut dyn Progress,
) -> Result<()> {
    let target = answer
        .location()
        .ok_or_else(|| unexpected(&submit.name, "redirects without saying where to"))??;
    // What came so far is for those who have to know before the next address is asked.
    let rest = credentials.clone();
    let mut ask = |jar: &Jar| progress.received(&rest.with_jar(jar.clone()));
    let (hosts, whole) = (&context.provider.hosts, Cancel::new());
    let request = Request::get(target);
    let landing =
        context.client.follow_telling(&request, hosts, &mut credentials.jar, &whole, &mut ask)?;
    if landing.status == 200 {
        return Ok(());
    }
    Err(unexpected_status("the page after the login form", landing.status))
}
