//! How long calls take with many rows. Prints figures; run with
//! `cargo test -p portico-store speed -- --ignored --nocapture`.

use std::{hint::black_box, time::Instant};

use portico_core::workload::{Failure, Phase};
use portico_store::{
    user,
    workload::{self, Filter},
};

use crate::harness::{Site, at, skip, workload as workload_of};

async fn fill(site: &Site, count: i64) -> anyhow::Result<portico_core::user::User> {
    let mut owners = Vec::new();
    for number in 0..100 {
        owners.push(site.user(&format!("user{number}")).await?);
    }
    let mut tx = site.store.begin_write("speed.fill").await?;
    for (millis, owner) in (0..count).zip(owners.iter().cycle()) {
        let mut new = workload_of(owner, millis);
        new.title = format!("Analysis {millis}");
        // One in fifty is live.
        if millis % 50 != 0 {
            new.state = new.state.fail(at(millis), Failure::Vanished)?;
        }
        workload::insert(&mut tx, &new).await?;
    }
    tx.commit().await?;
    Ok(owners.swap_remove(7))
}

/// Median microseconds of some calls.
macro_rules! measure {
    ($name:expr, $calls:expr, $call:expr) => {{
        let mut took = Vec::new();
        for _ in 0..$calls {
            let begin = Instant::now();
            black_box($call);
            took.push(begin.elapsed().as_micros());
        }
        took.sort_unstable();
        crate::speed::say(&format!(
            "{:<42} {:>7} us median, {:>7} us 99 %",
            $name,
            took[took.len() / 2],
            took[took.len() * 99 / 100]
        ));
    }};
}

#[expect(clippy::print_stdout, reason = "these figures are what the run is for")]
fn say(line: &str) {
    println!("{line}");
}

async fn figures(site: &Site, count: i64) -> anyhow::Result<()> {
    let alice = fill(site, count).await?;
    let store = &site.store;
    say(&format!("-- {} with {count} workloads", store.describe()));
    measure!("point read, transaction included", 2000, {
        let mut tx = store.begin_read("speed.read").await?;
        user::by_id(&mut tx, &alice.id).await?
    });
    let mut tx = store.begin_read("speed.read").await?;
    measure!("point read within a transaction", 2000, user::by_id(&mut tx, &alice.id).await?);
    let page = workload::list(&mut tx, &Filter::default(), None, 1).await?;
    let some = page.items[0].id.clone();
    measure!("workload by id", 2000, workload::by_id(&mut tx, &some).await?);
    measure!("held by", 500, workload::held_by(&mut tx, &alice.id).await?);
    measure!("counts by phase", 20, workload::counts(&mut tx).await?);
    let text = |text: &str| Filter { text: text.to_owned(), ..Filter::default() };
    let owned = Filter { owner: Some(alice.id.clone()), ..Filter::default() };
    let live = vec![Phase::Requested, Phase::Starting, Phase::Ready];
    for (name, filter) in [
        ("list 50: all", Filter::default()),
        ("list 50: of an owner", owned.clone()),
        ("list 50: live ones of an owner", Filter { phases: live.clone(), ..owned }),
        ("list 50: live", Filter { phases: live, ..Filter::default() }),
        ("list 50: failed", Filter { phases: vec![Phase::Failed], ..Filter::default() }),
        ("list 50: stopped, none there", Filter { phases: vec![Phase::Stopped], ..Filter::default() }),
        ("list 50: of an app", Filter { app: Some("terminal".parse()?), ..Filter::default() }),
        ("list 50: of an app, none there", Filter { app: Some("none".parse()?), ..Filter::default() }),
        ("list 50: text, common", text("analysis")),
        ("list 50: text, nowhere", text("nowhere to be found")),
    ] {
        measure!(name, 50, workload::list(&mut tx, &filter, None, 50).await?);
    }
    drop(tx);
    measure!("launch: lock, sum, insert, commit", 200, {
        let mut tx = store.begin_write("speed.launch").await?;
        user::lock(&mut tx, &alice.id).await?;
        workload::held_by(&mut tx, &alice.id).await?;
        workload::insert(&mut tx, &workload_of(&alice, count)).await?;
        tx.commit().await?;
    });
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "prints figures and takes a minute"]
async fn speed_of_both() -> anyhow::Result<()> {
    for count in [10_000, 100_000] {
        let site = Site::sqlite().await?;
        figures(&site, count).await?;
        site.end().await?;
    }
    match Site::postgres().await? {
        Some(site) => {
            figures(&site, 10_000).await?;
            site.end().await
        }
        None => {
            skip("the figures of PostgreSQL");
            Ok(())
        }
    }
}
