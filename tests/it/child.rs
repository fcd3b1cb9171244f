//! Another process on the same data directory: this test binary again, which runs one part.

use crate::fixture::Device;
#[cfg(unix)]
use crate::locks;
use crate::oauth::browser_listener;
use crate::{adopt, kill, logout_all, question, together, upkeep};
use sessionkeeper::clock::{Clock, HeldClock};
use sessionkeeper::provider::Provider;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

pub fn spawn(part: &str, device: &Device) -> Child {
    spawn_with(part, device, &serde_json::Value::Null)
}

/// The same, with something for it to read.
pub fn spawn_with(part: &str, device: &Device, given: &serde_json::Value) -> Child {
    command(part, device, given).spawn().unwrap()
}

/// The same, where the system has no thread to give: none has room for such a stack.
#[cfg(target_os = "linux")]
pub fn spawn_without_threads(part: &str, device: &Device) -> Child {
    let stack = (1_u64 << 47).to_string();
    command(part, device, &serde_json::Value::Null).env("RUST_MIN_STACK", stack).spawn().unwrap()
}

fn command(part: &str, device: &Device, given: &serde_json::Value) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["--exact", "child::process", "--ignored", "--nocapture"])
        .env("CHILD_PART", part)
        .env("CHILD_DIRECTORY", &device.directory)
        .env("CHILD_PROVIDER", &device.provider().source)
        .env("CHILD_KEY", &device.provider().key)
        .env("CHILD_GIVEN", given.to_string())
        .env("CHILD_TIME", device.clock.now().to_string())
        .stdout(Stdio::piped());
    command
}

#[test]
#[ignore = "run by other tests, in a process of its own"]
fn process() {
    let given = |name: &str| std::env::var(name).unwrap();
    let provider = Provider::from_kept(&given("CHILD_PROVIDER"), &given("CHILD_KEY")).unwrap();
    let clock = Arc::new(HeldClock::at(given("CHILD_TIME").parse().unwrap()));
    let directory = given("CHILD_DIRECTORY");
    let device = Device::at(Path::new(&directory), provider, &clock);
    match given("CHILD_PART").as_str() {
        "victim" => kill::victim(&device),
        "login victim" => kill::login_victim(&device),
        "real browser victim" => browser_listener::victim(&device.in_real_time()),
        "adoption victim" => adopt::adoption_victim(&device),
        "question" => question::victim(&device),
        "mix" => together::mix(&device),
        "log out of all" => logout_all::victim(&device),
        "upkeep" => upkeep::on_duty(&device),
        "requests" => together::requests(&[&*device]),
        #[cfg(unix)]
        "queue" => locks::queue(&device.directory),
        #[cfg(unix)]
        "hold" => locks::hold(&device.directory),
        #[cfg(unix)]
        "wait" => locks::wait(&device.directory),
        other => panic!("{other}"),
    }
}
