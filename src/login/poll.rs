//! Logging in with a code or an address on another device, request by request as the provider file
//! has it.

use super::code::{self, AskedWith, Device, Shown, Turn};
use super::{Progress, answer};
use crate::cancel::Cancel;
use crate::context::Context;
use crate::error::Result;
use crate::http::Answer;
use crate::oauth::errors;
use crate::provider::{Amount, DEVICE_ID, Poll, PollLogin, Signs, Template, Values};
use crate::secret::Secret;
use crate::session::Credentials;
use crate::steps::{self, unexpected};

const NAME: &str = "the login";

/// What errors call the address that is shown.
const ADDRESS: &str = "page to open";

/// Asks for the code.
pub(super) fn ask(
    context: &Context,
    login: &PollLogin,
    mut learned: Credentials,
) -> Result<Device> {
    let mut values = Values::new();
    steps::run(context, &login.steps, &mut learned, &mut values)?;
    let mut known = values.clone();
    known.extend(learned.value(DEVICE_ID).map(|id| (DEVICE_ID.to_owned(), id.clone())));
    let show = &login.show;
    let amount = |amount: &Amount, name: &str| {
        amount.of(&known).ok_or_else(|| unexpected(code::NAME, &format!("holds no {name}")))
    };
    let user_code = show.code.as_ref().map(|text| text.fill(&known)).unwrap_or_default();
    let url = address(&show.url, &known);
    // The service may have left it out of this answer, where the file says so.
    let with_code = show.url_with_code.as_ref().map(|text| address(text, &known));
    let with_code = with_code.filter(|url| !url.is_empty());
    let shown = Shown {
        code: user_code.expose(),
        url: (ADDRESS, url.expose()),
        url_with_code: with_code.as_ref().map(|url| (ADDRESS, url.expose())),
        life: amount(&show.expires_in, "lifetime")?,
        interval: amount(&show.interval, "interval")?,
    };
    if show.code.is_some() && shown.code.is_empty() {
        return Err(unexpected(code::NAME, "holds no code"));
    }
    Device::new(context, &shown, AskedWith::Values(values), learned)
}

/// What it begins with is an address that was taken, and stands as it is; other values are escaped.
fn address(text: &Template, known: &Values) -> Secret {
    let escaped = |(name, value): (&String, &Secret)| {
        if text.first_place() == Some(name) {
            return (name.clone(), value.clone());
        }
        let bytes = url::form_urlencoded::byte_serialize(value.expose().as_bytes());
        (name.clone(), Secret::new(bytes.collect::<String>().replace('+', "%20")))
    };
    text.fill(&known.iter().map(escaped).collect())
}

/// Waits until the user is done, and takes what there is for the session.
pub(super) fn wait(
    context: &Context,
    login: &PollLogin,
    device: &Device,
    values: &Values,
    credentials: &mut Credentials,
    progress: &mut dyn Progress,
) -> Result<()> {
    let whole = Context { cancel: &Cancel::new(), ..*context };
    let mut values = values.clone();
    answer::settle(&whole, &values, None, credentials)?;
    progress.begins(credentials)?;
    let poll = &login.poll;
    let mut ask = || {
        let request = steps::fill(&whole, poll.request(), credentials, &values)
            .ok_or_else(|| steps::lacks_value(NAME))?
            .accepting_json();
        let hosts = &whole.provider.hosts;
        whole.client.exchange(&request, hosts, &mut credentials.jar, whole.cancel)
    };
    let judge = |answer: &Answer| judge(poll, answer);
    let mut last = code::wait(context, device, progress, &mut ask, &judge)?;
    steps::take(NAME, &poll.take, &last, &credentials.jar, &mut values)?;
    answer::settle(&whole, &values, last.date(), credentials)?;
    for step in &login.then {
        // What came so far is for those who have to know before anything else is waited for.
        progress.received(credentials);
        last = steps::ask(&whole, step, credentials, &values)?;
        steps::take(&step.name, &step.take, &last, &credentials.jar, &mut values)?;
        answer::settle(&whole, &values, last.date(), credentials)?;
    }
    answer::read_login(&whole, NAME, &last, credentials)
}

/// What waits longest comes last: a sign of waiting is often true of the other answers, too.
fn judge(poll: &Poll, answer: &Answer) -> Result<Turn> {
    let shows = |signs: &Signs| steps::shows(signs, answer);
    let may_show = |signs: &Option<Signs>| signs.as_ref().is_some_and(shows);
    if shows(&poll.done) {
        return Ok(Turn::Granted);
    }
    if may_show(&poll.slow_down) {
        return Ok(Turn::Slower);
    }
    if may_show(&poll.denied) {
        return Err(code::denied());
    }
    if may_show(&poll.expired) {
        return Err(code::expired());
    }
    if shows(&poll.pending) {
        return Ok(Turn::Pending);
    }
    code::judge_other(answer.status, errors::code(answer).as_deref())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_that_was_taken_stands_as_it_is_and_other_values_are_escaped() {
        let values = [("at", "https://a.example/link?a=b"), ("code", "A/B &"), ("none", "")];
        let known = values.map(|(name, value)| (name.to_owned(), Secret::new(value))).into();
        for (text, filled) in [
            ("{at}", "https://a.example/link?a=b"),
            ("{at}&code={code}", "https://a.example/link?a=b&code=A%2FB%20%26"),
            ("https://b.example/{code}", "https://b.example/A%2FB%20%26"),
            (
                "https://b.example/?to={at}",
                "https://b.example/?to=https%3A%2F%2Fa.example%2Flink%3Fa%3Db",
            ),
            ("{none}", ""),
        ] {
            let template = Template::try_from(text.to_owned()).unwrap();
            assert_eq!(address(&template, &known).expose(), filled, "{text}");
        }
    }
}
