use std::time::Duration;

use portico_core::Secret;
use portico_store::{Store, StoreError, setting, user};

use crate::harness::{Site, account, on_both};

async fn is_set(site: &Site, key: &str) -> anyhow::Result<bool> {
    let mut tx = site.store.begin_read("test.is-set").await?;
    Ok(setting::get(&mut tx, key).await?.is_some())
}

on_both! {
    async fn a_dropped_transaction_leaves_nothing(site) {
        let mut tx = site.store.begin_write("test").await?;
        setting::set(&mut tx, "key", &Secret::new("value")).await?;
        drop(tx);
        assert!(!is_set(site, "key").await?);
        let mut tx = site.store.begin_write("test").await?;
        setting::set(&mut tx, "key", &Secret::new("value")).await?;
        tx.commit().await?;
        assert!(is_set(site, "key").await?);
        Ok(())
    }

    async fn nothing_goes_on_after_a_failure(site) {
        let alice = site.user("alice").await?;
        let mut tx = site.store.begin_write("test.fail").await?;
        setting::set(&mut tx, "key", &Secret::new("value")).await?;
        user::insert(&mut tx, &account("alice", 9)).await.expect_err("a duplicate");
        let aborted = user::by_id(&mut tx, &alice.id).await.expect_err("aborted");
        assert!(matches!(aborted, StoreError::Aborted { name: "test.fail" }));
        assert!(tx.commit().await.is_err());
        assert!(!is_set(site, "key").await?);
        Ok(())
    }

    async fn a_reading_transaction_sees_one_moment_and_writes_nothing(site) {
        let mut reading = site.store.begin_read("test").await?;
        assert!(setting::get(&mut reading, "key").await?.is_none());
        let mut writing = site.store.begin_write("test").await?;
        setting::set(&mut writing, "key", &Secret::new("value")).await?;
        writing.commit().await?;
        assert!(setting::get(&mut reading, "key").await?.is_none());
        let refused = setting::set(&mut reading, "key", &Secret::new("x")).await.expect_err("refused");
        assert!(matches!(refused, StoreError::ReadOnly { .. }), "{refused}");
        assert!(is_set(site, "key").await?);
        Ok(())
    }

    async fn transactions_are_measured_by_name(site) {
        for commit in [true, true, false] {
            let mut tx = site.store.begin_write("test.measured").await?;
            setting::set(&mut tx, "key", &Secret::new("value")).await?;
            if commit {
                tx.commit().await?;
            }
        }
        let meter = site.store.meters()["test.measured"];
        assert_eq!((meter.committed, meter.dropped), (2, 1));
        assert!(meter.longest > Duration::ZERO && meter.total >= meter.longest);
        Ok(())
    }

    async fn a_closed_store_says_so(site) {
        site.store.close().await;
        let closed = site.store.begin_read("test").await.err().expect("closed");
        assert!(matches!(closed, StoreError::Closed), "{closed}");
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_waits_too_long_is_told_that_it_is_busy() -> anyhow::Result<()> {
    let directory = tempfile::tempdir()?;
    let mut config = portico_store::Config::sqlite(directory.path().join("portico.db"));
    config.wait_seconds = 1;
    let store = Store::open(&config).await?;
    let holding = store.begin_write("test.hold").await?;
    let busy = store.begin_write("test.wait").await.err().expect("busy");
    assert!(matches!(busy, StoreError::Busy { seconds: 1 }) && busy.is_temporary());
    drop(holding);
    store.begin_write("test.next").await?.commit().await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_holds_too_long_is_rolled_back() -> anyhow::Result<()> {
    let directory = tempfile::tempdir()?;
    let mut config = portico_store::Config::sqlite(directory.path().join("portico.db"));
    config.transaction_seconds = 1;
    let store = Store::open(&config).await?;
    let mut holding = store.begin_write("test.hold").await?;
    setting::set(&mut holding, "key", &Secret::new("value")).await?;
    // The next one gets its turn because the first one's time is over.
    let mut next = store.begin_write("test.next").await?;
    assert!(setting::get(&mut next, "key").await?.is_none());
    let expired = holding.commit().await.expect_err("expired");
    assert!(matches!(expired, StoreError::Expired { name: "test.hold" }) && expired.is_temporary());
    Ok(())
}
