//! Which of several files is used for a service, and what is said of the others.

use super::{FileSource, Given, Replaces, Sources, UnusedFile};
use crate::error::Kind;
use std::fs;
use std::path::Path;
use tempfile::TempDir;

const SHOP: &str = include_str!("../../resources/providers/idempotent.toml");
const UPDATES: &str = "resource.sessionkeeper.providers";

/// Directories by their add-ons; "" for the user's own.
struct Places {
    home: TempDir,
    addons: Vec<&'static str>,
}

impl Places {
    fn new(addons: &[&'static str]) -> Self {
        let home = tempfile::tempdir().unwrap();
        for addon in addons {
            fs::create_dir(home.path().join(place(addon))).unwrap();
        }
        Places { home, addons: addons.to_vec() }
    }

    fn put(&self, addon: &str, name: &str, text: &str) {
        fs::write(self.home.path().join(place(addon)).join(name), text).unwrap();
    }

    fn sources(&self) -> Sources {
        let source = |addon: &&str| FileSource {
            directory: self.home.path().join(place(addon)),
            addon: if *addon == UPDATES { String::new() } else { (*addon).to_owned() },
            replaces: match *addon {
                "" => Replaces::NotNewer,
                UPDATES => Replaces::Older,
                _ => Replaces::Nothing,
            },
        };
        Sources::new(self.addons.iter().map(source).collect())
    }

    /// Where the service of this id comes from, and its revision.
    fn chosen(&self, id: &str) -> Option<(String, u32)> {
        let (listed, _) = self.sources().list();
        let given = if id == "angel" { Given::new() } else { given() };
        let found = self.sources().find(id, &given).ok();
        let listed = listed.into_iter().find(|provider| provider.id == id);
        assert_eq!(listed.is_some(), found.is_some());
        let origin = found.as_ref().map(|provider| provider.origin.clone());
        assert_eq!(listed.map(|provider| provider.origin), origin);
        found.map(|provider| {
            let directory = Path::new(&provider.origin.file).parent();
            let name = directory.and_then(|path| path.file_name()).unwrap_or_default();
            (name.to_str().unwrap().to_owned(), provider.revision)
        })
    }

    fn unused(&self) -> Vec<UnusedFile> {
        self.sources().list().1
    }
}

fn place(addon: &str) -> &str {
    if addon.is_empty() { "own" } else { addon }
}

fn given() -> Given {
    Given::from([("base".to_owned(), "https://shop.example".to_owned())])
}

/// The shop under another id and with a revision.
fn shop(id: &str, revision: u32) -> String {
    let id = format!("id = \"{id}\"\nrevision = {revision}");
    SHOP.replace("id = \"idempotent\"", &id)
}

#[track_caller]
fn is_told(unused: &[UnusedFile], file: &str, addon: &str, words: &str) {
    let told = unused.iter().find(|one| one.file.ends_with(file) && one.addon == addon);
    let told = told.unwrap_or_else(|| panic!("{unused:?}"));
    assert!(told.problem.message.contains(words), "{told:?}");
    assert!(!told.problem.hint.is_empty(), "{told:?}");
}

#[test]
fn an_update_takes_the_place_of_an_older_one_alone() {
    let places = Places::new(&[UPDATES]);
    let built_in = Some((String::new(), 1));
    assert_eq!(places.chosen("idempotent"), built_in);
    places.put(UPDATES, "idempotent.toml", &shop("idempotent", 1));
    assert_eq!(places.chosen("idempotent"), built_in);
    places.put(UPDATES, "idempotent.toml", &shop("idempotent", 2));
    assert_eq!(places.chosen("idempotent"), Some((UPDATES.to_owned(), 2)));
    places.put(UPDATES, "new.toml", &shop("new", 1));
    assert_eq!(places.chosen("new"), Some((UPDATES.to_owned(), 1)));
    assert_eq!(places.unused(), []);
}

#[test]
fn the_user_has_the_last_word_among_equals() {
    let places = Places::new(&["", UPDATES, "plugin.a"]);
    places.put("plugin.a", "shop-a.toml", &shop("shop-a", 3));
    places.put(UPDATES, "idempotent.toml", &shop("idempotent", 2));
    places.put("", "idempotent.toml", &shop("idempotent", 1));
    places.put("", "shop-a.toml", &shop("shop-a", 3));
    assert_eq!(places.chosen("idempotent"), Some((UPDATES.to_owned(), 2)));
    assert_eq!(places.chosen("shop-a"), Some(("own".to_owned(), 3)));
    is_told(&places.unused(), "own/idempotent.toml", "", "revision 2 is there");
    places.put("", "idempotent.toml", &shop("idempotent", 2));
    assert_eq!(places.chosen("idempotent"), Some(("own".to_owned(), 2)));
}

#[test]
fn an_add_on_takes_no_other_services_id() {
    let places = Places::new(&["plugin.a", "plugin.b", "plugin.c"]);
    places.put("plugin.a", "angel.toml", &shop("angel", 9));
    places.put("plugin.a", "shop.toml", &shop("shop", 1));
    assert_eq!(places.chosen("angel"), Some((String::new(), 1)));
    assert_eq!(places.chosen("shop"), Some(("plugin.a".to_owned(), 1)));
    is_told(&places.unused(), "angel.toml", "plugin.a", "built in");

    // The very same file is nobody's to take.
    places.put("plugin.b", "shop.toml", &shop("shop", 1));
    assert_eq!(places.chosen("shop"), Some(("plugin.a".to_owned(), 1)));
    assert_eq!(places.unused().len(), 1);

    for other in ["plugin.b", "plugin.c"] {
        places.put(other, "shop.toml", &shop("shop", 2).replace("/login", "/elsewhere"));
    }
    assert_eq!(places.chosen("shop"), None);
    let error = places.sources().find("shop", &given()).unwrap_err();
    assert_eq!(error.kind(), Kind::InvalidProvider);
    assert!(error.message().contains("shop.toml'"), "{error}");
    let unused = places.unused();
    is_told(&unused, "shop.toml", "plugin.a", "plugin.b brings another");
    is_told(&unused, "shop.toml", "plugin.b", "plugin.a brings another");
    is_told(&unused, "shop.toml", "plugin.c", "plugin.a brings another");
}

#[test]
fn a_broken_file_hides_nothing_else() {
    let places = Places::new(&["", "plugin.a", "plugin.b", UPDATES]);
    places.put("", "angel.toml", "id = ");
    places.put(UPDATES, "idempotent.toml", &shop("idempotent", 7).replace("\nhosts =", "\nhost ="));
    places.put("plugin.a", "shop.toml", &shop("other", 1));
    places.put("plugin.a", "Shop!.toml", &shop("shop", 1));
    places.put("plugin.a", "notes.txt", "no provider file");
    places.put("plugin.b", "shop.toml", &shop("shop", 1));
    fs::create_dir(places.home.path().join("own/folder.toml")).unwrap();
    assert_eq!(places.chosen("angel"), Some((String::new(), 1)));
    assert_eq!(places.chosen("idempotent"), Some((String::new(), 1)));
    assert_eq!(places.chosen("shop"), Some(("plugin.b".to_owned(), 1)));
    places.put("plugin.b", "shop-b.toml", &USING.replace("-a\"", "-b\"").replace("//a", "//a b"));
    let unused = places.unused();
    is_told(&unused, "own/angel.toml", "", "");
    is_told(&unused, "shop-b.toml", "plugin.b", "'base' contains characters");
    is_told(&unused, &format!("{UPDATES}/idempotent.toml"), "", "unknown field `host`");
    is_told(&unused, "plugin.a/shop.toml", "plugin.a", "its id is 'other'");
    is_told(&unused, "plugin.a/Shop!.toml", "plugin.a", "not the name");
    is_told(&unused, "own/folder.toml", "", "cannot be read");
    assert_eq!(unused.len(), 6);
    let line = unused.iter().find(|one| one.problem.key == "host").unwrap().problem.line;
    assert_eq!(line, 1 + shop("idempotent", 7).lines().position(|l| l.contains("hosts")).unwrap());
}

#[test]
fn what_is_not_there_is_said_with_what_is() {
    let places = Places::new(&["plugin.a"]);
    places.put("plugin.a", "shop.toml", &shop("shop", 1));
    for wrong in ["nobody", "../plugin.a/shop", "", "/etc/passwd"] {
        let error = places.sources().find(wrong, &given()).unwrap_err();
        assert_eq!(error.kind(), Kind::UnknownProvider);
        assert!(error.hint().contains("angel") && error.hint().contains("shop"), "{error:?}");
    }
    let gone = FileSource {
        directory: "/no/such".into(),
        addon: String::new(),
        replaces: Replaces::Older,
    };
    assert_eq!(Sources::new(vec![gone]).list().1, []);
}

#[test]
fn the_list_begins_with_what_is_built_in() {
    let places = Places::new(&["plugin.a"]);
    for (id, name) in [("zoo", "a zoo"), ("alps", "The Alps")] {
        let text = shop(id, 1).replace("Idempotent logout", name);
        places.put("plugin.a", &format!("{id}.toml"), &text);
    }
    let (listed, _) = places.sources().list();
    let ids: Vec<&str> = listed.iter().map(|provider| provider.id.as_str()).collect();
    assert_eq!((ids[0], &ids[ids.len() - 2..]), ("angel", ["zoo", "alps"].as_slice()));
}

#[test]
fn what_a_values_mistake_is_said_of_is_not_the_file() {
    let places = Places::new(&["plugin.a"]);
    places.put("plugin.a", "shop.toml", &shop("shop", 1));
    let find = |given| places.sources().find("shop", &given).unwrap_err().kind();
    assert_eq!(find(Given::new()), Kind::ParameterMissing);
    assert_eq!(find(Given::from([("bass".into(), "x".into())])), Kind::InvalidInput);
}

const USING: &str = "use = \"idempotent\"\nid = \"shop-a\"\nname = \"Shop A\"\n\
    [parameters]\nbase = \"https://a.example\"\n";

#[test]
fn a_file_uses_another_service_with_its_own_values() {
    let places = Places::new(&["plugin.a", "plugin.b", ""]);
    places.put("plugin.a", "shop-a.toml", USING);
    let sources = places.sources();
    let shop = sources.find("shop-a", &Given::new()).unwrap();
    assert_eq!((shop.name.as_str(), shop.website.as_str()), ("Shop A", "https://a.example/"));
    assert_eq!((shop.audience, shop.origin.addon.as_str()), (super::Audience::Viewer, "plugin.a"));
    let base = &shop.parameters["base"];
    assert_eq!((base.default.as_deref(), base.asked), (Some("https://a.example"), false));
    let original =
        sources.find("idempotent", &Given::from([("base".into(), "https://a.example".into())]));
    assert_ne!(shop.key, original.unwrap().key);
    let kept = super::Provider::from_kept(&shop.source, &shop.key).unwrap();
    assert_eq!((kept.website, kept.parameters), (shop.website.clone(), shop.parameters));
    assert_eq!(sources.with_key(&shop.key).unwrap().id, "shop-a");

    // A correction of the service reaches those that use it.
    places.put("", "idempotent.toml", &self::shop("idempotent", 1).replace("/login", "/sign-in"));
    let corrected = sources.find("shop-a", &Given::new()).unwrap();
    let [super::Login::Password(login)] = corrected.logins.as_slice() else {
        panic!("no password login");
    };
    assert_eq!(login.url.path(), "/api/auth/sign-in");
}

#[test]
fn what_is_wrong_with_a_use_is_said_with_its_line() {
    let places = Places::new(&["plugin.a"]);
    places.put("plugin.a", "shop-a.toml", USING);
    let sources = places.sources();
    for (right, wrong, key, line, words) in [
        ("\"idempotent\"", "\"idempotence\"", "use", 1, "no service"),
        ("\"idempotent\"", "\"shop-b\"", "use", 1, "no service"),
        ("\"shop-a\"", "\"idempotent\"", "id", 2, "id of the service"),
        ("\"shop-a\"", "\"Shop\"", "id", 2, "lower-case"),
        ("base =", "bass =", "parameters.bass", 5, "no such parameter"),
        ("name =", "nome =", "nome", 3, "unknown field"),
        ("\"https://a.example\"", "7", "parameters.base", 5, "expected a string"),
        ("id = \"shop-a\"\n", "", "", 1, "missing field `id`"),
    ] {
        let problem = sources.read(&USING.replace(right, wrong), None).unwrap_err();
        assert_eq!((problem.key.as_str(), problem.line), (key, line), "{problem:?}");
        assert!(problem.message.contains(words), "{problem:?}");
    }
}
