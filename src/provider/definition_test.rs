//! What a definition may say, and what is said of one that is wrong.

use super::{Given, Probe, Problem, Provider, built_in};
use crate::error::{Error, Kind};
use serde_json::{Value, json};

const ANGEL: &str = include_str!("../../resources/providers/angel.toml");
const SERVICE: &str = include_str!("../../resources/providers/idempotent.toml");

fn refused(text: &str, from: &str, to: &str) -> (String, Problem) {
    assert_eq!(text.matches(from).count(), 1, "the test's own text: {from}");
    let problem = Provider::parse(&text.replace(from, to), None).unwrap_err();
    (problem.key.clone(), problem)
}

#[track_caller]
fn check(text: &str, change: (&str, &str), key: &str, message: &str, hint: &str) {
    let (found, problem) = refused(text, change.0, change.1);
    assert_eq!(found, key, "{problem:?}");
    assert!(problem.message.contains(message), "{problem:?}");
    assert!(problem.hint.contains(hint), "{problem:?}");
}

#[test]
fn an_unknown_key_is_named_beside_the_known_ones() {
    let change = ("cookie_domains =", "cookie_domain =");
    check(
        ANGEL,
        change,
        "cookie_domain",
        "unknown field `cookie_domain`, expected one of `id`",
        "",
    );
    let change = ("sessions = \"/sessions\"", "session = \"/sessions\"");
    check(SERVICE, change, "everywhere.session", "`method`, `url`, `query`", "provider-keys.md");
    let change = ("[logout.probe]", "[logout.frobnicate]");
    check(SERVICE, change, "logout.frobnicate", "expected one of `steps`, `leaves`, `probe`", "");
    let change = ("flow = \"hosted_form\"", "flow = \"hosted\"");
    check(ANGEL, change, "login", "`hosted`, expected one of `hosted_form`", "");
    assert_eq!(refused(ANGEL, "cookie_domains =", "cookie_domain =").1.line, 8);
}

#[test]
fn what_is_missing_or_of_another_kind_is_said_with_its_table() {
    check(SERVICE, ("[renew]\nflow = \"request\"", "[renew]"), "renew", "a `flow`", "docs/");
    let change = ("refused_status = [401]", "refused_status = 401");
    let said = "invalid type: integer `401`, expected a sequence";
    check(SERVICE, change, "logout.probe.refused_status", said, "provider-keys.md");
    let change = ("json = { username", "json = { a = [{ b = \"{c}\" }], username");
    check(SERVICE, change, "login.json.a[0].b", "no value is called 'c'", "Known here");
    let change = ("[[logout.steps]]", "[logout.steps]");
    check(SERVICE, change, "logout.steps", "map, expected a sequence", "");
    let change = ("method = \"POST\"\n", "");
    check(SERVICE, change, "logout.steps[0]", "missing field `method`", "docs/");
    let change = ("status = [302]", "status = [99999]");
    check(ANGEL, change, "logout.steps[0].proof.status[0]", "`99999`", "");
    let problem = Provider::parse("", None).unwrap_err();
    assert_eq!((problem.message.as_str(), problem.line), ("missing field `id`", 1));
}

#[test]
fn a_flow_without_keys_has_none() {
    let probe =
        &SERVICE[SERVICE.find("[logout.probe]").unwrap()..SERVICE.find("[everywhere]").unwrap()];
    let bare = SERVICE.replace(probe, "[logout.probe]\nflow = \"renew\"\n");
    assert_eq!(Provider::parse(&bare, None).unwrap().logout.probe, Some(Probe::Renew {}));
    let change = ("flow = \"renew\"", "flow = \"renew\"\nurl = \"x\"");
    check(&bare, change, "logout.probe.url", "unknown field `url`", "");
}

#[test]
fn what_the_parts_need_of_each_other_is_there() {
    let logout = "\"https://auth.angel.com/logout\"";
    let url = "logout.steps[0].url";
    check(ANGEL, (logout, "\"http://auth.angel.com/logout\""), url, "only https", "https://");
    check(ANGEL, (logout, "\"https://auth.angel.example/\""), url, "provider's hosts", "`hosts`");
    let hosts = "hosts = [\"www.angel.com\", \"auth.angel.com\", \"api.angelstudios.com\"]";
    check(ANGEL, (hosts, "hosts = []"), "hosts", "at least one", "www.example.com");
    let change =
        ("bearer_hosts = [\"api.angelstudios.com\"]", "bearer_hosts = [\"api.other.com\"]");
    check(ANGEL, change, "api.bearer_hosts[0]", "not one of the `hosts`", "there as well");
    check(ANGEL, ("{csrf}", "{crsf}"), "login.submit.form._csrf_token", "'crsf'", "{csrf}");
    check(ANGEL, ("[302]", "[]"), "logout.steps[0].proof.status", "at least one", "");
    check(ANGEL, ("id = \"angel\"", "id = \"Ängel\""), "id", "lower-case", "");
    let change = ("query = { email = \"{username}\"", "query = { email = \"{password}\"");
    check(ANGEL, change, "login.pages[1].query.email", "'password'", "body alone");
}

#[test]
fn a_dictionary_is_a_definition() {
    let tree: Value = serde_json::from_str(&built_in().unwrap()[0].source).unwrap();
    let provider = Provider::from_value(tree.clone(), None).unwrap();
    assert_eq!(&provider, built_in().unwrap()[0]);
    for (path, wrong, message) in [
        ("/logout/steps/0/method", Value::Null, "invalid type: null, expected string or map"),
        ("/login/pages/1/url", json!(3), "invalid type: integer `3`, expected a string"),
        ("/session", json!("x"), "invalid type: string \"x\", expected struct SessionRule"),
        ("/login", json!("password"), "expected a table with a `flow`"),
    ] {
        let mut tree = tree.clone();
        *tree.pointer_mut(path).unwrap() = wrong;
        let problem = Provider::from_value(tree, None).unwrap_err();
        let key = path[1..].replace("/0", "[0]").replace("/1", "[1]").replace('/', ".");
        assert!(problem.message.starts_with(message), "{problem:?}");
        assert_eq!((&problem.key, problem.line), (&key, 0));
        assert_eq!(Error::from(problem).kind(), Kind::InvalidProvider);
    }
    assert!(Provider::from_value(json!(["x"]), None).is_err());
}

#[test]
fn what_is_kept_of_a_definition_is_all_of_it() {
    let given = Given::from([("base".to_owned(), "https://shop.example/".to_owned())]);
    let provider = Provider::parse(SERVICE, Some(&given)).unwrap();
    let kept = Provider::from_kept(&provider.source, &provider.key).unwrap();
    assert_eq!(kept.website.as_str(), "https://shop.example/");
    assert_eq!(kept, provider);
    assert!(Provider::from_kept("no longer a definition", "x#").is_err());
}
