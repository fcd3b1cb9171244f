//! Logging in through the service's own form: fetch its pages in turn, take the hidden values they
//! hold, send the form, and follow the redirect that means success. No browser, no script.
//!
//! The password goes into the form's body and nowhere else. A 307 or 308 would send it on to
//! another address and is refused as an attack (RFC 9700 section 4.12). What follows the sending is
//! not cancelled: the server may have opened a session by then, and somebody has to know of it.

use super::{Visit, page_text, unexpected};
use crate::cancel::Cancel;
use crate::error::{Error, Kind, Result};
use crate::http::{Answer, Jar, Request, form};
use crate::provider::{HostedForm, Page, Submit, Take, Target, Template, Values};
use crate::secret::Secret;
use url::Url;

pub(super) fn log_in(
    visit: &Visit,
    form: &HostedForm,
    username: &str,
    password: &Secret,
    jar: &mut Jar,
) -> Result<()> {
    let mut values = Values::from([("username".to_owned(), Secret::new(username))]);
    for page in &form.pages {
        fetch(visit, page, &mut values, jar)?;
    }
    visit.cancel.check()?;
    values.insert("password".to_owned(), password.clone());
    submit(visit, &form.submit, &values, jar)
}

fn fetch(visit: &Visit, page: &Page, values: &mut Values, jar: &mut Jar) -> Result<()> {
    log::debug!("log in: fetching {}", page.name);
    let mut request = Request::get(address(&page.target, values));
    request.headers = fill(&page.target.headers, values);
    let answer = visit.client.follow(&request, &visit.provider.hosts, jar, visit.cancel)?;
    let text = page_text(&page.name, &answer)?;
    for take in &page.take {
        let value = find(take, &text, jar).ok_or_else(|| missing(page, take))?;
        values.insert(take.value.clone(), value);
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
        .map(|name| format!(" and set no cookie '{name}'"))
        .unwrap_or_default();
    unexpected(&page.name, &format!("has no field '{}'{cookie}", take.input))
}

fn submit(visit: &Visit, submit: &Submit, values: &Values, jar: &mut Jar) -> Result<()> {
    log::debug!("log in: sending {}", submit.name);
    let fields: Vec<(&str, Secret)> =
        submit.form.iter().map(|(name, template)| (name.as_str(), template.fill(values))).collect();
    let pairs: Vec<(&str, &str)> =
        fields.iter().map(|(name, value)| (*name, value.expose())).collect();
    let mut request = Request::post_form(address(&submit.target, values), &pairs);
    request.headers = fill(&submit.target.headers, values);
    let answer = visit.client.exchange(&request, &visit.provider.hosts, jar, &Cancel::new())?;
    match answer.status {
        301..=303 => follow(visit, submit, &answer, jar),
        307 | 308 => Err(Error::new(
            Kind::HostNotAllowed,
            format!("{} asked for the password to be sent to another address", submit.name),
        )
        .hint("The password was not sent on. Somebody may be tampering with the connection.")),
        401 => Err(refused()),
        _ => {
            let text = page_text(&submit.name, &answer)?;
            if form::has_class(&text, &submit.refused_class) { Err(refused()) } else { Ok(()) }
        }
    }
}

fn follow(visit: &Visit, submit: &Submit, answer: &Answer, jar: &mut Jar) -> Result<()> {
    let target = answer
        .location()
        .ok_or_else(|| unexpected(&submit.name, "redirects without saying where to"))??;
    let landing =
        visit.client.follow(&Request::get(target), &visit.provider.hosts, jar, &Cancel::new())?;
    if landing.status == 200 {
        return Ok(());
    }
    Err(unexpected(
        "the page after the login form",
        &format!("answered with status {}", landing.status),
    ))
}

fn refused() -> Error {
    Error::new(Kind::CredentialsRefused, "the user name or the password is wrong")
        .hint("Check both, also upper and lower case, and try again.")
}

fn address(target: &Target, values: &Values) -> Url {
    let mut url = target.url.clone();
    if !target.query.is_empty() {
        let mut query = url.query_pairs_mut();
        for (name, template) in &target.query {
            query.append_pair(name, template.fill(values).expose());
        }
    }
    url
}

fn fill(headers: &[(String, Template)], values: &Values) -> Vec<(String, String)> {
    headers
        .iter()
        .map(|(name, template)| (name.clone(), template.fill(values).expose().to_owned()))
        .collect()
}
