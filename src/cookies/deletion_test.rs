//! What an answer has to say before a cookie counts as deleted at the server.

use super::tests::{DATE, PAST, jar_with, url};

#[test]
fn only_a_matching_deletion_is_one() {
    let domain = "j=x; Domain=.angel.com; Path=/; Secure";
    for (stored, answer, expected) in [
        (&[domain][..], &["j=; Domain=.angel.com; Path=/; Max-Age=0"][..], true),
        (&[domain], &["j=; Domain=angel.com; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT"], true),
        (&[domain], &["j=\"\"; Domain=angel.com; Path=/; Max-Age=0"], true),
        (&[domain], &["j=; Domain=angel.com; Path=/; Expires=Fri, 15 Jan 2027 08:00:00 GMT"], true),
        (
            &[domain],
            &["j=; Domain=angel.com; Path=/; Expires=Fri, 15 Jan 2027 08:00:01 GMT"],
            false,
        ),
        (&[domain], &["j=; Domain=angel.com; Path=/"], false),
        (&[domain], &["j=deleted; Domain=angel.com; Path=/; Max-Age=0"], true),
        (
            &[domain],
            &[
                "j=deleted; expires=Thu, 01-Jan-1970 00:00:01 GMT; Max-Age=0; path=/; domain=angel.com",
            ],
            true,
        ),
        (&[domain], &["j=x; Domain=angel.com; Path=/; Max-Age=0"], true),
        (&[domain], &["j=deleted; Domain=angel.com; Path=/"], false),
        (&[domain], &["j=deleted; Path=/; Max-Age=0"], false),
        (&[domain], &["j=; Path=/; Max-Age=0"], false),
        (&[domain], &["j=; Domain=auth.angel.com; Path=/; Max-Age=0"], false),
        (&[domain], &["j=; Domain=angel.com; Path=/u; Max-Age=0"], false),
        (&[domain], &["j=; Domain=angel.com; Max-Age=0"], false),
        (&[domain], &["J=; Domain=angel.com; Path=/; Max-Age=0"], false),
        (&[domain], &["j=; Domain=www.angel.com; Path=/; Max-Age=0"], false),
        (&[domain], &[], false),
        (
            &[domain],
            &["j=; Domain=angel.com; Path=/; Max-Age=0", "j=new; Domain=angel.com; Path=/"],
            false,
        ),
        (&[domain], &["j=; Domain=angel.com; Path=/; Max-Age=0", "j=new"], false),
        (&[domain], &["j=new", "j=; Domain=angel.com; Path=/; Max-Age=0"], false),
        (
            &[domain],
            &["j=new; Domain=angel.com; Path=/", "j=; Domain=angel.com; Path=/; Max-Age=0"],
            true,
        ),
        (&["j=x"], &["j=; Path=/u; Max-Age=0"], true),
        (&["j=x"], &["j=; Max-Age=0"], true),
        (&["j=x"], &["j=; Path=/u; Domain=auth.angel.com; Max-Age=0"], false),
        (&["j=x", domain], &["j=; Max-Age=0"], false),
        (&["j=x", domain], &["j=; Max-Age=0", "j=; Domain=angel.com; Path=/; Max-Age=0"], true),
        (&["__Host-j=x; Secure; Path=/"], &["__Host-j=; Path=/; Max-Age=0"], false),
        (&[], &["j=; Domain=angel.com; Path=/; Max-Age=0"], false),
        (&[], &["j=; Path=/anything; Max-Age=0"], false),
        (&[], &[], false),
    ] {
        let jar = jar_with(stored);
        let name =
            if stored.iter().any(|text| text.starts_with("__Host")) { "__Host-j" } else { "j" };
        let answer: Vec<_> = answer.iter().map(|text| (*text).to_owned()).collect();
        let from = url("https://auth.angel.com/u/logout");
        assert_eq!(
            jar.deleted_at(name, &from, &answer, Some(DATE)),
            expected,
            "{stored:?} {answer:?}"
        );
    }
}

#[test]
fn a_deletion_in_1970_needs_no_date() {
    let jar = jar_with(&["j=x; Domain=angel.com; Path=/"]);
    let answer = [format!("j=; Domain=angel.com; Path=/; {PAST}")];
    assert!(jar.deleted_at("j", &url("https://auth.angel.com/logout"), &answer, None));
}
