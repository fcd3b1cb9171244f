//! Logging in through the service's own form: fetch its pages in turn, take the hidden values they
//! hold, send the form, and follow the redirect that means success. No browser, no script.
//!
//! The password goes into the form's body and nowhere else. A 307 or 308 would send it on to
//! another address and is refused as an attack (RFC 9700 section 4.12). What follows the sending is
//! not cancelled: the server may have opened a session by then, and somebody has to know of it.

use super::question::{Sent, settle};
use super::{Progress, Told, answer, page_text};
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
    told: Told,
) -> Result<()> {
    let mut values = Values::from([("username".to_owned(), Secret::new(username))]);
    steps::run(context, &form.pages, credentials, &mut values)?;
    answer::settle(context, &values, None, credentials)?;
    told.0.begins(credentials)?;
    context.cancel.check()?;
    values.insert("password".to_owned(), password.clone());
    submit(context, form, &mut values, credentials, told)
}

/// Sends the form, and answers what the service asks then.
fn submit(
    context: &Context,
    form: &HostedForm,
    values: &mut Values,
    credentials: &mut Credentials,
    told: Told,
) -> Result<()> {
    let HostedForm { submit, question, .. } = form;
    log::debug!("log in: sending {}", submit.name);
    let request = steps::fill(context, submit.request(), credentials, values)
        .ok_or_else(|| steps::lacks_value(&submit.name))?;
    let exchange = |request: &Request, held: &mut Credentials, progress: &mut dyn Progress| {
        send(context, submit, request, held, progress)
    };
    let first = exchange(&request, credentials, told.0)?;
    let asked = settle(context, question, &first, values, credentials, told, &exchange)?;
    // Who was asked for more had the right password.
    if asked.is_none() && is_refused(submit, &first) {
        return Err(super::refused());
    }
    let Sent { answer, landing } = asked.unwrap_or(first);
    match landing {
        Some(landing) if landing.status != 200 => {
            return Err(unexpected_status("the page after the login form", landing.status));
        }
        Some(_) => {}
        None => drop(page_text(&submit.name, &answer)?),
    }
    steps::take(&submit.name, &submit.take, &answer, &credentials.jar, values)?;
    answer::settle(context, values, answer.date(), credentials)
}

fn is_refused(submit: &Submit, Sent { answer, landing }: &Sent) -> bool {
    let has_class = |class: &String| form::has_class(&answer.text(), class);
    submit.refused.as_ref().is_some_and(|signs| steps::shows(signs, answer))
        || (landing.is_none()
            && (answer.status == 401
                || (answer.status == 200 && submit.refused_class.as_ref().is_some_and(has_class))))
}

/// The answer, and that of where it sends on to.
fn send(
    context: &Context,
    submit: &Submit,
    request: &Request,
    credentials: &mut Credentials,
    progress: &mut dyn Progress,
) -> Result<Sent> {
    let (hosts, whole) = (&context.provider.hosts, Cancel::new());
    let answer = context.client.exchange(request, hosts, &mut credentials.jar, &whole)?;
    let landing = match answer.status {
        301..=303 => {
            // Whatever becomes of the rest, this may be a session.
            let found = steps::find(&submit.take, &answer, &credentials.jar).into_iter().collect();
            super::answer::settle(context, &found, answer.date(), credentials)?;
            Some(follow(context, &submit.name, &answer, credentials, progress)?)
        }
        307 | 308 => return Err(super::sent_elsewhere(&submit.name)),
        _ => None,
    };
    Ok(Sent { answer, landing })
}

fn follow(
    context: &Context,
    name: &str,
    answer: &Answer,
    credentials: &mut Credentials,
    progress: &mut dyn Progress,
) -> Result<Answer> {
    let target = answer
        .location()
        .ok_or_else(|| unexpected(name, "redirects without saying where to"))??;
    // What came so far is for those who have to know before the next address is asked.
    let rest = credentials.clone();
    let mut ask = |jar: &Jar| progress.received(&rest.with_jar(jar.clone()));
    let (hosts, whole) = (&context.provider.hosts, Cancel::new());
    let request = Request::get(target);
    context.client.follow_telling(&request, hosts, &mut credentials.jar, &whole, &mut ask)
}
