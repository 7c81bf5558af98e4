//! What only the embedded database has: a file, and all that can happen to it.

use std::{
    fs,
    io::{BufRead as _, BufReader, Write as _},
    os::unix::fs::PermissionsExt as _,
    path::Path,
    process::{Command, Stdio},
};

use portico_core::Secret;
use portico_store::{Config, Store, StoreError, setting};

use crate::harness::{Site, skip};

async fn refusal(config: &Config) -> StoreError {
    Store::open(config).await.expect_err("it must not open")
}

async fn set(store: &Store, key: &str, value: &str) -> Result<(), StoreError> {
    let mut tx = store.begin_write("test.set").await?;
    setting::set(&mut tx, key, &Secret::new(value)).await?;
    tx.commit().await
}

async fn get(store: &Store, key: &str) -> Result<Option<String>, StoreError> {
    let mut tx = store.begin_read("test.get").await?;
    Ok(setting::get(&mut tx, key).await?.map(|value| value.expose().to_owned()))
}

#[tokio::test]
async fn two_on_one_file_are_refused() -> anyhow::Result<()> {
    let site = Site::sqlite().await?;
    let text = refusal(&site.config).await.to_string();
    assert!(text.contains(&format!("in use by another Portico (process {})", std::process::id())), "{text}");
    site.store.close().await;
    Store::open(&site.config).await?.close().await;
    site.end().await
}

#[tokio::test]
async fn the_file_is_its_owners_alone() -> anyhow::Result<()> {
    let site = Site::sqlite().await?;
    set(&site.store, "key", "value").await?;
    for name in ["portico.db", "portico.db-wal", "portico.db.lock"] {
        let mode = fs::metadata(site.path().with_file_name(name))?.permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
    site.end().await
}

#[tokio::test]
async fn what_cannot_be_opened_is_told_in_a_sentence() -> anyhow::Result<()> {
    let directory = tempfile::tempdir()?;
    let missing = refusal(&Config::sqlite(directory.path().join("none/portico.db"))).await;
    assert!(matches!(&missing, StoreError::MissingDirectory { path } if path.ends_with("none")), "{missing}");
    let garbage = directory.path().join("garbage.db");
    fs::write(&garbage, "this is no database, and long enough to be looked at as one".repeat(100))?;
    let corrupt = refusal(&Config::sqlite(&garbage)).await;
    assert!(matches!(&corrupt, StoreError::Corrupt { .. }) && !corrupt.is_temporary(), "{corrupt}");
    let neither = refusal(&Config::default()).await;
    assert!(matches!(neither, StoreError::Config(_)));
    Ok(())
}

#[tokio::test]
async fn a_damaged_page_is_told_and_not_spread() -> anyhow::Result<()> {
    let site = Site::sqlite().await?;
    for number in 0..200 {
        set(&site.store, &format!("key{number}"), &"v".repeat(2000)).await?;
    }
    site.store.close().await;
    let path = site.path();
    let mut bytes = fs::read(&path)?;
    let pages = bytes.len() / 4096;
    bytes[4096 * 3..4096 * (pages - 3)].fill(0xa5);
    fs::write(&path, bytes)?;
    let told = match Store::open(&site.config).await {
        Err(error) => error,
        Ok(store) => get(&store, "key7").await.expect_err("damaged"),
    };
    assert!(matches!(told, StoreError::Corrupt { .. }), "{told}");
    Ok(())
}

#[tokio::test]
async fn a_database_from_a_newer_portico_is_left_alone() -> anyhow::Result<()> {
    let site = Site::sqlite().await?;
    site.store.close().await;
    let connection = rusqlite::Connection::open(site.path())?;
    connection.execute_batch("INSERT INTO migration VALUES (99990101000000, 'later', 'x')")?;
    drop(connection);
    let newer = refusal(&site.config).await;
    assert!(matches!(newer, StoreError::Newer { found: 99_990_101_000_000, .. }), "{newer}");
    site.end().await
}

#[tokio::test]
async fn a_backup_is_made_in_use_and_restored() -> anyhow::Result<()> {
    let site = Site::sqlite().await?;
    set(&site.store, "key", "before").await?;
    let copy = site.path().with_file_name("copy.db");
    let writing = site.store.begin_write("test.open").await?;
    site.store.backup(&copy).await?;
    drop(writing);
    assert_eq!(fs::metadata(&copy)?.permissions().mode() & 0o777, 0o600);
    set(&site.store, "key", "after").await?;
    let in_use = Store::restore(&site.config, &copy).await.expect_err("in use");
    assert!(matches!(in_use, StoreError::InUse { .. }));
    site.store.close().await;
    let aside = Store::restore(&site.config, &copy).await?.expect("there was one");
    let store = Store::open(&site.config).await?;
    assert_eq!(get(&store, "key").await?.as_deref(), Some("before"));
    let old = Store::open(&Config::sqlite(&aside)).await?;
    assert_eq!(get(&old, "key").await?.as_deref(), Some("after"));
    Ok(())
}

#[tokio::test]
async fn only_a_whole_backup_of_portico_is_restored() -> anyhow::Result<()> {
    let site = Site::sqlite().await?;
    set(&site.store, "key", "kept").await?;
    let copy = site.path().with_file_name("copy.db");
    site.store.backup(&copy).await?;
    site.store.close().await;
    let whole = fs::read(&copy)?;
    let foreign = site.path().with_file_name("foreign.db");
    rusqlite::Connection::open(&foreign)?.execute_batch("CREATE TABLE other (id)")?;
    fs::write(&copy, &whole[..whole.len() / 2])?;
    for wrong in [&copy, &foreign, &site.path().with_file_name("none.db")] {
        let refused = Store::restore(&site.config, wrong).await.expect_err("refused");
        assert!(!matches!(refused, StoreError::InUse { .. }), "{refused}");
    }
    let store = Store::open(&site.config).await?;
    assert_eq!(get(&store, "key").await?.as_deref(), Some("kept"));
    Ok(())
}

/// The child of the test below: commits numbers and says each, with a half-done transaction between.
#[tokio::test]
#[ignore = "is started by the test that kills it"]
async fn writer_that_is_killed() -> anyhow::Result<()> {
    let Ok(path) = std::env::var("PORTICO_STORE_VICTIM") else { return Ok(()) };
    let store = Store::open(&Config::sqlite(path)).await?;
    for number in 0_u32.. {
        set(&store, &format!("committed{number}"), "yes").await?;
        // Past the test harness, which holds back what is printed.
        writeln!(std::io::stdout(), "\ncommitted {number}")?;
        let mut half = store.begin_write("test.half").await?;
        setting::set(&mut half, &format!("half{number}"), &Secret::new("x".repeat(100_000))).await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_killed_writer_loses_no_commit() -> anyhow::Result<()> {
    let directory = tempfile::tempdir()?;
    let path = directory.path().join("portico.db");
    let mut committed = 0;
    for round in 1..=3 {
        let mut child = Command::new(std::env::current_exe()?)
            .args(["--exact", "files::writer_that_is_killed", "--ignored", "--nocapture"])
            .env("PORTICO_STORE_VICTIM", &path)
            .stdout(Stdio::piped())
            .spawn()?;
        let lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
        let numbers = lines
            .map_while(Result::ok)
            .filter_map(|line| line.strip_prefix("committed ").and_then(|number| number.parse::<u32>().ok()));
        for number in numbers {
            committed = number;
            if number == 20 * round {
                child.kill()?;
            }
        }
        child.wait()?;
        let store = Store::open(&Config::sqlite(&path)).await?;
        for number in 0..=committed {
            assert!(get(&store, &format!("committed{number}")).await?.is_some(), "{number} was lost");
            assert!(get(&store, &format!("half{number}")).await?.is_none());
        }
        store.close().await;
    }
    assert!(committed >= 60);
    let connection = rusqlite::Connection::open(&path)?;
    let verdict: String = connection.query_row("PRAGMA integrity_check", [], |row| row.get(0))?;
    assert_eq!(verdict, "ok");
    Ok(())
}

/// A small file system of its own, for as long as this value lives.
struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    fn mount() -> anyhow::Result<Option<Self>> {
        let directory = tempfile::tempdir()?;
        let done = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=2m", "tmpfs"])
            .arg(directory.path())
            .stderr(Stdio::null())
            .status()?;
        if done.success() {
            return Ok(Some(Self(directory)));
        }
        skip("mounting a file system needs root");
        Ok(None)
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn remount(&self, option: &str) -> anyhow::Result<()> {
        let done =
            Command::new("mount").args(["-o", &format!("remount,{option}")]).arg(self.path()).status()?;
        anyhow::ensure!(done.success(), "remount failed");
        Ok(())
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        drop(Command::new("umount").arg("--lazy").arg(self.path()).status());
    }
}

#[tokio::test]
async fn a_full_disk_is_told_and_nothing_is_lost() -> anyhow::Result<()> {
    let Some(disk) = SmallDisk::mount()? else { return Ok(()) };
    let config = Config::sqlite(disk.path().join("portico.db"));
    let store = Store::open(&config).await?;
    let mut stored = 0;
    let full = loop {
        match set(&store, &format!("key{stored}"), &"v".repeat(20_000)).await {
            Ok(()) => stored += 1,
            Err(error) => break error,
        }
    };
    assert!(matches!(full, StoreError::Full { .. }) && full.is_temporary(), "{full}");
    assert!(stored > 10);
    for number in 0..stored {
        assert!(get(&store, &format!("key{number}")).await?.is_some(), "{number}");
    }
    assert!(get(&store, &format!("key{stored}")).await?.is_none());
    let copy = store.backup(&disk.path().join("copy.db")).await.expect_err("no room");
    assert!(matches!(copy, StoreError::Full { .. }), "{copy}");
    // With room again it goes on by itself.
    disk.remount("size=16m")?;
    set(&store, "later", "value").await?;
    store.close().await;
    let store = Store::open(&config).await?;
    assert!(get(&store, "later").await?.is_some());
    store.close().await;
    Ok(())
}

#[tokio::test]
async fn a_full_disk_at_the_first_start_is_told() -> anyhow::Result<()> {
    let Some(disk) = SmallDisk::mount()? else { return Ok(()) };
    let ballast = disk.path().join("ballast");
    drop(fs::write(&ballast, vec![0; 4 << 20]));
    let config = Config::sqlite(disk.path().join("portico.db"));
    let full = refusal(&config).await;
    assert!(matches!(full, StoreError::Full { .. }), "{full}");
    fs::remove_file(ballast)?;
    Store::open(&config).await?.close().await;
    Ok(())
}

#[tokio::test]
async fn a_read_only_disk_is_told() -> anyhow::Result<()> {
    let Some(disk) = SmallDisk::mount()? else { return Ok(()) };
    disk.remount("ro")?;
    let refused = refusal(&Config::sqlite(disk.path().join("portico.db"))).await;
    assert!(matches!(refused, StoreError::ReadOnly { .. }) && !refused.is_temporary(), "{refused}");
    Ok(())
}
