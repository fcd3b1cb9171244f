//! Logging in through the service's own form: fetch its pages in turn, take the hidden values they
//! hold, send the form, and follow the redirect that means success. No browser, no script.
//!
//! The password goes into the form's body and nowhere else. A 307 or 308 would send it on to
//! another address and is refused as an attack (RFC 9700 section 4.12). What follows the sending is
//! not cancelled: the server may have opened a session by then, and somebody has to know of it.

use super::question::{Asked, settle};
use super::{Progress, Told, page_text, unexpected, unexpected_status};
use crate::cancel::Cancel;
use crate::context::Context;
use crate::cookies::Jar;
use crate::error::{Error, Result};
use crate::http::{Answer, Request, form};
use crate::provider::{HostedForm, Page, Submit, Take, Values};
use crate::secret::Secret;
use crate::session::Credentials;

pub(super) fn log_in(
    context: &Context,
    form: &HostedForm,
    username: &str,
    password: &Secret,
    credentials: &mut Credentials,
    told: Told,
) -> Result<()> {
    let mut values = Values::from([("username".to_owned(), Secret::new(username))]);
    for page in &form.pages {
        fetch(context, page, &mut values, &mut credentials.jar)?;
    }
    told.0.begins(credentials)?;
    context.cancel.check()?;
    values.insert("password".to_owned(), password.clone());
    submit(context, form, values, credentials, told)
}

fn fetch(context: &Context, page: &Page, values: &mut Values, jar: &mut Jar) -> Result<()> {
    log::debug!("log in: fetching {}", page.name);
    let request = Request::filled("GET", &page.url, page.request(), values);
    let answer = context.client.follow(&request, &context.provider.hosts, jar, context.cancel)?;
    let text = page_text(&page.name, &answer)?;
    for (name, take) in &page.take {
        let value = find(take, &text, jar).ok_or_else(|| missing(page, take))?;
        values.insert(name.clone(), value);
    }
    Ok(())
}

fn find(take: &Take, text: &str, jar: &Jar) -> Option<Secret> {
    form::input_value(text, &take.input)
        .filter(|value| !value.is_empty())
        .map(Secret::new)
        .or_else(|| take.or_cookie.as_ref().and_then(|name| jar.value(name)))
}

fn missing(page: &Page, take: &Take) -> Error {
    let cookie = take
        .or_cookie
        .as_ref()
        .map(|name| format!(" and set no cookie '{}'", &**name))
        .unwrap_or_default();
    unexpected(&page.name, &format!("has no field '{}'{cookie}", take.input))
}

/// Sends the form, and answers what the service asks then.
fn submit(
    context: &Context,
    form: &HostedForm,
    values: Values,
    credentials: &mut Credentials,
    (progress, viewer): Told,
) -> Result<()> {
    let HostedForm { submit, question: questions, .. } = form;
    log::debug!("log in: sending {}", submit.name);
    let request = Request::filled("POST", &submit.url, submit.request(), &values);
    let (answer, was_sent_on) = send(context, &submit.name, &request, credentials, progress)?;
    let asked = Asked { questions, values };
    if !asked.is_by(&answer) {
        return judge(submit, &answer, was_sent_on);
    }
    let told = (progress, viewer);
    let name = "the page after the question";
    let mut send = |request: &Request, held: &mut Credentials, progress: &mut dyn Progress| {
        send(context, name, request, held, progress).map(|(answer, _)| answer)
    };
    let answer = settle(context, asked, answer, credentials, told, &mut send)?;
    page_text(name, &answer).map(drop)
}

/// The answer, or where it sends on to, and whether it does.
fn send(
    context: &Context,
    name: &str,
    request: &Request,
    credentials: &mut Credentials,
    progress: &mut dyn Progress,
) -> Result<(Answer, bool)> {
    let (hosts, whole) = (&context.provider.hosts, Cancel::new());
    let answer = context.client.exchange(request, hosts, &mut credentials.jar, &whole)?;
    match answer.status {
        301..=303 => Ok((follow(context, name, &answer, credentials, progress)?, true)),
        307 | 308 => Err(super::sent_elsewhere(name)),
        _ => Ok((answer, false)),
    }
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

fn judge(submit: &Submit, answer: &Answer, was_sent_on: bool) -> Result<()> {
    if was_sent_on {
        return match answer.status {
            200 => Ok(()),
            status => Err(unexpected_status("the page after the login form", status)),
        };
    }
    if answer.status == 401 {
        return Err(super::refused());
    }
    let text = page_text(&submit.name, answer)?;
    if form::has_class(&text, &submit.refused_class) { Err(super::refused()) } else { Ok(()) }
}
