//! What only the database server has: it can go away, and several nodes use it.

use portico_core::Secret;
use portico_store::{
    Config, Store, StoreError,
    config::{Postgres, Tls},
    setting,
};

use crate::{harness::Site, postgres::Own};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_server_is_told_and_found_again() -> anyhow::Result<()> {
    let Some(site) = Site::postgres().await? else { return Ok(()) };
    let mut lost = site.store.begin_write("test").await?;
    setting::set(&mut lost, "key", &Secret::new("value")).await?;
    // As a restart of the server does to its clients.
    let end_all = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid()";
    site.database().execute(end_all).await?;
    let broken = lost.commit().await.expect_err("lost");
    assert!(matches!(broken, StoreError::Unreachable { .. }) && broken.is_temporary(), "{broken}");
    let mut tx = site.store.begin_read("test").await?;
    assert!(setting::get(&mut tx, "key").await?.is_none());
    drop(tx);
    site.end().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_absent_server_is_told() -> anyhow::Result<()> {
    let directory = tempfile::tempdir()?;
    let url = format!("host={} user=nobody", directory.path().display());
    let absent = Store::open(&Config::postgres(url)).await.expect_err("nobody is there");
    assert!(matches!(absent, StoreError::Unreachable { .. }) && absent.is_temporary(), "{absent}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stopped_server_is_told() -> anyhow::Result<()> {
    let Some(site) = Site::postgres().await? else { return Ok(()) };
    site.end().await?;
    let server = Own::start()?;
    let store = Store::open(&server.config()).await?;
    store.begin_write("test").await?.commit().await?;
    server.stop()?;
    let gone = store.begin_write("test").await.err().expect("stopped");
    assert!(matches!(gone, StoreError::Unreachable { .. }), "{gone}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unknown_database_is_a_mistake_of_the_configuration() -> anyhow::Result<()> {
    let Some(site) = Site::postgres().await? else { return Ok(()) };
    let url = site.config.postgres.as_ref().and_then(|postgres| postgres.url.clone()).expect("a URL");
    let refused = Store::open(&Config::postgres(format!("{} dbname=none", url.expose()))).await;
    assert!(matches!(refused, Err(StoreError::Config(_))), "{refused:?}");
    let backup = site.store.backup(std::path::Path::new("copy")).await.expect_err("refused");
    assert!(matches!(backup, StoreError::Unsupported(_)));
    site.end().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tls_is_spoken_only_to_a_trusted_server() -> anyhow::Result<()> {
    let Some(site) = Site::postgres().await? else { return Ok(()) };
    site.end().await?;
    let (server, port) = Own::start_with_tls()?;
    let settings = Postgres {
        host: Some("localhost".to_owned()),
        port: Some(port),
        user: Some("postgres".to_owned()),
        tls: Some(Tls::Required),
        ..Postgres::default()
    };
    let distrusting = Config { postgres: Some(settings.clone()), ..Config::default() };
    let refused = Store::open(&distrusting).await.expect_err("nobody vouches for it");
    assert!(!matches!(refused, StoreError::Busy { .. }), "{refused}");
    let trusting = Postgres { ca_file: Some(server.directory.join("data/server.crt")), ..settings };
    let store = Store::open(&Config { postgres: Some(trusting), ..Config::default() }).await?;
    store.check().await?;
    store.close().await;
    server.stop()
}
