//! Provider files as people see them: the list to choose from, and what is wrong with one's own.

use crate::keeper::ProviderSummary;
use crate::provider::{
    Everywhere, FileSource, Given, Login, LoginKind, LogoutStep, Probe, Problem, Provider, Renew,
    Sources, UnusedFile,
};
use serde::Serialize;
use serde_json::Value;

#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Catalogue {
    pub providers: Vec<ProviderSummary>,
    /// The files that are not used, and why.
    pub unused: Vec<UnusedFile>,
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

/// The services, in the order that users see. Without sources, those of the user.
pub fn providers(sources: Option<Vec<FileSource>>) -> Catalogue {
    let (providers, unused) = sources.map_or_else(Sources::of_user, Sources::new).list();
    Catalogue { providers: providers.iter().map(ProviderSummary::from).collect(), unused }
}

/// Checks the text of a provider file, or a dictionary of its form. Without values from the user,
/// its examples show what it means.
pub fn check(definition: Value, given: &Given) -> ProviderCheck {
    let given = (!given.is_empty()).then_some(given);
    let sources = Sources::of_user();
    let read = match definition {
        Value::String(text) => sources.read(&text, given),
        tree => sources.read_value(tree, given),
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
    let logins = provider.logins.iter().map(|login| match login {
        Login::HostedForm(form) => {
            format!("Logs in through a form, after {} page(s).", form.pages.len())
        }
        Login::Password(login) => format!("Logs in with a request to {}.", login.url.as_str()),
        Login::DeviceCode {} | Login::Poll(_) => {
            "Logs in with a code that is entered on another device.".into()
        }
        Login::AuthorizationCode(_) => "Logs in with a browser.".into(),
    });
    let questions = provider.logins.iter().flat_map(Login::questions);
    let questions = questions.map(|question| format!("May ask for {} then.", &*question.about));
    let renew = match &provider.renew {
        None => "Does not renew: when the token ends, the user is asked again.".into(),
        Some(Renew::Page(page)) => {
            format!("Renews by a page, with the cookie '{}'.", &*page.needs_cookie)
        }
        Some(Renew::Request(renew)) => format!("Renews with a request to {}.", renew.url.as_str()),
        Some(Renew::RefreshToken { rotates, .. }) => {
            let once = if *rotates { " that serves only once" } else { "" };
            format!("Renews with a refresh token{once}.")
        }
    };
    let steps = provider.logout.steps.iter().map(|step| match step {
        LogoutStep::Request(request) if request.proof.is_some() => {
            "a request whose answer proves it"
        }
        LogoutStep::Page(_) => "a page that it takes something from",
        LogoutStep::Request(_) => "a request whose answer proves nothing",
        LogoutStep::Revoke { .. } => "the revocation of its tokens",
        LogoutStep::EndSession {} => "the end of the issuer's session",
    });
    let logout = match provider.logout.steps.as_slice() {
        [] => "Logs out on this device only: the service has no way.".into(),
        _ => format!("Logs out with {}.", steps.collect::<Vec<_>>().join(", then ")),
    };
    let probe = provider.logout.probe.as_ref().map(|probe| match probe {
        Probe::Request(probe) => {
            let url = probe.url.as_str();
            format!("Where that proves nothing, the old session is tried at {url}.")
        }
        Probe::Renew {} => "Where that proves nothing, the renewal is tried.".into(),
    });
    let everywhere = match &provider.everywhere {
        Some(Everywhere::List(_)) => "Can end the account's sessions one by one.",
        Some(Everywhere::Request(_)) => "Can end the account's other sessions by one request.",
        Some(Everywhere::Logout {}) => "Its logout ends all of the account's sessions.",
        None => "Cannot end the account's other sessions.",
    };
    let leaves = &provider.logout.leaves;
    let leaves = (!leaves.is_empty()).then(|| format!("A logout does not end {leaves}."));
    logins
        .chain(questions)
        .chain([renew, logout])
        .chain(probe)
        .chain([everywhere.into()])
        .chain(leaves)
        .collect()
}

/// What is allowed and yet likely to be a mistake.
fn advise(provider: &Provider) -> Vec<String> {
    let Provider { session, logout, .. } = provider;
    let has_token_cookie = !session.token_cookies.is_empty();
    let revokes = logout.steps.iter().any(|step| matches!(step, LogoutStep::Revoke { .. }));
    let mut advice = Vec::new();
    let mut add = |is_due: bool, text: &str| advice.extend(is_due.then(|| text.to_owned()));
    add(
        !revokes && logout.proofs().next().is_none() && logout.probe.is_none(),
        "Nothing proves a logout: every one stays 'unconfirmed'. Add a proof, or [logout.probe].",
    );
    // An answer that has to delete cookies, and not this one.
    let deletes_others = |name: &&str| {
        let mut deleted = logout.deleted_cookies().peekable();
        deleted.peek().is_some() && deleted.all(|cookie| cookie != *name)
    };
    if let Some(name) = provider.renewal_cookie().filter(deletes_others) {
        let missing = "The logout's proof does not ask for the deletion of";
        add(true, &format!("{missing} '{name}', which logs in again."));
    }
    add(
        provider.renew.is_none(),
        "Without [renew] the user logs in again whenever the token ends.",
    );
    add(
        !has_token_cookie && provider.api.bearer_hosts.is_empty(),
        "No host gets the token: list the API's under api.bearer_hosts.",
    );
    add(
        session.account_id.is_empty()
            && provider.account.is_none()
            && provider.logins.iter().any(|login| login.kind() != LoginKind::Password),
        "Accounts cannot be told apart, and each login is one: name the claim with the id in \
         session.account_id, or the request that tells it in [account].",
    );
    advice
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
