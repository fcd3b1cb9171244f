//! A disk that fails: the system calls that change files, refused below one directory.
//!
//! The C library's functions are replaced in this program, so SQLite and Rust's own files run into
//! the same fault, and nothing between them and the system is another than in a device.
#![allow(unsafe_code, reason = "stands in for functions of the C library")]
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    reason = "a system call takes and gives registers"
)]

use libc::{c_char, c_int, c_long, c_void, off64_t, size_t, ssize_t};
use std::ffi::{CStr, OsStr};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

/// A system call that changes something, or is on the way to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    Write,
    Sync,
    Truncate,
    Unlink,
    Create,
    Rename,
    /// Of a file that is there, for whatever.
    Open,
}

/// All that change something: a disk that has become read-only, or that is full and copies on write.
pub const EVERY: &[Call] =
    &[Call::Write, Call::Sync, Call::Truncate, Call::Unlink, Call::Create, Call::Rename];

/// The disk below a directory fails while this lives.
pub struct Fault(usize);

struct Rule {
    number: usize,
    directory: PathBuf,
    calls: &'static [Call],
    error: c_int,
    /// The first call that fails, from 1, and the last.
    from: usize,
    until: usize,
    seen: usize,
}

static RULES: Mutex<Vec<Rule>> = Mutex::new(Vec::new());
static LAST: AtomicUsize = AtomicUsize::new(0);
static COUNT: AtomicUsize = AtomicUsize::new(0);

impl Fault {
    /// From the `from`th of these calls on, each fails.
    pub fn ever(directory: &Path, calls: &'static [Call], from: usize, error: c_int) -> Self {
        Fault::new(directory, calls, (from, usize::MAX), error)
    }

    /// The `nth` of these calls fails, and no other.
    pub fn once(directory: &Path, calls: &'static [Call], nth: usize, error: c_int) -> Self {
        Fault::new(directory, calls, (nth, nth), error)
    }

    fn new(
        directory: &Path,
        calls: &'static [Call],
        (from, until): (usize, usize),
        error: c_int,
    ) -> Self {
        let number = LAST.fetch_add(1, Ordering::SeqCst) + 1;
        let directory = directory.to_owned();
        let rule = Rule { number, directory, calls, error, from, until, seen: 0 };
        RULES.lock().unwrap_or_else(PoisonError::into_inner).push(rule);
        COUNT.fetch_add(1, Ordering::SeqCst);
        Fault(number)
    }

    /// True once a call has failed.
    pub fn has_struck(&self) -> bool {
        let rules = RULES.lock().unwrap_or_else(PoisonError::into_inner);
        rules.iter().any(|rule| rule.number == self.0 && rule.seen >= rule.from)
    }
}

impl Drop for Fault {
    fn drop(&mut self) {
        RULES.lock().unwrap_or_else(PoisonError::into_inner).retain(|rule| rule.number != self.0);
        COUNT.fetch_sub(1, Ordering::SeqCst);
    }
}

/// The error that this call is to fail with.
fn refusal(call: Call, path: impl FnOnce() -> Option<PathBuf>) -> Option<c_int> {
    if COUNT.load(Ordering::SeqCst) == 0 {
        return None;
    }
    let path = path()?;
    let mut rules = RULES.lock().unwrap_or_else(PoisonError::into_inner);
    rules.iter_mut().find_map(|rule| {
        if !rule.calls.contains(&call) || !path.starts_with(&rule.directory) {
            return None;
        }
        rule.seen += 1;
        (rule.from..=rule.until).contains(&rule.seen).then_some(rule.error)
    })
}

fn path_of(file: c_int) -> Option<PathBuf> {
    std::fs::read_link(format!("/proc/self/fd/{file}")).ok()
}

fn named(path: *const c_char) -> Option<PathBuf> {
    // SAFETY: the callers of these functions give a text that ends with a zero.
    let name = unsafe { CStr::from_ptr(path) };
    Some(PathBuf::from(OsStr::from_bytes(name.to_bytes())))
}

fn fail(error: c_int) -> c_int {
    // SAFETY: the C library gives each thread its own.
    unsafe { *libc::__errno_location() = error };
    -1
}

fn call(number: c_long, arguments: [c_long; 4]) -> c_long {
    let [first, second, third, fourth] = arguments;
    // SAFETY: the arguments are those of the replaced function, unchanged.
    unsafe { libc::syscall(number, first, second, third, fourth) }
}

#[unsafe(no_mangle)]
extern "C" fn write(file: c_int, bytes: *const c_void, count: size_t) -> ssize_t {
    match refusal(Call::Write, || path_of(file)) {
        Some(error) => fail(error) as ssize_t,
        None => {
            call(libc::SYS_write, [file.into(), bytes as c_long, count as c_long, 0]) as ssize_t
        }
    }
}

#[unsafe(no_mangle)]
extern "C" fn pwrite64(file: c_int, bytes: *const c_void, count: size_t, at: off64_t) -> ssize_t {
    match refusal(Call::Write, || path_of(file)) {
        Some(error) => fail(error) as ssize_t,
        None => {
            call(libc::SYS_pwrite64, [file.into(), bytes as c_long, count as c_long, at]) as ssize_t
        }
    }
}

#[unsafe(no_mangle)]
extern "C" fn fsync(file: c_int) -> c_int {
    match refusal(Call::Sync, || path_of(file)) {
        Some(error) => fail(error),
        None => call(libc::SYS_fsync, [file.into(), 0, 0, 0]) as c_int,
    }
}

#[unsafe(no_mangle)]
extern "C" fn ftruncate64(file: c_int, length: off64_t) -> c_int {
    match refusal(Call::Truncate, || path_of(file)) {
        Some(error) => fail(error),
        None => call(libc::SYS_ftruncate, [file.into(), length, 0, 0]) as c_int,
    }
}

#[unsafe(no_mangle)]
extern "C" fn unlink(path: *const c_char) -> c_int {
    match refusal(Call::Unlink, || named(path)) {
        Some(error) => fail(error),
        None => call(libc::SYS_unlinkat, [libc::AT_FDCWD.into(), path as c_long, 0, 0]) as c_int,
    }
}

#[unsafe(no_mangle)]
extern "C" fn rename(from: *const c_char, to: *const c_char) -> c_int {
    let here: c_long = libc::AT_FDCWD.into();
    match refusal(Call::Rename, || named(from)) {
        Some(error) => fail(error),
        None => call(libc::SYS_renameat, [here, from as c_long, here, to as c_long]) as c_int,
    }
}

/// In C it takes the mode where there is one; a register more does no harm.
#[unsafe(no_mangle)]
extern "C" fn open64(path: *const c_char, flags: c_int, mode: c_int) -> c_int {
    let creates = flags & libc::O_CREAT != 0;
    let is_new = || named(path).filter(|path| creates && !path.exists());
    let is_there = || named(path).filter(|path| path.exists());
    let here = libc::AT_FDCWD.into();
    match refusal(Call::Create, is_new).or_else(|| refusal(Call::Open, is_there)) {
        Some(error) => fail(error),
        None => call(libc::SYS_openat, [here, path as c_long, flags.into(), mode.into()]) as c_int,
    }
}
