//! docs/provider.schema.json is made of the types; SESSIONKEEPER_WRITE_SCHEMA=1 writes it.

use super::Provider;
use std::path::Path;

#[test]
fn the_schema_is_that_of_the_source() {
    let mut schema = schemars::schema_for!(Provider);
    schema.insert("title".into(), "A provider file of Sessionkeeper".into());
    let text = format!("{}\n", serde_json::to_string_pretty(&schema).unwrap());
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/provider.schema.json");
    if std::env::var_os("SESSIONKEEPER_WRITE_SCHEMA").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    let stored = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(stored == text, "run SESSIONKEEPER_WRITE_SCHEMA=1 cargo test schema, and look at it");
}
