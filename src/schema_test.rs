//! tests/python/boundary.json is made of the types that cross the boundary;
//! SESSIONKEEPER_WRITE_SCHEMA=1 writes it.

use crate::catalogue::{Catalogue, ProviderCheck};
use crate::command::Command;
use crate::keeper::{
    Access, Accounts, AuditTrail, BegunInBrowser, Confirmations, Details, DeviceCode, Doctor,
    DrainReport, ExportedCredentials, Forgotten, LogLines, LoginTurn, LogoutAll, LogoutReport,
    Notifications, Outbox, Permissions, ProviderSummary, Received, ReceivedPiece, Schedule, Status,
    TakenOver, Tasks, UpkeepReport, Vaults,
};
use crate::open_options::OpenOptions;
use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;

/// What a front takes.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "only its schema is used")]
struct Given {
    open: OpenOptions,
    command: Command,
}

/// What each verb gives; one that gives nothing is not named.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "only its schema is used")]
struct Results {
    describe: ProviderSummary,
    status: Status,
    details: Details,
    restore: Status,
    login: LoginTurn,
    login_answer: LoginTurn,
    adopt: Status,
    take_over: TakenOver,
    login_start: DeviceCode,
    login_finish: Status,
    browser_login_start: BegunInBrowser,
    browser_login_finish: Status,
    renew: Status,
    request: Received,
    read_stream: ReceivedPiece,
    session: ExportedCredentials,
    accounts: Accounts,
    switch: Status,
    access: Access,
    permissions: Permissions,
    logout: LogoutReport,
    logout_all: LogoutAll,
    outbox: Outbox,
    drain: DrainReport,
    take_confirmations: Confirmations,
    schedule: Schedule,
    vaults: Vaults,
    upkeep: UpkeepReport,
    take_tasks: Tasks,
    forget: Forgotten,
    audit: AuditTrail,
    audit_since: AuditTrail,
    doctor: Doctor,
    events: Notifications,
    log: LogLines,
    providers: Catalogue,
    check_provider: ProviderCheck,
}

#[test]
fn the_schema_of_the_boundary_is_that_of_the_source() {
    let given = SchemaSettings::default().for_deserialize().into_generator();
    let results = SchemaSettings::default().for_serialize().into_generator();
    let given = given.into_root_schema_for::<Given>().to_value();
    let results = results.into_root_schema_for::<Results>().to_value();
    // A line each, so that a change can be read.
    let mut lines = BTreeMap::new();
    for (verb, result) in results["properties"].as_object().unwrap() {
        lines.insert(format!("result of {verb}"), result.clone());
    }
    for schema in [&given, &results] {
        let types = schema["$defs"].as_object().unwrap().clone();
        lines.extend(types.into_iter().filter(|(name, _)| name != "Command"));
    }
    for variant in given["$defs"]["Command"]["oneOf"].as_array().unwrap() {
        for (verb, fields) in variant["properties"].as_object().unwrap() {
            lines.insert(format!("verb {verb}"), fields.clone());
        }
    }
    lines.values_mut().for_each(without_prose);
    let lines: Vec<_> =
        lines.iter().map(|(name, schema)| format!("\"{name}\": {schema}")).collect();
    let text = format!("{{\n{}\n}}\n", lines.join(",\n"));
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/python/boundary.json");
    if std::env::var_os("SESSIONKEEPER_WRITE_SCHEMA").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    let stored = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(stored == text, "run SESSIONKEEPER_WRITE_SCHEMA=1 cargo test schema, and look at it");
}

fn without_prose(schema: &mut Value) {
    match schema {
        Value::Array(items) => items.iter_mut().for_each(without_prose),
        Value::Object(map) => {
            map.retain(|key, value| key != "description" || !value.is_string());
            map.values_mut().for_each(without_prose);
        }
        _ => {}
    }
}
