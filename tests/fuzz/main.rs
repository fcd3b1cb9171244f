//! One program for all targets: the environment variable `FUZZ_TARGET` names the one.

#![no_main]

use libfuzzer_sys::fuzz_target;
use std::sync::LazyLock;

static TARGET: LazyLock<sessionkeeper::fuzz::Target> = LazyLock::new(|| {
    let wanted = std::env::var("FUZZ_TARGET").unwrap_or_default();
    let names = sessionkeeper::fuzz::TARGETS.map(|(name, _)| name);
    let found = sessionkeeper::fuzz::TARGETS.into_iter().find(|(name, _)| *name == wanted);
    found.unwrap_or_else(|| panic!("FUZZ_TARGET has to be one of {}", names.join(", "))).1
});

fuzz_target!(|data: &[u8]| (*TARGET)(data));
