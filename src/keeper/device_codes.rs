//! Codes for a login on another device that are waited for in this process.

use crate::login::Device;
use std::sync::{Mutex, PoisonError};

/// The most codes that are kept; nobody waits for older ones.
const KEPT: usize = 8;

#[derive(Default)]
pub struct DeviceCodes(Mutex<Waiting>);

#[derive(Default)]
struct Waiting {
    last: u64,
    codes: Vec<(u64, String, Device)>,
}

impl DeviceCodes {
    /// Keeps a code until somebody waits for it, and gives its number.
    pub fn put(&self, provider: &str, device: &Device) -> u64 {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.last += 1;
        let number = waiting.last;
        if waiting.codes.len() == KEPT {
            waiting.codes.remove(0);
        }
        waiting.codes.push((number, provider.to_owned(), device.clone()));
        number
    }

    pub fn take(&self, provider: &str, number: u64) -> Option<Device> {
        let codes = &mut self.0.lock().unwrap_or_else(PoisonError::into_inner).codes;
        let index = codes.iter().position(|(of, whose, _)| *of == number && whose == provider)?;
        Some(codes.remove(index).2)
    }
}
