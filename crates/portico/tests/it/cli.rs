//! The command line, as a person types it.

use std::{
    path::Path,
    process::{Command, Output},
};

use tempfile::TempDir;

/// Runs the binary with nothing of the outside in its environment.
fn portico(home: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_portico"))
        .args(arguments)
        .env_clear()
        .env("HOME", home)
        .env("PATH", "/usr/local/bin:/usr/bin:/bin")
        .output()
        .expect("the binary runs")
}

fn home() -> TempDir {
    tempfile::tempdir().expect("a directory")
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

#[test]
fn the_example_configuration_has_no_mistakes() {
    let home = home();
    let example = portico(home.path(), &["config", "example"]);
    let file = home.path().join("portico.toml");
    std::fs::write(&file, &example.stdout).expect("written");
    let checked = portico(home.path(), &["config", "check", &file.to_string_lossy()]);
    assert!(checked.status.success(), "{}", said(&checked));
    assert!(said(&checked).contains("no mistakes"));
}

#[test]
fn a_mistake_is_shown_at_its_line_and_column() {
    let home = home();
    let file = home.path().join("portico.toml");
    std::fs::write(&file, "data_dir = \"/var/lib/portico\"\n[front]\nlisten = \"everywhere\"\n")
        .expect("written");
    let checked = portico(home.path(), &["config", "check", &file.to_string_lossy()]);
    assert!(!checked.status.success());
    assert!(said(&checked).contains("portico.toml:3:10: "), "{}", said(&checked));
}

#[test]
fn without_a_portico_it_says_how_to_name_one() {
    let home = home();
    let listed = portico(home.path(), &["ps"]);
    assert!(!listed.status.success());
    assert!(said(&listed).contains("portico login URL"), "{}", said(&listed));
}

#[test]
fn local_administration_needs_no_running_portico() {
    let home = home();
    let data = home.path().join("data");
    let data = data.to_string_lossy();
    let added = portico(home.path(), &["--data", &data, "user", "add", "José O'Neill"]);
    assert!(added.status.success(), "{}", said(&added));
    assert!(said(&added).contains("/welcome?token="));
    let again = portico(home.path(), &["--data", &data, "user", "add", "JOSÉ O’NEILL"]);
    assert!(again.status.success(), "another apostrophe is another name: {}", said(&again));
    let same = portico(home.path(), &["--data", &data, "user", "add", "jose\u{301} o'neill"]);
    assert!(!same.status.success(), "a look-alike was taken: {}", said(&same));
    let listed = portico(home.path(), &["--json", "--data", &data, "user", "list"]);
    let users: serde_json::Value = serde_json::from_slice(&listed.stdout).expect("JSON");
    assert_eq!(users.as_array().map(Vec::len), Some(2));
}

#[test]
fn a_backup_can_be_restored() {
    let home = home();
    let data = home.path().join("data");
    let data = data.to_string_lossy();
    let backup = home.path().join("backup.db");
    let backup = backup.to_string_lossy();
    let run = |arguments: &[&str]| {
        let output = portico(home.path(), &[&["--data", &data], arguments].concat());
        assert!(output.status.success(), "{arguments:?}: {}", said(&output));
        said(&output)
    };
    run(&["user", "add", "Before"]);
    run(&["backup", &backup]);
    run(&["user", "add", "After"]);
    run(&["restore", &backup]);
    let listed = run(&["user", "list"]);
    assert!(listed.contains("Before") && !listed.contains("After"), "{listed}");
}

#[test]
fn an_unwritable_data_directory_is_told() {
    let home = home();
    let file = home.path().join("file");
    std::fs::write(&file, "").expect("written");
    let below = file.join("data");
    let output = portico(home.path(), &["--data", &below.to_string_lossy(), "user", "list"]);
    assert!(!output.status.success());
    assert!(said(&output).contains("cannot make the data directory"), "{}", said(&output));
}

#[test]
fn every_command_explains_itself() {
    let home = home();
    for command in
        ["demo", "serve", "doctor", "config", "user", "app", "token", "login", "run", "ps", "logs", "open"]
    {
        let help = portico(home.path(), &[command, "--help"]);
        assert!(help.status.success(), "{command}");
        assert!(said(&help).contains(&format!("Usage: portico {command}")), "{}", said(&help));
    }
    for shell in ["bash", "zsh", "fish"] {
        assert!(said(&portico(home.path(), &["completions", shell])).contains("portico"));
    }
    assert!(said(&portico(home.path(), &["man"])).contains(".TH"));
}
