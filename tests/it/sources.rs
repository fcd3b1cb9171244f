//! Services that are found by their id, in a directory of provider files; and what becomes of a
//! session whose file is gone.

use crate::fixture::{Device, get, log_out, state};
use crate::service::{Service, signed_in};
use serde_json::{Value, json};
use sessionkeeper::cancel::Cancel;
use sessionkeeper::clock::Clock;
use sessionkeeper::error::{Kind, Result};
use sessionkeeper::keeper::{Keeper, LogoutAllOptions, State};
use sessionkeeper::open_options::OpenOptions;
use sessionkeeper::provider::{Given, Provider};
use sessionkeeper::session::Outcome;
use std::fs;
use std::path::Path;
use std::sync::Arc;

/// A keeper of the device's, opened as a front does.
fn opened(device: &Device, options: &[(&str, Value)]) -> Result<Keeper> {
    let mut all = json!({
        "provider": "service",
        "proxy": "none",
        "sources": [],
        "data_dir": device.directory.join("data"),
        "key_dir": device.directory.join("keys"),
    });
    for (name, value) in options {
        all[*name] = value.clone();
    }
    let options: OpenOptions = serde_json::from_value(all).unwrap();
    let clock: Arc<dyn Clock> = Arc::<sessionkeeper::clock::HeldClock>::clone(&device.clock);
    Keeper::with_clock(options.config()?, clock)
}

/// A directory with the service's file in it, changed.
fn place(service: &Service, directory: &Path, change: impl Fn(String) -> String) -> Value {
    let text = include_str!("service.toml").replace("PORT", &service.port().to_string());
    fs::create_dir_all(directory).unwrap();
    fs::write(directory.join("service.toml"), change(text)).unwrap();
    json!([{ "directory": directory, "addon": "plugin.video.x" }])
}

#[test]
fn a_session_whose_file_is_gone_goes_on_and_ends() {
    let (service, device) = signed_in();
    let keeper = opened(&device, &[]).unwrap();
    assert_eq!(keeper.provider().name, "The test service");
    assert_eq!(keeper.restore(false, &Cancel::new()).unwrap().state, State::SignedIn);
    assert_eq!(get(&keeper, service.url("/me").as_str()).unwrap(), 200);
    assert_eq!(log_out(&keeper).remote, Outcome::Revoked);
    assert_eq!(service.live_sessions(), 0);
    // Now there is nothing left to know it from.
    assert_eq!(opened(&device, &[]).err().unwrap().kind(), Kind::UnknownProvider);
}

#[test]
fn a_file_that_was_broken_ends_no_session() {
    let (service, device) = signed_in();
    let directory = device.directory.join("files");
    let broken = place(&service, &directory, |text| text.replace("[login]", "[logon]"));
    let keeper = opened(&device, &[("sources", broken.clone())]).unwrap();
    assert_eq!(state(&keeper), State::SignedIn);
    log_out(&keeper);
    let error = opened(&device, &[("sources", broken)]).err().unwrap();
    assert_eq!(error.kind(), Kind::InvalidProvider);
    assert!(error.message().contains("service.toml', line"), "{error}");
}

#[test]
fn only_the_session_that_is_meant_stands_in_for_a_file() {
    let (_service, device) = signed_in();
    for options in [
        // Other sources are still to be asked.
        ("use_stored", json!(false)),
        ("parameters", json!({ "base": "https://elsewhere.example" })),
        ("provider", json!("servic")),
        ("provider", json!("service.toml")),
        ("data_dir", json!(device.directory.join("elsewhere"))),
    ] {
        let error = opened(&device, std::slice::from_ref(&options)).err();
        let kind = error.unwrap_or_else(|| panic!("{options:?}")).kind();
        assert_eq!(kind, Kind::UnknownProvider, "{options:?}");
    }
    assert!(!device.directory.join("elsewhere").exists());
}

/// A secret is given at the login, and kept sealed with the session alone.
#[test]
fn a_secret_is_not_asked_for_again_where_somebody_is_logged_in() {
    let (service, device) = signed_in();
    let parameter =
        |rest: &str| format!("[parameters.key]\nabout = \"k\"\nexample = \"e\"\n{rest}\n");
    let with = |rest: &str| {
        let parameter = parameter(rest);
        let name = "name = \"The test service\"";
        let text =
            |text: String| format!("{}\n{parameter}", text.replace(name, "name = \"{key}\""));
        place(&service, &device.directory.join("files"), text)
    };
    let given = json!({ "key": "s3cret" });
    let sources = with("secret = true");
    let keeper = opened(&device, &[("sources", sources.clone()), ("parameters", given)]).unwrap();
    assert_eq!(state(&keeper), State::SignedIn);
    log_out(&keeper);
    let error = opened(&device, &[("sources", sources.clone())]).err().unwrap();
    assert_eq!(error.kind(), Kind::ParameterMissing);
    crate::service::log_in(&keeper);
    drop(keeper);
    let keeper = opened(&device, &[("sources", sources)]).unwrap();
    assert_eq!((state(&keeper), keeper.provider().name.as_str()), (State::SignedIn, "s3cret"));
}

/// A correction of the file reaches the logout, whichever service's keeper does it.
#[test]
fn a_session_ends_by_the_file_of_today() {
    let (service, device) = signed_in();
    let directory = device.directory.join("files");
    let sources = place(&service, &directory, |text| text.replace("/logout\"", "/sign-out\""));
    let angel = opened(&device, &[("provider", json!("angel")), ("sources", sources)]).unwrap();
    angel.log_out_all(&LogoutAllOptions::default(), &Cancel::new()).unwrap();
    assert_eq!(service.requests("/sign-out").len(), 1);
    assert_eq!(service.requests("/logout").len(), 0);
}

/// Any other parameter tells servers apart.
#[test]
fn a_missing_address_is_that_of_nobody_who_is_logged_in() {
    let service = Service::start();
    let text = include_str!("service.toml")
        .replace("http://127.0.0.1:PORT", "{base}")
        .replace("\"127.0.0.1:PORT\"", "\"{base}\"");
    let open = "[parameters.base]\nabout = \"b\"\nexample = \"http://127.0.0.1:1\"";
    let text = format!("{text}\n{open}\n");
    let given = Given::from([("base".to_owned(), service.url("").to_string())]);
    let device = service.device_of(Provider::parse(&text, Some(&given)).unwrap());
    crate::service::log_in(&device);
    let directory = device.directory.join("files");
    let sources = place(&service, &directory, |_| text.clone());
    let given = ("parameters", json!(given));
    let keeper = opened(&device, &[("sources", sources.clone()), given.clone()]).unwrap();
    assert_eq!(state(&keeper), State::SignedIn);
    let error = opened(&device, &[("sources", sources)]).err().unwrap();
    assert_eq!(error.kind(), Kind::ParameterMissing);
    // Without its file, the address is enough.
    assert_eq!(state(&opened(&device, &[given]).unwrap()), State::SignedIn);
}
