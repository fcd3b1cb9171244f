//! What gets into the jar, what comes out, and what the clock has to say about it.

use super::*;
use crate::clock::HeldClock;

pub(super) const DATE: UnixTime = 1_800_000_000;
const DAY: i64 = 86_400;
pub(super) const PAST: &str = "Expires=Thu, 01 Jan 1970 00:00:00 GMT";

pub(super) fn url(text: &str) -> Url {
    Url::parse(text).unwrap()
}

fn hosts() -> Hosts {
    let names = ["www.angel.com", "auth.angel.com", "127.0.0.1:8080", "shop.co.uk"];
    Hosts::new(&names.map(str::to_owned), &["angel.com".to_owned()]).unwrap()
}

fn put(jar: &mut Jar, from: &str, cookies: &[&str]) {
    let cookies: Vec<_> = cookies.iter().map(|text| (*text).to_owned()).collect();
    jar.store(&url(from), &cookies, Some(DATE), &hosts());
}

pub(super) fn jar_with(cookies: &[&str]) -> Jar {
    let mut jar = Jar::new();
    put(&mut jar, "https://auth.angel.com/u/login", cookies);
    jar
}

fn sent(jar: &Jar, to: &str) -> String {
    jar.header_for(&url(to), &HeldClock::at(DATE))
        .map(|h| h.expose().to_owned())
        .unwrap_or_default()
}

/// As the vault seals it.
fn reopened(jar: &Jar) -> Jar {
    serde_json::from_str(&serde_json::to_string(jar).unwrap()).unwrap()
}

fn http_date(time: UnixTime) -> String {
    let seconds = std::time::Duration::from_secs(u64::try_from(time).unwrap());
    httpdate::fmt_http_date(std::time::UNIX_EPOCH + seconds)
}

#[test]
fn a_cookie_is_taken_or_refused_as_the_rfc_says() {
    let pair = |size: usize| format!("a={}", "x".repeat(size - 1));
    let long_path = format!("a=b; Path=/{}", "x".repeat(1024));
    // Set by https://auth.angel.com/u/login; the second part is what /u/x of that host is sent.
    for (set_cookie, expected) in [
        ("a=b", "a=b"),
        (" a = b c ", "a=b c"),
        ("a=b=c", "a=b=c"),
        ("a=\"b\"", "a=\"b\""),
        ("a=", "a="),
        ("a=p\u{e4}ss", "a=p\u{e4}ss"),
        (&pair(4096), &pair(4096)),
        (&pair(4097), ""),
        (&long_path, "a=b"),
        ("a=b\0", ""),
        ("a=b\x7f", ""),
        ("a=b; Path=/\x01", ""),
        ("a=b\r\nSet-Cookie: c=d", ""),
        ("a", ""),
        ("=v", ""),
        ("", ""),
        (";", ""),
        ("=__Host-x=1", ""),
        ("=__Secure-x=1", ""),
        ("a=b; Domain=angel.com", "a=b"),
        ("a=b; Domain=.Angel.COM", "a=b"),
        ("a=b; Domain=auth.angel.com", "a=b"),
        ("a=b; Domain=", "a=b"),
        ("a=b; Domain=com", ""),
        ("a=b; Domain=co.uk", ""),
        ("a=b; Domain=www.angel.com", ""),
        ("a=b; Domain=x.auth.angel.com", ""),
        ("a=b; Domain=example.org", ""),
        ("a=b; Domain=127.0.0.1", ""),
        ("a=b; Domain=..angel.com", ""),
        ("a=b; Domain=\u{430}ngel.com", ""),
        ("a=b; Domain=example.org; Domain=angel.com", "a=b"),
        ("a=b; Path=/u", "a=b"),
        ("a=b; Path=/u/", "a=b"),
        ("a=b; Path=/U", ""),
        ("a=b; Path=/u/xy", ""),
        ("a=b; Path=/u/../..", ""),
        ("a=b; Path=u", "a=b"),
        ("a=b; Path=", "a=b"),
        ("__Host-a=b; Secure; Path=/", "__Host-a=b"),
        ("__Host-a=b; Secure; Path=/; Domain=auth.angel.com", ""),
        ("__Host-a=b; Path=/", ""),
        ("__Host-a=b; Secure", ""),
        ("__hOSt-a=b; Secure; Path=/u", ""),
        ("__Secure-a=b; Secure", "__Secure-a=b"),
        ("__secure-a=b", ""),
        ("a=b; SameSite=None", ""),
        ("a=b; SameSite=None; Secure", "a=b"),
        ("a=b; SameSite=Strict", "a=b"),
        ("a=b; Max-Age=0", ""),
        ("a=b; Max-Age=-1", ""),
        ("a=b; Max-Age=1e30", "a=b"),
        ("a=b; Max-Age=0; Expires=Fri, 31 Dec 9999 23:59:59 GMT", ""),
        (&format!("a=b; Max-Age=9; {PAST}"), "a=b"),
        (&format!("a=b; {PAST}"), ""),
    ] {
        assert_eq!(
            sent(&jar_with(&[set_cookie]), "https://auth.angel.com/u/x"),
            expected,
            "{set_cookie}"
        );
    }
}

#[test]
fn cookies_go_only_where_they_belong() {
    let jar = jar_with(&[
        "host=1; Path=/",
        "all=2; Domain=angel.com; Path=/; Secure",
        "deep=3",
        "deeper=4; Path=/u/x",
    ]);
    for (to, expected) in [
        ("https://auth.angel.com/u/x?y", "deeper=4; deep=3; host=1; all=2"),
        ("https://auth.angel.com/uu", "host=1; all=2"),
        ("https://www.angel.com/u/x", "all=2"),
        ("https://angel.com/", "all=2"),
        ("http://auth.angel.com/", "host=1"),
        ("https://evilangel.com/", ""),
        ("https://angel.com.example.org/", ""),
    ] {
        assert_eq!(sent(&jar, to), expected, "{to}");
    }
    let logout = url("https://www.angel.com/logout");
    assert_eq!(jar.subset_for(&[&logout]).names(), ["all"]);
    assert!(jar.subset_for(&[]).is_empty());
}

/// RFC 6265bis section 5.7, steps 9 and 10.
#[test]
fn nobody_sets_a_cookie_for_a_public_suffix() {
    let names = ["me.github.io", "github.io", "localhost", "shop.co.uk"].map(str::to_owned);
    let hosts = Hosts::new(&names, &[]).unwrap();
    let mut jar = Jar::new();
    let mut put = |from: &str, text: &str| {
        jar.store(&url(from), &[text.to_owned()], Some(DATE), &hosts);
    };
    put("https://me.github.io/", "up=1; Domain=github.io");
    put("https://shop.co.uk/", "up=2; Domain=co.uk");
    put("https://github.io/", "own=3; Domain=github.io");
    put("http://localhost/", "own=4; Domain=localhost");
    assert_eq!(sent(&jar, "https://me.github.io/"), "");
    assert_eq!(sent(&jar, "https://github.io/"), "own=3");
    assert_eq!(sent(&jar, "http://localhost/"), "own=4");
}

#[test]
fn a_server_of_another_sort_is_judged_by_its_kind() {
    let mut jar = Jar::new();
    put(&mut jar, "http://www.angel.com/", &["a=b; Secure"]);
    put(&mut jar, "https://shop.co.uk/", &["a=b; Domain=co.uk"]);
    assert!(jar.is_empty(), "Secure over http, and a public suffix");
    // A development host: Secure is dropped, and SameSite=None needs none.
    put(&mut jar, "http://127.0.0.1:8080/", &["a=b; Secure; SameSite=None", "c=d; SameSite=None"]);
    assert_eq!(sent(&jar, "http://127.0.0.1:8080/"), "a=b; c=d");
    assert!(!jar.cookies[0].secure);
    assert!(jar_with(&["a=b; Secure; SameSite=None"]).cookies[0].secure);
}

#[test]
fn a_flood_stops_at_the_caps_and_pushes_nothing_out() {
    let mut jar = jar_with(&["session=1"]);
    let flood: Vec<_> = (0..5000).map(|n| format!("f{n}={n}")).collect();
    jar.store(&url("https://auth.angel.com/u/x"), &flood, Some(DATE), &hosts());
    assert_eq!(jar.cookies.len(), MAX_PER_DOMAIN);
    for host in 0..9 {
        let name = format!("h{host}.example.org");
        let hosts = Hosts::new(std::slice::from_ref(&name), &[]).unwrap();
        jar.store(&url(&format!("https://{name}/")), &flood[..100], Some(DATE), &hosts);
    }
    assert_eq!(jar.cookies.len(), MAX_COOKIES);
    assert_eq!(jar.value("session").unwrap().expose(), "1");
    // A full jar still takes a new value, and makes room of what has ended.
    put(&mut jar, "https://auth.angel.com/u/login", &["session=2"]);
    assert_eq!(jar.value("session").unwrap().expose(), "2");
    put(&mut jar, "https://auth.angel.com/u/login", &["f1=; Max-Age=0", "brief=x; Max-Age=5"]);
    let later = [String::from("late=1")];
    jar.store(&url("https://auth.angel.com/u/x"), &later, Some(DATE + 10), &hosts());
    assert!(jar.value("late").is_some() && jar.value("brief").is_none());
}

#[test]
fn a_wrong_clock_ends_no_cookie() {
    let jar = jar_with(&["a=b; Path=/; Max-Age=86400", "s=1; Path=/"]);
    let clock = HeldClock::at(DATE + 2 * DAY);
    let send = |clock: &HeldClock| {
        jar.header_for(&url("https://auth.angel.com/"), clock).unwrap().expose().to_owned()
    };
    assert_eq!(send(&clock), "s=1");
    clock.set_synchronised(false);
    assert_eq!(send(&clock), "a=b; s=1");
    // Dates are the server's: it lives in 2037, or in 1971, and so do its cookies.
    for date in [2_114_380_800, 31_536_000] {
        let expires = format!("a=b; Expires={}", http_date(date + 60));
        let mut jar = Jar::new();
        jar.store(&url("https://auth.angel.com/"), &[expires], Some(date), &hosts());
        assert_eq!(jar.expires_at("a"), Some(date + 60));
        assert_eq!(reopened(&jar).expires_at("a"), Some(date + 60));
    }
}

#[test]
fn what_is_sealed_comes_back() {
    let jar = jar_with(&[
        "a=\"b c\"; Domain=angel.com; Secure; HttpOnly; SameSite=Strict; Max-Age=60",
        "s=p\u{e4}; Path=/",
        "e=; Path=/",
    ]);
    let back = reopened(&jar);
    assert_eq!(back, jar);
    assert_eq!(back.expires_at("a"), Some(DATE + 60));
    for bad in ["{", "[1]", "{\"a\":\"hunter2\"}", "[{\"name\":\"hunter2\"}]"] {
        assert!(serde_json::from_str::<Jar>(bad).is_err());
    }
    assert_eq!(format!("{jar:?}"), "Jar[\"a\", \"e\", \"s\"]");
}

#[test]
fn the_jar_can_be_asked() {
    let mut jar =
        jar_with(&["a=1; Path=/; Max-Age=60", "a=2; Path=/u; Max-Age=30", "b=3; Max-Age=90"]);
    assert_eq!(jar.names(), ["a", "b"]);
    assert_eq!(jar.value("a").unwrap().expose(), "2");
    assert_eq!(
        (jar.expires_at("a"), jar.last_expiry_of(&["a", "b"])),
        (Some(DATE + 30), Some(DATE + 90))
    );
    put(&mut jar, "https://auth.angel.com/", &["s=1"]);
    assert_eq!((jar.expires_at("s"), jar.last_expiry_of(&["a", "b"])), (None, Some(DATE + 90)));
    jar.remove("a");
    jar.remove("s");
    assert_eq!(jar.names(), ["b"]);
    put(&mut jar, "https://auth.angel.com/u/login", &[&format!("b=; {PAST}")]);
    assert!(
        jar.is_empty() && jar.value("b").is_none() && jar.last_expiry_of(&["a", "b"]).is_none()
    );
}

/// Headers put together at random from what the rules look at: nothing panics, the caps hold, and
/// what is taken survives being sealed.
#[test]
fn any_header_is_survived() {
    let pieces: Vec<_> = "a|=|;| |\t|\"|\u{e4}|\0|,|__Host-|Path|/|Domain|angel.com|.|Max-Age|-1|\
        99999999999999999999|Expires|Thu, 01 Jan 1970 00:00:00 GMT|9999|:|Secure|SameSite|None|%00"
        .split('|')
        .collect();
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut next = |limit: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % 1_000_003).unwrap() % limit
    };
    let mut jar = Jar::new();
    for _ in 0..5_000 {
        let text: String = (0..next(14)).map(|_| pieces[next(pieces.len())]).collect();
        put(&mut jar, "https://auth.angel.com/u/login", &[&text]);
        jar.deleted_at("a", &url("https://auth.angel.com/"), &[text], None);
    }
    assert!(!jar.is_empty() && jar.cookies.len() <= MAX_COOKIES);
    assert_eq!(reopened(&jar), jar);
}

fn given(name: &str, domain: &str) -> GivenCookie {
    let (name, domain, path) = (name.to_owned(), domain.to_owned(), String::new());
    GivenCookie { name, value: Secret::new("v"), domain, path, expires: None }
}

#[test]
fn a_cookie_that_is_handed_over_is_for_the_hosts_that_its_jar_says() {
    let www = "https://www.angel.com/";
    let auth = "https://auth.angel.com/";
    for (domain, to_www, to_auth) in [
        (".angel.com", true, true),
        ("angel.com", true, true),
        (".ANGEL.com", true, true),
        ("www.angel.com", true, false),
        (".www.angel.com", true, false),
        ("", true, true),
    ] {
        let mut jar = Jar::new();
        assert!(jar.take(&given("a", domain), &hosts(), "www.angel.com"), "{domain}");
        assert_eq!(sent(&jar, www) == "a=v", to_www, "{domain}");
        assert_eq!(sent(&jar, auth) == "a=v", to_auth, "{domain}");
        assert_eq!(reopened(&jar), jar);
    }
    for domain in ["com", ".com", "evilangel.com", "example.org", "co.uk", ".", "127.0.0.2"] {
        let mut jar = Jar::new();
        assert!(!jar.take(&given("a", domain), &hosts(), "www.angel.com"), "{domain}");
        assert!(jar.is_empty());
    }
    // A host of its own has no other's cookies.
    let mut jar = Jar::new();
    assert!(jar.take(&given("a", ""), &hosts(), "shop.co.uk"));
    assert_eq!((sent(&jar, "https://shop.co.uk/").as_str(), sent(&jar, www).as_str()), ("a=v", ""));
    assert!(jar.take(&given("b", "127.0.0.1"), &hosts(), "www.angel.com"));
    assert_eq!(sent(&jar, "http://127.0.0.1:8080/"), "b=v");
}

#[test]
fn a_cookie_that_was_supposed_to_be_somewhere_gives_way_to_the_server_s() {
    let mut supposed = Jar::new();
    supposed.take(&given("a", ""), &hosts(), "www.angel.com");
    supposed.take(&given("b", ""), &hosts(), "www.angel.com");
    let mut jar = supposed.clone();
    put(&mut jar, "https://www.angel.com/", &["a=new; Path=/"]);
    jar.correct(&supposed);
    assert_eq!(sent(&jar, "https://www.angel.com/"), "b=v; a=new");
    assert_eq!(sent(&jar, "https://auth.angel.com/"), "b=v");
}
