//! Who may know whom: the walls of the house, asserted from `cargo metadata`.

use std::{collections::BTreeMap, process::Command};

use serde_json::Value;

/// What each crate may depend on among ours.
const ALLOWED: &[(&str, &[&str])] = &[
    ("portico-core", &[]),
    ("portico-api", &["portico-core"]),
    ("portico-store", &["portico-core"]),
    ("portico-spawn", &["portico-core"]),
    ("portico-console", &["portico-core"]),
    ("portico-proxy", &["portico-core"]),
    ("portico-hub", &["portico-api", "portico-core", "portico-store"]),
    (
        "portico",
        &[
            "portico-api",
            "portico-console",
            "portico-core",
            "portico-hub",
            "portico-proxy",
            "portico-spawn",
            "portico-store",
        ],
    ),
];

fn metadata(arguments: &[&str]) -> Value {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--offline"])
        .args(arguments)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("metadata is JSON")
}

fn ours() -> BTreeMap<String, Vec<String>> {
    let metadata = metadata(&["--no-deps"]);
    let packages = metadata["packages"].as_array().expect("packages");
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    packages
        .iter()
        .map(|package| {
            let all = package["dependencies"].as_array().expect("dependencies");
            let real = all.iter().filter(|dependency| dependency["kind"].is_null());
            let names = real.map(|dependency| text(&dependency["name"]));
            (text(&package["name"]), names.filter(|name| name.starts_with("portico")).collect())
        })
        .collect()
}

#[test]
fn crates_know_only_whom_they_may() {
    let ours = ours();
    for (name, dependencies) in &ours {
        let allowed = ALLOWED.iter().find(|(known, _)| known == name);
        let (_, allowed) = allowed.unwrap_or_else(|| panic!("{name} has no place in the house yet"));
        for dependency in dependencies {
            assert!(allowed.contains(&dependency.as_str()), "{name} must not know {dependency}");
        }
    }
    assert_eq!(ours.len(), ALLOWED.len(), "a crate of the list is gone");
}
