//! Tests of OAuth 2.0 as the core speaks it, against an issuer whose answers each test writes itself.

mod issuer;
mod logins;
mod logouts;
mod places;
mod polling;
mod renewals;

/// Runs the cases at once: each waits for the second that lies between two polls.
fn at_once<T: Sync>(cases: &[T], run: impl Fn(&T) + Sync) {
    std::thread::scope(|scope| {
        for case in cases {
            scope.spawn(|| run(case));
        }
    });
}
