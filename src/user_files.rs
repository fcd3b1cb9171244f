//! The files of an add-on that go, or change, with an account. Below its data directory and nowhere
//! else: no link is followed on the way.

use crate::error::{Error, Kind, Result};
use crate::provider::Downgrade;
use serde_json::Value;
use std::fs;
use std::io::ErrorKind;
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
/// with the same quantity. No list, no such item, no such product: nothing happens.
pub fn downgrade(directory: &Path, rule: &Downgrade) -> Result<String> {
    let Some(place) = find(directory, &rule.list)? else { return Ok("there is no list".into()) };
    let mut list = read(&place)?;
    let products = match &rule.products {
        Some(path) => match find(directory, path)? {
            Some(place) => Some(skus(&read(&place)?, &rule.sku)),
            None => Some(Vec::new()),
        },
        None => None,
    };
    let items = list.pointer_mut(&rule.items).and_then(Value::as_array_mut);
    let items = items.ok_or_else(|| Error::new(Kind::UnexpectedAnswer, "it holds no list"))?;
    let exchanged = exchange(items, rule, products.as_deref());
    if exchanged > 0 {
        write(&place, &list)?;
    }
    Ok(format!("{exchanged} exchanged"))
}

fn exchange(items: &mut [Value], rule: &Downgrade, products: Option<&[String]>) -> usize {
    let mut there = skus_of(items, &rule.sku);
    let mut exchanged = 0;
    for item in items {
        let Some(sku) = item.get(&rule.sku).and_then(Value::as_str) else { continue };
        let Some(stem) = sku.strip_suffix(rule.active_suffix.as_str()) else { continue };
        let variant = format!("{stem}{}", rule.inactive_suffix);
        let is_sold = products.is_none_or(|products| products.contains(&variant));
        if there.contains(&variant) || !is_sold {
            continue;
        }
        item[&rule.sku] = Value::from(variant.clone());
        there.push(variant);
        exchanged += 1;
    }
    exchanged
}

/// The SKUs of a list of products: of texts, of objects, or of an object that holds one of these.
fn skus(products: &Value, key: &str) -> Vec<String> {
    match products {
        Value::Array(items) => skus_of(items, key),
        Value::Object(map) => map.values().flat_map(|value| skus(value, key)).collect(),
        _ => Vec::new(),
    }
}

fn skus_of(items: &[Value], key: &str) -> Vec<String> {
    let sku = |item: &Value| item.as_str().or_else(|| item.get(key)?.as_str()).map(str::to_owned);
    items.iter().filter_map(sku).collect()
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

fn read(place: &Path) -> Result<Value> {
    let failed = |why: String| Error::new(Kind::Storage, why);
    let size = fs::metadata(place).map_or(0, |found| found.len());
    if size > LARGEST {
        return Err(failed("it is over 4 MiB".to_owned()));
    }
    let bytes =
        fs::read(place).map_err(|error| failed(format!("it cannot be read ({})", error.kind())))?;
    serde_json::from_slice(&bytes).map_err(|_| failed("it is not JSON".to_owned()))
}

/// The old list or the new one, never half of it.
fn write(place: &Path, list: &Value) -> Result<()> {
    let failed = |error: std::io::Error| {
        Error::new(Kind::Storage, format!("it cannot be written ({})", error.kind()))
    };
    let mut name = place.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    let beside = place.with_file_name(name);
    let text = serde_json::to_vec_pretty(list)
        .map_err(|_| Error::new(Kind::Internal, "the list could not be serialised"))?;
    fs::write(&beside, text).and_then(|()| fs::rename(&beside, place)).map_err(failed)
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
        write("cart.json", cart);
        if let Some(products) = products {
            write("products.json", products);
        }
        downgrade(directory.path(), &rule(products.map(|_| "products.json"))).unwrap();
        read(&directory.path().join("cart.json")).unwrap()
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
