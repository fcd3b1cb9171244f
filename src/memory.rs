//! Giving memory back to the system. glibc keeps what was freed in between what is still in use,
//! for as long as the process lives; other allocators see to it by themselves.

#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[allow(unsafe_code, reason = "no safe crate wraps malloc_trim; it takes a number and no pointer")]
pub fn give_back() {
    // SAFETY: malloc_trim(3) only releases free pages, and may be called at any time.
    unsafe {
        libc::malloc_trim(0);
    }
}

#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub fn give_back() {}
