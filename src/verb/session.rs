//! Being signed in: log in, restore, renew, use, switch.

use super::{Call, done, required};
use crate::cancel::Cancel;
use crate::error::{Error, Kind, Result};
use crate::keeper::{Keeper, Outgoing};
use crate::plain::{Dict, Plain, dict};
use crate::secret::Secret;
use std::collections::BTreeMap;

pub(super) fn status(call: &mut Call) -> Result<Plain> {
    done(call.given, || Plain::of(&call.keeper.status()?))
}

pub(super) fn details(call: &mut Call) -> Result<Plain> {
    done(call.given, || Plain::of(&call.keeper.details()?))
}

pub(super) fn restore(call: &mut Call) -> Result<Plain> {
    let offline = call.given.flag("offline")?;
    done(call.given, || Plain::of(&call.keeper.restore(offline, call.cancel)?))
}

pub(super) fn login(call: &mut Call) -> Result<Plain> {
    let username = required(call.given.text("username")?, "username")?;
    let password = required(call.given.bytes("password")?, "password")?;
    let password = Secret::from_utf8(password)
        .ok_or_else(|| Error::new(Kind::InvalidInput, "the password is not UTF-8 text"))?;
    done(call.given, || Plain::of(&call.keeper.log_in(&username, &password, call.cancel)?))
}

pub(super) fn login_start(call: &mut Call) -> Result<Plain> {
    done(call.given, || {
        let (number, device) = call.keeper.start_device_login(call.cancel)?;
        let handle = i64::try_from(number).unwrap_or(i64::MAX);
        let interval = i64::try_from(device.interval.as_secs()).unwrap_or(i64::MAX);
        let complete = device.verification_uri_complete.map_or(Plain::None, Plain::Text);
        Ok(dict([
            ("handle", Plain::Int(handle)),
            ("user_code", Plain::Text(device.user_code)),
            ("verification_uri", Plain::Text(device.verification_uri)),
            ("verification_uri_complete", complete),
            ("expires_at", Plain::Int(device.expires_at)),
            ("interval", Plain::Int(interval)),
        ]))
    })
}

pub(super) fn login_finish(call: &mut Call) -> Result<Plain> {
    let handle = required(call.given.int("handle")?, "handle")?;
    let number = u64::try_from(handle).unwrap_or(0);
    done(call.given, || Plain::of(&call.keeper.finish_device_login(number, call.cancel)?))
}

pub(super) fn renew(call: &mut Call) -> Result<Plain> {
    done(call.given, || Plain::of(&call.keeper.renew(call.cancel)?))
}

pub(super) fn request(call: &mut Call) -> Result<Plain> {
    let outgoing = Outgoing {
        account: call.given.text("account")?,
        method: required(call.given.text("method")?, "method")?,
        url: required(call.given.text("url")?, "url")?,
        headers: call.given.pairs("headers")?,
        body: call.given.bytes("body")?,
    };
    done(call.given, || answered(call.keeper, &outgoing, call.cancel))
}

pub(super) fn session(call: &mut Call) -> Result<Plain> {
    let account = call.given.text("account")?;
    done(call.given, || handed_out(call.keeper, account.as_deref()))
}

pub(super) fn accounts(call: &mut Call) -> Result<Plain> {
    let of_all = call.given.flag("all")?;
    done(call.given, || Plain::of(&call.keeper.accounts(of_all)?))
}

pub(super) fn switch(call: &mut Call) -> Result<Plain> {
    let account = required(call.given.text("account")?, "account")?;
    done(call.given, || Plain::of(&call.keeper.switch(&account)?))
}

fn answered(keeper: &Keeper, outgoing: &Outgoing, cancel: &Cancel) -> Result<Plain> {
    let received = keeper.request(outgoing, cancel)?;
    let header =
        |(name, value): (String, String)| Plain::List(vec![Plain::Text(name), Plain::Text(value)]);
    Ok(dict([
        ("status", Plain::Int(i64::from(received.status))),
        ("url", Plain::Text(received.url)),
        ("headers", Plain::List(received.headers.into_iter().map(header).collect())),
        ("body", Plain::Bytes(received.body)),
    ]))
}

fn handed_out(keeper: &Keeper, account: Option<&str>) -> Result<Plain> {
    let credentials = keeper.credentials(account)?;
    let texts = |map: BTreeMap<String, String>| {
        Plain::Dict(Dict(map.into_iter().map(|(key, value)| (key, Plain::Text(value))).collect()))
    };
    Ok(dict([
        ("headers", texts(credentials.headers)),
        ("cookies", texts(credentials.cookies)),
        ("token", Plain::Text(credentials.token)),
    ]))
}
