//! The files of an add-on that go, or change, with an account. Below its data directory and nowhere
//! else: no link is followed on the way.

use crate::error::{Error, Kind, Result};
use crate::lock::open_file;
use crate::provider::Downgrade;
use crate::vault::{create_file, sync_directory};
use serde_json::Value;
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::io::{ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

/// A watch list is a page of text; a larger file is something else.
const LARGEST: u64 = 4 << 20;

/// Deletes a file or a directory, if it is there.
pub fn delete(directory: &Path, path: &str) -> Result<String> {
    let Some(place) = find(directory, path)? else { return Ok("it was not there".to_owned()) };
    let failed = |error: std::io::Error| {
        Error::new(Kind::Storage, format!("it cannot be deleted ({})", error.kind()))
    };
    let is_directory = fs::symlink_metadata(&place).map_err(failed)?.is_dir();
    let deleted = if is_directory { fs::remove_dir_all(&place) } else { fs::remove_file(&place) };
    deleted.map(|()| String::new()).map_err(failed)
}

/// Exchanges the items of a list that need the account's subscription: one whose SKU ends with the
/// active suffix, where no item with the inactive suffix exists yet, is replaced by that variant
/// with the same quantity. No list, no such item, no such product: nothing happens. Nothing but
/// these SKUs changes in the file, and it keeps its mode.
pub fn downgrade(directory: &Path, rule: &Downgrade) -> Result<String> {
    let Some(place) = find(directory, &rule.list)? else { return Ok("there is no list".into()) };
    let (text, permissions) = read(&place)?;
    let items = pointed(parse(&text)?, &rule.items).and_then(list);
    let items = items.ok_or_else(|| Error::new(Kind::UnexpectedAnswer, "it holds no list"))?;
    let products = match &rule.products {
        Some(path) => match find(directory, path)? {
            Some(place) => {
                let (text, _) = read(&place)?;
                Some(skus(parse(&text)?, &rule.sku))
            }
            None => Some(Vec::new()),
        },
        None => None,
    };
    let exchanged = exchange(&items, rule, products.as_deref());
    if !exchanged.is_empty() {
        write(&place, &replaced(&text, &exchanged), permissions)?;
    }
    Ok(format!("{} exchanged", exchanged.len()))
}

/// The SKUs that change, where they stand, and what takes their place.
fn exchange<'a>(
    items: &[&'a RawValue],
    rule: &Downgrade,
    products: Option<&[String]>,
) -> Vec<(&'a RawValue, String)> {
    let mut there: Vec<_> = items.iter().filter_map(|item| sku_of(item, &rule.sku)).collect();
    let mut exchanged = Vec::new();
    for item in items {
        let Some(place) = member(item, &rule.sku) else { continue };
        let Some(variant) = text_of(place).and_then(|sku| variant(&sku, rule)) else { continue };
        let is_sold = products.is_none_or(|products| products.contains(&variant));
        if there.contains(&variant) || !is_sold {
            continue;
        }
        there.push(variant.clone());
        exchanged.push((place, variant));
    }
    exchanged
}

/// The SKU for everybody else; `None`: this one does not need the subscription. Where one suffix
/// ends with the other, the longer one tells.
fn variant(sku: &str, rule: &Downgrade) -> Option<String> {
    let stem = sku.strip_suffix(rule.active_suffix.as_str())?;
    let is_inactive = rule.inactive_suffix.len() > rule.active_suffix.len()
        && sku.ends_with(rule.inactive_suffix.as_str());
    (!is_inactive).then(|| format!("{stem}{}", rule.inactive_suffix))
}

/// `text` with other strings in places of its own.
fn replaced(text: &str, exchanged: &[(&RawValue, String)]) -> String {
    let (mut new, mut done) = (String::with_capacity(text.len()), 0);
    for (place, sku) in exchanged {
        let start = place.get().as_ptr() as usize - text.as_ptr() as usize;
        new.push_str(&text[done..start]);
        new.push_str(&Value::from(sku.as_str()).to_string());
        done = start + place.get().len();
    }
    new + &text[done..]
}

/// The SKUs of a list of products: of texts, of objects, or of an object that holds one of these.
fn skus(products: &RawValue, key: &str) -> Vec<String> {
    if let Some(items) = list(products) {
        return items.iter().filter_map(|item| sku_of(item, key)).collect();
    }
    let held = members(products).unwrap_or_default();
    held.values().flat_map(|value| skus(value, key)).collect()
}

/// The SKU that an item is, or holds.
fn sku_of(item: &RawValue, key: &str) -> Option<String> {
    text_of(item).or_else(|| text_of(member(item, key)?))
}

/// What a JSON pointer leads to (RFC 6901).
fn pointed<'a>(value: &'a RawValue, pointer: &str) -> Option<&'a RawValue> {
    pointer.split('/').skip(1).try_fold(value, |value, part| {
        let name = part.replace("~1", "/").replace("~0", "~");
        match list(value) {
            Some(items) => items.get(name.parse::<usize>().ok()?).copied(),
            None => member(value, &name),
        }
    })
}

fn member<'a>(value: &'a RawValue, name: &str) -> Option<&'a RawValue> {
    members(value)?.remove(name)
}

fn members(value: &RawValue) -> Option<BTreeMap<String, &RawValue>> {
    serde_json::from_str(value.get()).ok()
}

fn list(value: &RawValue) -> Option<Vec<&RawValue>> {
    serde_json::from_str(value.get()).ok()
}

fn text_of(value: &RawValue) -> Option<String> {
    serde_json::from_str(value.get()).ok()
}

/// Where `path` leads, if something is there. A link on the way is refused.
fn find(directory: &Path, path: &str) -> Result<Option<PathBuf>> {
    let mut place = directory.to_owned();
    for part in path.split('/') {
        if part.is_empty() || part == "." || part == ".." {
            return Err(Error::new(
                Kind::InvalidInput,
                "it is not a path below the data directory",
            ));
        }
        place.push(part);
        match fs::symlink_metadata(&place) {
            Ok(found) if found.is_symlink() => {
                return Err(Error::new(
                    Kind::Storage,
                    "a link is on the way; links are not followed",
                ));
            }
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => {
                let message = format!("it cannot be examined ({})", error.kind());
                return Err(Error::new(Kind::Storage, message));
            }
        }
    }
    Ok(Some(place))
}

/// The text of a file, and who may read it.
fn read(place: &Path) -> Result<(String, Permissions)> {
    let failed = |why: String| Error::new(Kind::Storage, why);
    let unreadable =
        |error: std::io::Error| failed(format!("it cannot be read ({})", error.kind()));
    let file = open_file(place, false, false).map_err(unreadable)?;
    let found = file.metadata().map_err(unreadable)?;
    let mut bytes = Vec::new();
    file.take(LARGEST + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > LARGEST {
        return Err(failed("it is over 4 MiB".to_owned()));
    }
    let text = String::from_utf8(bytes).map_err(|_| failed("it is not JSON".to_owned()))?;
    Ok((text, found.permissions()))
}

fn parse(text: &str) -> Result<&RawValue> {
    serde_json::from_str(text).map_err(|_| Error::new(Kind::Storage, "it is not JSON"))
}

/// The old list or the new one, never half of it, whatever happens to the power.
fn write(place: &Path, text: &str, permissions: Permissions) -> Result<()> {
    let failed = |error: std::io::Error| {
        Error::new(Kind::Storage, format!("it cannot be written ({})", error.kind()))
    };
    let mut name = place.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    let beside = place.with_file_name(name);
    // What an earlier try has left, or somebody's link.
    let _ = fs::remove_file(&beside);
    let written = create_file(&beside).and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.set_permissions(permissions)?;
        file.sync_all()?;
        fs::rename(&beside, place)?;
        place.parent().map_or(Ok(()), sync_directory)
    });
    written.map_err(|error| {
        let _ = fs::remove_file(&beside);
        failed(error)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn rule(products: Option<&str>) -> Downgrade {
        let rule = json!({
            "list": "cart.json",
            "items": "/items",
            "active_suffix": "-ACT",
            "inactive_suffix": "-NON",
            "products": products,
        });
        serde_json::from_value(rule).unwrap()
    }

    fn run(cart: &Value, products: Option<&Value>) -> Value {
        let directory = tempfile::tempdir().unwrap();
        let write = |name: &str, value: &Value| {
            fs::write(directory.path().join(name), value.to_string()).unwrap();
        };
        if let Some(products) = products {
            write("products.json", products);
        }
        let after =
            run_in(directory.path(), &cart.to_string(), &rule(products.map(|_| "products.json")));
        serde_json::from_str(&after).unwrap()
    }

    fn run_in(directory: &Path, cart: &str, rule: &Downgrade) -> String {
        let place = directory.join("cart.json");
        fs::write(&place, cart).unwrap();
        downgrade(directory, rule).unwrap();
        fs::read_to_string(place).unwrap()
    }

    #[test]
    fn nothing_but_the_sku_changes() {
        let cart = "{\"z\": 12345678901234567890123, \"items\" : [\n\t{\"quantity\":1e2,\"sku\":\"CAM-ACT\",\
                    \"a\":0.1000},{\"sku\": \"\\u00e4-ACT\"}], \"a\": [ ]}\n";
        let directory = tempfile::tempdir().unwrap();
        let after = run_in(directory.path(), cart, &rule(None));
        let expected = cart.replace("CAM-ACT", "CAM-NON").replace("\\u00e4-ACT", "ä-NON");
        assert_eq!(after, expected);
        assert_eq!(run_in(directory.path(), &after, &rule(None)), after);
    }

    #[test]
    fn where_one_suffix_ends_with_the_other_the_longer_one_tells() {
        let directory = tempfile::tempdir().unwrap();
        for (active, inactive, before, after) in [
            ("ACT", "INACT", r#"["CAM-ACT","GPS-INACT"]"#, r#"["CAM-INACT","GPS-INACT"]"#),
            ("-PRO-X", "-X", r#"["CAM-PRO-X","GPS-X"]"#, r#"["CAM-X","GPS-X"]"#),
            ("-ACT", "", r#"["CAM-ACT","GPS"]"#, r#"["CAM","GPS"]"#),
        ] {
            let (active_suffix, inactive_suffix) = (active.to_owned(), inactive.to_owned());
            let rule = Downgrade { active_suffix, inactive_suffix, ..rule(None) };
            let cart = |skus: &str| {
                let skus: Vec<String> = serde_json::from_str(skus).unwrap();
                let items: Vec<_> = skus.iter().map(|sku| json!({"sku": sku})).collect();
                json!({"items": items}).to_string()
            };
            assert_eq!(run_in(directory.path(), &cart(before), &rule), cart(after));
            assert_eq!(run_in(directory.path(), &cart(after), &rule), cart(after));
        }
    }

    #[cfg(unix)]
    #[test]
    fn the_list_keeps_its_mode_and_no_link_is_written_through() {
        use std::os::unix::fs::{PermissionsExt, symlink};
        let directory = tempfile::tempdir().unwrap();
        let (place, other) = (directory.path().join("cart.json"), directory.path().join("other"));
        let cart = json!({"items": [{"sku": "CAM-ACT"}]}).to_string();
        fs::write(&place, &cart).unwrap();
        fs::set_permissions(&place, Permissions::from_mode(0o664)).unwrap();
        fs::write(&other, "mine").unwrap();
        symlink(&other, directory.path().join("cart.json.new")).unwrap();
        assert_eq!(downgrade(directory.path(), &rule(None)).unwrap(), "1 exchanged");
        assert_eq!(fs::metadata(&place).unwrap().permissions().mode() & 0o777, 0o664);
        assert_eq!(fs::read_to_string(&other).unwrap(), "mine");
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 2);
        fs::write(&other, &cart).unwrap();
        fs::remove_file(&place).unwrap();
        symlink(&other, &place).unwrap();
        assert!(downgrade(directory.path(), &rule(None)).is_err());
        assert_eq!(fs::read_to_string(&other).unwrap(), cart);
    }

    #[test]
    fn an_item_that_needs_the_subscription_is_exchanged() {
        let cart = json!({"items": [
            {"sku": "CAM-ACT", "quantity": 3}, {"sku": "GPS-ACT", "quantity": 1},
            {"sku": "GPS-NON", "quantity": 2}, {"sku": "CABLE", "quantity": 1}], "note": "zoë"});
        let after = run(&cart, None);
        assert_eq!(after["items"][0], json!({"sku": "CAM-NON", "quantity": 3}));
        assert_eq!(after["items"][1]["sku"], "GPS-ACT", "the other variant is there already");
        assert_eq!(after["items"][3]["sku"], "CABLE");
        assert_eq!(after["note"], "zoë");
    }

    #[test]
    fn no_such_product_and_no_list_change_nothing() {
        let cart = json!({"items": [{"sku": "SUN-ACT", "quantity": 1}]});
        assert_eq!(run(&cart, Some(&json!(["CAM-NON"]))), cart);
        let sold = json!({"products": [{"sku": "SUN-NON"}]});
        assert_eq!(run(&cart, Some(&sold))["items"][0]["sku"], "SUN-NON");
        let empty = tempfile::tempdir().unwrap();
        assert_eq!(downgrade(empty.path(), &rule(None)).unwrap(), "there is no list");
        assert!(fs::read_dir(empty.path()).unwrap().next().is_none());
    }

    #[test]
    fn what_is_no_list_is_left_as_it_is() {
        let directory = tempfile::tempdir().unwrap();
        let place = directory.path().join("cart.json");
        for text in ["", "[1", "{\"items\": 3}", "null"] {
            fs::write(&place, text).unwrap();
            assert!(downgrade(directory.path(), &rule(None)).is_err());
            assert_eq!(fs::read_to_string(&place).unwrap(), text);
        }
    }

    #[test]
    fn only_what_is_below_the_directory_is_deleted() {
        let directory = tempfile::tempdir().unwrap();
        let below = directory.path().join("data");
        fs::create_dir_all(below.join("cache/ä")).unwrap();
        fs::write(directory.path().join("other"), "x").unwrap();
        assert_eq!(delete(&below, "cache").unwrap(), "");
        assert_eq!(delete(&below, "cache").unwrap(), "it was not there");
        assert!(delete(&below, "../other").is_err());
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink(directory.path(), below.join("link")).unwrap();
            assert!(delete(&below, "link/other").is_err());
            assert!(delete(&below, "link").is_err());
        }
        assert!(directory.path().join("other").exists());
    }
}
