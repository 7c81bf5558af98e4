use std::collections::{BTreeMap, HashSet};

use portico_core::{
    quota::{Held, Quota},
    user::User,
    workload::{Afterwards, Exit, Failure, Phase, StopCause, Workload},
};
use portico_store::{
    Store, StoreError, event, gone, user,
    workload::{self, Filter},
};

use crate::harness::{Site, at, on_both, workload as workload_of};

/// Stores a workload of alice that is new at `millis`.
async fn stored(site: &Site, owner: &User, millis: i64) -> anyhow::Result<Workload> {
    let new = workload_of(owner, millis);
    let mut tx = site.store.begin_write("test.insert").await?;
    workload::insert(&mut tx, &new).await?;
    tx.commit().await?;
    Ok(new)
}

fn failed(workload: &Workload, millis: i64) -> Workload {
    let state = workload.state.clone().fail(at(millis), Failure::Vanished).expect("it lives");
    workload.clone().with_state(state, at(millis))
}

/// Launches if the quota has room, as a hub does.
async fn launch(store: Store, owner: User, quota: Quota, millis: i64) -> anyhow::Result<bool> {
    let asked = workload_of(&owner, millis);
    let mut tx = store.begin_write("test.launch").await?;
    user::lock(&mut tx, &owner.id).await?;
    let held = workload::held_by(&mut tx, &owner.id).await?;
    if quota.admit(held, asked.spec.limits).is_err() {
        return Ok(false);
    }
    workload::insert(&mut tx, &asked).await?;
    tx.commit().await?;
    Ok(true)
}

on_both! {
    async fn a_workload_comes_back_as_it_was(site) {
        let alice = site.user("alice").await?;
        let new = stored(site, &alice, 1).await?;
        let mut tx = site.store.begin_read("test").await?;
        assert_eq!(workload::by_id(&mut tx, &new.id).await?, Some(new.clone()));
        assert_eq!(workload::by_label(&mut tx, &new.label).await?, Some(new));
        Ok(())
    }

    async fn a_write_on_an_old_version_is_a_conflict(site) {
        let alice = site.user("alice").await?;
        let read = stored(site, &alice, 1).await?;
        let state = read.state.clone().start(at(2), at(60))?;
        let mut starting = read.clone().with_state(state, at(2));
        let mut tx = site.store.begin_write("test").await?;
        starting.version = workload::update(&mut tx, &starting).await?;
        let late = workload::update(&mut tx, &failed(&read, 3)).await.expect_err("late");
        assert!(matches!(late, StoreError::Conflict { what: "workload" }));
        // A conflict is an answer, not a failure: the transaction goes on.
        assert_eq!(workload::by_id(&mut tx, &read.id).await?, Some(starting));
        Ok(())
    }

    async fn a_quota_counts_what_has_not_ended(site) {
        let alice = site.user("alice").await?;
        let (one, other) = (stored(site, &alice, 1).await?, stored(site, &alice, 2).await?);
        let stopping = one.state.clone().stop(at(3), StopCause::Asked, Afterwards::Rest)?;
        let mut stopping = one.with_state(stopping, at(3));
        let mut tx = site.store.begin_write("test").await?;
        stopping.version = workload::update(&mut tx, &stopping).await?;
        let both = Held { workloads: 2, cpu_millis: 1000, memory_mib: 512 };
        assert_eq!(workload::held_by(&mut tx, &alice.id).await?, both);
        let stopped = stopping.state.clone().ended(at(4), Exit::Code(0), 1)?;
        workload::update(&mut tx, &stopping.with_state(stopped, at(4))).await?;
        let rest = Held { workloads: 1, cpu_millis: 500, memory_mib: 256 };
        assert_eq!(workload::held_by(&mut tx, &alice.id).await?, rest);
        assert_eq!(workload::live(&mut tx).await?, [other]);
        assert_eq!(workload::counts(&mut tx).await?, [(Phase::Requested, 1), (Phase::Stopped, 1)]);
        Ok(())
    }

    async fn launches_at_once_never_exceed_the_quota(site) {
        let alice = site.user("alice").await?;
        let quota = Quota { workloads: None, cpu_millis: Some(2000), memory_mib: None };
        let tasks = tokio_util::task::TaskTracker::new();
        let launches: Vec<_> = (0..12)
            .map(|millis| tasks.spawn(launch(site.store.clone(), alice.clone(), quota, millis)))
            .collect();
        let mut launched = 0;
        for launch in launches {
            launched += u32::from(launch.await??);
        }
        assert_eq!(launched, 4);
        let mut tx = site.store.begin_read("test").await?;
        assert_eq!(workload::held_by(&mut tx, &alice.id).await?.cpu_millis, 2000);
        Ok(())
    }

    async fn filters_combine(site) {
        let (alice, bob) = (site.user("alice").await?, site.user("bob").await?);
        let mut renamed = stored(site, &alice, 1).await?;
        let ended = stored(site, &alice, 2).await?;
        let foreign = stored(site, &bob, 3).await?;
        renamed.title = "100% Café_1".to_owned();
        let mut tx = site.store.begin_write("test").await?;
        renamed.version = workload::update(&mut tx, &renamed).await?;
        workload::update(&mut tx, &failed(&ended, 4)).await?;
        let of_alice = Filter { owner: Some(alice.id.clone()), ..Filter::default() };
        let live = Filter { phases: vec![Phase::Requested, Phase::Ready], ..Filter::default() };
        let text = |text: &str| Filter { text: text.to_owned(), ..Filter::default() };
        let (r, e, f) = (renamed.id, ended.id, foreign.id);
        for (filter, expected) in [
            (Filter::default(), vec![&f, &e, &r]),
            (of_alice.clone(), vec![&e, &r]),
            (Filter { phases: live.phases.clone(), ..of_alice.clone() }, vec![&r]),
            (Filter { phases: vec![Phase::Failed, Phase::Ready], ..of_alice }, vec![&e]),
            (live, vec![&f, &r]),
            (Filter { phases: vec![Phase::Failed], ..Filter::default() }, vec![&e]),
            (Filter { app: Some("terminal".parse()?), ..Filter::default() }, vec![&f, &e, &r]),
            (Filter { app: Some("other".parse()?), ..Filter::default() }, vec![]),
            (Filter { engine: Some("local".parse()?), ..text("café_") }, vec![&r]),
            (text("100%"), vec![&r]),
            (text("1_0"), vec![]),
            (text("BOB"), vec![&f]),
            (text(foreign.label.as_str()), vec![&f]),
        ] {
            let page = workload::list(&mut tx, &filter, None, 10).await?;
            assert_eq!(page.items.iter().map(|found| &found.id).collect::<Vec<_>>(), expected, "{filter:?}");
        }
        Ok(())
    }

    async fn paging_is_stable_while_others_launch(site) {
        let alice = site.user("alice").await?;
        let mut before = HashSet::new();
        for millis in 0..9 {
            before.insert(stored(site, &alice, millis).await?.id);
        }
        let (mut seen, mut cursor) = (Vec::new(), None);
        for millis in 100.. {
            let mut tx = site.store.begin_read("test").await?;
            let page = workload::list(&mut tx, &Filter::default(), cursor.as_ref(), 2).await?;
            drop(tx);
            cursor = page.items.last().map(|last| last.id.clone());
            seen.extend(page.items.into_iter().map(|found| found.id));
            if !page.more {
                break;
            }
            stored(site, &alice, millis).await?;
        }
        assert_eq!(seen.len(), 9);
        assert_eq!(seen.into_iter().collect::<HashSet<_>>(), before);
        Ok(())
    }

    async fn events_are_numbered_within_their_workload(site) {
        let alice = site.user("alice").await?;
        let (one, other) = (stored(site, &alice, 1).await?, stored(site, &alice, 2).await?);
        let mut tx = site.store.begin_write("test").await?;
        for (of, number) in [(&one, 1), (&other, 1), (&one, 2), (&one, 3)] {
            let event = event::append(&mut tx, &of.id, at(1), "alice", Phase::Requested, "accepted").await?;
            assert_eq!(event.number, number);
        }
        let page = event::list(&mut tx, &one.id, 1, 1).await?;
        assert_eq!((page.items[0].number, page.items.len(), page.more), (2, 1, true));
        // The numbering does not change what a writer read.
        workload::update(&mut tx, &one).await?;
        let nobody = workload_of(&alice, 9);
        let missing = event::append(&mut tx, &nobody.id, at(1), "x", Phase::Requested, "x").await;
        assert!(matches!(missing, Err(StoreError::Missing { what: "workload" })));
        Ok(())
    }

    async fn a_deleted_workload_leaves_a_tombstone(site) {
        let alice = site.user("alice").await?;
        let kept = stored(site, &alice, 1).await?;
        let mut tx = site.store.begin_write("test").await?;
        event::append(&mut tx, &kept.id, at(1), "alice", Phase::Requested, "accepted").await?;
        workload::update(&mut tx, &failed(&kept, 5)).await?;
        assert_eq!(workload::ended_before(&mut tx, at(5), 10).await?, []);
        let ended = workload::ended_before(&mut tx, at(6), 10).await?;
        assert_eq!(ended.len(), 1);
        assert!(workload::delete(&mut tx, &kept.id, at(7)).await?);
        assert!(!workload::delete(&mut tx, &kept.id, at(8)).await?);
        assert_eq!(event::list(&mut tx, &kept.id, 0, 9).await?.items, []);
        let left = gone::by_label(&mut tx, &kept.label).await?.expect("a tombstone");
        assert_eq!((left.workload, left.owner, left.at), (kept.id, alice.id.clone(), at(7)));
        assert_eq!(gone::prune(&mut tx, at(8)).await?, 1);
        assert!(user::delete(&mut tx, &alice.id).await?);
        Ok(())
    }

    async fn an_owner_of_workloads_is_not_deleted(site) {
        let alice = site.user("alice").await?;
        stored(site, &alice, 1).await?;
        let mut tx = site.store.begin_write("test").await?;
        let refused = user::delete(&mut tx, &alice.id).await.expect_err("refused");
        assert!(matches!(refused, StoreError::Reference { .. }), "{refused}");
        Ok(())
    }

    async fn every_state_survives(site) {
        let alice = site.user("alice").await?;
        let mut current = stored(site, &alice, 1).await?;
        let doors = BTreeMap::from([
            ("main".parse()?, portico_core::route::Upstream::Unix("/run/w/main.sock".into())),
            ("api".parse()?, portico_core::route::Upstream::Tcp("127.0.0.1:8888".parse()?)),
        ]);
        let mut tx = site.store.begin_write("test").await?;
        let state = current.state.clone().queue(Some(3))?;
        for step in 0..5 {
            let state = match step {
                0 => state.clone(),
                1 => current.state.clone().start(at(2), at(60))?,
                2 => current.state.clone().ready(at(3), doors.clone())?,
                3 => current.state.clone().stop(at(4), StopCause::Revoked, Afterwards::Restart)?,
                _ => current.state.clone().ended(at(5), Exit::Unknown, 1)?,
            };
            current = current.with_state(state, at(step + 10));
            current.version = workload::update(&mut tx, &current).await?;
            assert_eq!(workload::by_id(&mut tx, &current.id).await?.as_ref(), Some(&current));
        }
        assert_eq!((current.generation, current.version), (1, 6));
        Ok(())
    }
}
