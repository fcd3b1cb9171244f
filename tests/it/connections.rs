//! After a logout no connection to the service is left, as the service sees it.

use crate::fixture::{Device, ask, at_once, cancel_after, never, wait_until};
use crate::server::{Step, answering};
use crate::service::{Service, log_in};
use sessionkeeper::keeper::LogoutOptions;
use std::time::Duration;

/// What the service does with the logout, and how it is done.
type Case = (&'static str, fn(&Service), fn(&Device));

fn everywhere(service: &Service) -> String {
    let sessions = service.url("/sessions");
    format!(
        "\n[everywhere]\nflow = 'list'\nurl = '{sessions}'\nsessions = '/sessions'\n\
         current = '/current'\nend_url = '{sessions}/{{id}}'\nend_status = [200]\n"
    )
}

fn log_out_with(device: &Device, options: &LogoutOptions) {
    device.log_out(options, &never()).unwrap();
}

#[test]
fn no_connection_is_left_after_a_logout() {
    let usual: fn(&Service) = |_| ();
    let plain: fn(&Device) = |device| log_out_with(device, &LogoutOptions::default());
    let cases: [Case; 7] = [
        ("plain", usual, plain),
        ("local", usual, |device| {
            log_out_with(device, &LogoutOptions { local_only: true, ..Default::default() });
        }),
        (
            "everywhere",
            |service| {
                let list = r#"{"sessions": [{"id": 1, "current": true}, {"id": 2}]}"#;
                service.always("/sessions", answering("200 OK", "", list));
                service.always("/sessions/2", answering("200 OK", "", ""));
            },
            |device| {
                log_out_with(device, &LogoutOptions { everywhere: true, ..Default::default() });
            },
        ),
        (
            "busy",
            |service| service.always("/logout", answering("503 Service Unavailable", "", "")),
            plain,
        ),
        ("reset", |service| service.always("/logout", vec![Step::Reset]), plain),
        (
            "late",
            |service| service.always("/logout", vec![Step::Stall]),
            |device| {
                let deadline = Some(Duration::from_millis(300));
                log_out_with(device, &LogoutOptions { deadline, ..Default::default() });
            },
        ),
        (
            "cancelled",
            |service| service.always("/logout", vec![Step::Stall]),
            |device| {
                device.log_out(&LogoutOptions::default(), &cancel_after(300)).unwrap();
            },
        ),
    ];
    at_once(&cases, |(name, prepare, log_out)| {
        let service = Service::start();
        service.keep_connections();
        let device = service.device_with(|text| text + &everywhere(&service));
        log_in(&device);
        assert_eq!(ask(&device).unwrap(), 200);
        assert!(service.open_connections() > 0, "{name}: they are kept for the next request");
        prepare(&service);
        log_out(&device);
        assert_closed(&service, name);
    });
}

#[test]
fn no_connection_is_left_after_a_login_that_was_undone() {
    let service = Service::start();
    service.keep_connections();
    service.always("/done", answering("500 Internal Server Error", "", ""));
    let device = service.device();
    assert!(crate::service::try_log_in(&device, &never()).is_err());
    assert_closed(&service, "failed login");
}

fn assert_closed(service: &Service, name: &str) {
    let otherwise = format!("{name}: a connection is left open");
    wait_until(1, &otherwise, || service.open_connections() == 0);
}
