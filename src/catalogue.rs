//! Provider files as people see them: the list to choose from, and what is wrong with one's own.

use crate::error::Result;
use crate::provider::{
    self, Everywhere, Given, Login, Logout, Parameter, Probe, Problem, Proof, Provider, Renew, Step,
};
use serde::Serialize;
use serde_json::Value;

#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Catalogue {
    pub providers: Vec<ProviderSummary>,
}

/// A built-in service, for a list to choose from.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ProviderSummary {
    pub id: &'static str,
    pub name: &'static str,
    pub website: &'static str,
    /// "password" or "device_code".
    pub login: &'static str,
    pub renewable: bool,
    /// True where the account's other sessions can be ended as well.
    pub everywhere: bool,
    pub parameters: Vec<&'static Parameter>,
}

/// What there is to say about a definition.
#[derive(Debug, Default, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ProviderCheck {
    pub id: String,
    pub name: String,
    /// What keeps it from being used.
    pub problems: Vec<Problem>,
    /// What would make it better.
    pub advice: Vec<String>,
    /// What it does, a sentence each.
    pub summary: Vec<String>,
}

/// The built-in providers, in the order that users see.
pub fn providers() -> Result<Catalogue> {
    Ok(Catalogue { providers: provider::built_in()?.into_iter().map(summary).collect() })
}

fn summary(provider: &'static Provider) -> ProviderSummary {
    ProviderSummary {
        id: &provider.id,
        name: &provider.name,
        website: provider.website.as_str(),
        login: match provider.login {
            Login::HostedForm(_) | Login::Password(_) => "password",
            Login::DeviceCode => "device_code",
        },
        renewable: provider.renew.is_some(),
        everywhere: provider.can_log_out_everywhere(),
        parameters: provider.parameters.values().collect(),
    }
}

/// Checks the text of a provider file, or a dictionary of its form. Without values from the user,
/// its examples show what it means.
pub fn check(definition: Value, given: &Given) -> ProviderCheck {
    let read = match (definition, given.is_empty()) {
        (Value::String(text), true) => Provider::parse_example(&text),
        (Value::String(text), false) => Provider::parse_with(&text, given),
        (tree, true) => Provider::example_from_value(tree),
        (tree, false) => Provider::from_value(tree, given),
    };
    match read {
        Ok(provider) => ProviderCheck {
            problems: Vec::new(),
            advice: advise(&provider),
            summary: tell(&provider),
            id: provider.id,
            name: provider.name,
        },
        Err(problem) => ProviderCheck { problems: vec![problem], ..ProviderCheck::default() },
    }
}

/// What the file means, a sentence each.
fn tell(provider: &Provider) -> Vec<String> {
    let login = match &provider.login {
        Login::HostedForm(form) => {
            format!("Logs in through a form, after {} page(s).", form.pages.len())
        }
        Login::Password(login) => format!("Logs in with a request to {}.", login.request().url),
        Login::DeviceCode => "Logs in with a code that is entered on another device.".to_owned(),
    };
    let renew = match &provider.renew {
        None => "Does not renew: when the token ends, the user is asked again.".to_owned(),
        Some(Renew::Page(page)) => {
            format!("Renews by a page, with the cookie '{}'.", page.needs_cookie)
        }
        Some(Renew::Request(request)) => {
            format!("Renews with a request to {}.", request.request().url)
        }
        Some(Renew::RefreshToken { rotates: true }) => {
            "Renews with a refresh token that serves only once.".to_owned()
        }
        Some(Renew::RefreshToken { rotates: false }) => "Renews with a refresh token.".to_owned(),
    };
    let steps = provider.logout.steps.iter().map(|step| match step {
        Step::Request(request) => match &request.proof {
            Some(_) => "a request whose answer proves it",
            None => "a request whose answer proves nothing",
        },
        Step::Revoke { .. } => "the revocation of its tokens",
        Step::EndSession => "the end of the issuer's session",
    });
    let logout = format!("Logs out with {}.", steps.collect::<Vec<_>>().join(", then "));
    let probe = match &provider.logout.probe {
        Some(Probe::Request { url, .. }) => {
            format!("Where that proves nothing, the old session is tried at {url}.")
        }
        Some(Probe::Renew) => "Where that proves nothing, the renewal is tried.".to_owned(),
        None => String::new(),
    };
    let everywhere = match &provider.everywhere {
        Some(Everywhere::List(_)) => "Can end the account's sessions one by one.",
        Some(Everywhere::Logout) => "The logout ends the session at the issuer.",
        None => "Cannot end the account's other sessions.",
    };
    let all = [login, renew, logout, probe, everywhere.to_owned()];
    all.into_iter().filter(|text| !text.is_empty()).collect()
}

/// What is allowed and yet likely to be a mistake.
fn advise(provider: &Provider) -> Vec<String> {
    let mut advice = Vec::new();
    let Logout { steps, probe } = &provider.logout;
    let proves = steps.iter().any(|step| match step {
        Step::Request(request) => request.proof.is_some(),
        Step::Revoke { .. } => true,
        Step::EndSession => false,
    });
    if !proves && probe.is_none() {
        advice.push(
            "Nothing proves a logout: every one stays 'unconfirmed'. Add a proof, or [logout.probe]."
                .to_owned(),
        );
    }
    if let Some(Probe::Request { bearer: false, .. }) = probe {
        if provider.session.token_cookies.is_empty() {
            advice.push(
                "The probe carries no token, and is never tried: add bearer = true, or name the \
                 token's cookie in session.token_cookies."
                    .to_owned(),
            );
        }
    }
    if let Some(name) = provider.renewal_cookie().filter(|name| is_left(provider, name)) {
        advice.push(format!(
            "The logout's proof does not ask for the deletion of '{name}', which logs in again."
        ));
    }
    if provider.renew.is_none() {
        advice.push("Without [renew] the user logs in again whenever the token ends.".to_owned());
    }
    if provider.api.bearer_hosts.is_empty() && provider.session.token_cookies.is_empty() {
        advice.push("No host gets the token: list the API's under api.bearer_hosts.".to_owned());
    }
    if provider.session.account_id.is_empty() && matches!(provider.login, Login::DeviceCode) {
        advice.push(
            "Accounts cannot be told apart: name the claim with the id in session.account_id."
                .to_owned(),
        );
    }
    advice
}

/// True when the answer has to delete cookies, and not this one.
fn is_left(provider: &Provider, name: &str) -> bool {
    let mut deleted = proofs(provider).flat_map(|proof| proof.deletes.iter().flatten()).peekable();
    deleted.peek().is_some() && deleted.all(|cookie| **cookie != *name)
}

fn proofs(provider: &Provider) -> impl Iterator<Item = &Proof> {
    provider.logout.steps.iter().filter_map(|step| match step {
        Step::Request(request) => request.proof.as_ref(),
        Step::Revoke { .. } | Step::EndSession => None,
    })
}

/// The modules of a QR code for `text`, a row of "0" and "1" each, without the quiet zone; none
/// where the text is too long.
pub fn qr(text: &str) -> Vec<String> {
    let Ok(code) = qrcodegen::QrCode::encode_text(text, qrcodegen::QrCodeEcc::Medium) else {
        return Vec::new();
    };
    let row = |y| (0..code.size()).map(|x| if code.get_module(x, y) { '1' } else { '0' }).collect();
    (0..code.size()).map(row).collect()
}
