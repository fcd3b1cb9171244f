//! The ways in, and the ways to stay in.

use super::{Builder, body, check_method, check_statuses, invalid, refuse, templates};
use crate::error::Result;
use crate::provider::definition::{
    Body, HostedForm, Login, Page, PasswordLogin, Renew, RenewPage, RenewRequest, Submit, Take,
};
use crate::provider::file;

/// What a renewal may send.
const TOKENS: [&str; 3] = ["access_token", "refresh_token", "id_token"];

/// What the user gives to a login.
const OWN: [&str; 2] = ["username", "password"];

impl Builder<'_> {
    pub(super) fn login(&self, login: file::Login) -> Result<Login> {
        match login {
            file::Login::HostedForm { pages, submit } => self.hosted_form(pages, submit),
            file::Login::Password { url, query, headers, json, form, refused_status } => {
                let target = self.target("login", &url, query, headers, &["username"])?;
                let body = body("login", json, form, &["username", "password"])?;
                if body == Body::None {
                    return Err(invalid("login", "nothing is sent: `json` and `form` are missing")
                        .with_hint("As in json = { username = \"{username}\", password = \"{password}\" }."));
                }
                check_statuses("login.refused_status", &refused_status)?;
                Ok(Login::Password(PasswordLogin { target, body, refused_status }))
            }
            file::Login::DeviceCode {} => {
                self.needs_oauth("login.flow", "device_authorization_endpoint")?;
                self.needs_oauth("login.flow", "token_endpoint")?;
                Ok(Login::DeviceCode)
            }
        }
    }

    fn hosted_form(&self, pages: Vec<file::Page>, submit: file::Submit) -> Result<Login> {
        let mut known = vec!["username".to_owned()];
        let mut checked = Vec::new();
        for (index, page) in pages.into_iter().enumerate() {
            let key = format!("login.pages[{index}]");
            let names: Vec<&str> = known.iter().map(String::as_str).collect();
            let target = self.target(&key, &page.url, page.query, page.headers, &names)?;
            let take: Vec<Take> = page
                .take
                .into_iter()
                .map(|(value, take)| Take { value, input: take.input, or_cookie: take.or_cookie })
                .collect();
            if let Some(take) = take.iter().find(|take| OWN.contains(&take.value.as_str())) {
                let key = format!("{key}.take.{}", take.value);
                return refuse(&key, "what the user typed has this name already");
            }
            known.extend(take.iter().map(|take| take.value.clone()));
            checked.push(Page { name: page.name, target, take });
        }
        let mut names: Vec<&str> = known.iter().map(String::as_str).collect();
        let target =
            self.target("login.submit", &submit.url, submit.query, submit.headers, &names)?;
        names.push("password");
        let form = templates("login.submit.form", submit.form, &names)?;
        if submit.refused_class.is_empty() {
            return refuse(
                "login.submit.refused_class",
                "name the class of the element that says that the password is wrong",
            );
        }
        Ok(Login::HostedForm(HostedForm {
            pages: checked,
            submit: Submit { name: submit.name, target, form, refused_class: submit.refused_class },
        }))
    }

    pub(super) fn renew(&self, renew: file::Renew) -> Result<Renew> {
        match renew {
            file::Renew::Page { url, needs_cookie, form_input } => Ok(Renew::Page(RenewPage {
                url: self.url("renew.url", &url)?,
                needs_cookie,
                form_input,
            })),
            file::Renew::Request {
                url,
                method,
                headers,
                json,
                form,
                needs_cookie,
                refused_status,
                rotates,
            } => {
                check_method("renew.method", &method, &["GET", "POST"])?;
                check_statuses("renew.refused_status", &refused_status)?;
                let target = self.target("renew", &url, file::Pairs::new(), headers, &TOKENS)?;
                let body = body("renew", json, form, &TOKENS)?;
                Ok(Renew::Request(RenewRequest {
                    method,
                    target,
                    body,
                    needs_cookie,
                    refused_status,
                    rotates,
                }))
            }
            file::Renew::RefreshToken { rotates } => {
                self.needs_oauth("renew.flow", "token_endpoint")?;
                Ok(Renew::RefreshToken { rotates })
            }
        }
    }
}
