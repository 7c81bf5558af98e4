use portico_core::{
    AuditId, LoginId, Secret, UserId,
    audit::{AuditEvent, Outcome, Via},
};
use portico_store::{
    StoreError,
    audit::{self, Filter},
    idempotency::{self, Answer, Claim},
    revocation::{self, Revocation, Revoked},
    setting,
    throttle::{self, Failures, Subject},
    ticket::{self, Spent},
};

use crate::harness::{at, entropy, on_both};

fn act(millis: i64, action: &str, user: Option<&UserId>, outcome: Outcome) -> AuditEvent {
    AuditEvent {
        id: AuditId::new(at(millis), entropy()),
        at: at(millis),
        user: user.cloned(),
        user_name: "alice".to_owned(),
        via: Via::Login(LoginId::new(at(0), entropy())),
        address: "192.0.2.1".to_owned(),
        action: action.to_owned(),
        thing: "app terminal".to_owned(),
        outcome,
        detail: String::new(),
    }
}

on_both! {
    async fn acts_are_found_by_every_filter(site) {
        let alice = site.user("alice").await?;
        let acts = [
            act(1000, "workload.launch", Some(&alice.id), Outcome::Done),
            act(2000, "workload.stop", Some(&alice.id), Outcome::Failed),
            AuditEvent { thing: "app other".to_owned(), via: Via::Portico, ..act(3000, "app.update", None, Outcome::Done) },
            AuditEvent { via: Via::Anonymous, ..act(4000, "login.create", None, Outcome::Refused) },
        ];
        let mut tx = site.store.begin_write("test").await?;
        for act in &acts {
            audit::append(&mut tx, act).await?;
        }
        let all = Filter::default();
        for (filter, expected) in [
            (all.clone(), vec![3, 2, 1, 0]),
            (Filter { user: Some(alice.id.clone()), ..all.clone() }, vec![1, 0]),
            (Filter { action: "workload.".to_owned(), ..all.clone() }, vec![1, 0]),
            (Filter { action: "workload_".to_owned(), ..all.clone() }, vec![]),
            (Filter { thing: Some("app other".to_owned()), ..all.clone() }, vec![2]),
            (Filter { outcome: Some(Outcome::Refused), ..all.clone() }, vec![3]),
            (Filter { from: Some(at(2000)), until: Some(at(4000)), ..all.clone() }, vec![2, 1]),
        ] {
            let page = audit::list(&mut tx, &filter, None, 10).await?;
            let expected: Vec<_> = expected.into_iter().map(|index: usize| acts[index].clone()).collect();
            assert_eq!(page.items, expected, "{filter:?}");
        }
        let first = audit::list(&mut tx, &all, None, 3).await?;
        assert!(first.more);
        let rest = audit::list(&mut tx, &all, Some(&first.items[2].id), 3).await?;
        assert_eq!((rest.items, rest.more), (vec![acts[0].clone()], false));
        let export = audit::export(&mut tx, Some(&acts[1].id), 1).await?;
        assert_eq!((export.items, export.more), (vec![acts[2].clone()], true));
        Ok(())
    }

    async fn the_later_revocation_counts(site) {
        let whose = Revoked::User(UserId::new(at(0), entropy()));
        let mut tx = site.store.begin_write("test").await?;
        for (millis, until) in [(10, 500), (20, 400)] {
            let revocation = Revocation { whose: whose.clone(), at: at(millis), until: at(until) };
            revocation::add(&mut tx, &revocation).await?;
        }
        let expected = Revocation { whose, at: at(20), until: at(500) };
        assert_eq!(revocation::list(&mut tx, at(499)).await?, [expected]);
        assert_eq!(revocation::list(&mut tx, at(500)).await?, []);
        assert_eq!(revocation::prune(&mut tx, at(500)).await?, 1);
        Ok(())
    }

    async fn a_ticket_is_spent_once(site) {
        let tasks = tokio_util::task::TaskTracker::new();
        let spenders: Vec<_> = (0..8)
            .map(|_| {
                let store = site.store.clone();
                tasks.spawn(async move {
                    let mut tx = store.begin_write("test.spend").await?;
                    let spent = ticket::spend(&mut tx, "nonce", at(100)).await?;
                    tx.commit().await?;
                    Ok::<_, StoreError>(spent)
                })
            })
            .collect();
        let mut now = 0;
        for spender in spenders {
            now += u32::from(spender.await?? == Spent::Now);
        }
        assert_eq!(now, 1);
        let mut tx = site.store.begin_write("test").await?;
        assert_eq!(ticket::prune(&mut tx, at(100)).await?, 1);
        Ok(())
    }

    async fn the_same_request_gets_the_same_answer(site) {
        let alice = site.user("alice").await?;
        let mut tx = site.store.begin_write("test").await?;
        let answer = Answer { status: 201, body: r#"{"id":"x"}"#.to_owned() };
        assert_eq!(idempotency::claim(&mut tx, &alice.id, "key", "digest", at(0)).await?, Claim::New);
        assert_eq!(idempotency::claim(&mut tx, &alice.id, "key", "digest", at(0)).await?, Claim::InProgress);
        idempotency::finish(&mut tx, &alice.id, "key", &answer).await?;
        idempotency::abandon(&mut tx, &alice.id, "key").await?;
        assert_eq!(idempotency::claim(&mut tx, &alice.id, "key", "digest", at(0)).await?, Claim::Same(answer));
        assert_eq!(idempotency::claim(&mut tx, &alice.id, "key", "other", at(0)).await?, Claim::Mismatch);
        assert_eq!(idempotency::prune(&mut tx, at(1)).await?, 1);
        assert_eq!(idempotency::claim(&mut tx, &alice.id, "key", "other", at(0)).await?, Claim::New);
        idempotency::abandon(&mut tx, &alice.id, "key").await?;
        assert_eq!(idempotency::claim(&mut tx, &alice.id, "key", "other", at(0)).await?, Claim::New);
        Ok(())
    }

    async fn a_generated_secret_stays(site) {
        let mut tx = site.store.begin_write("test").await?;
        assert!(setting::get(&mut tx, "pass-key").await?.is_none());
        assert!(setting::get_or_insert(&mut tx, "pass-key", &Secret::new("one")).await?.matches("one"));
        assert!(setting::get_or_insert(&mut tx, "pass-key", &Secret::new("two")).await?.matches("one"));
        setting::set(&mut tx, "pass-key", &Secret::new("three")).await?;
        assert!(setting::get(&mut tx, "pass-key").await?.expect("set").matches("three"));
        assert!(setting::delete(&mut tx, "pass-key").await?);
        Ok(())
    }

    async fn failures_are_counted_per_subject(site) {
        let (alice, address) = (Subject::Account("alice"), Subject::Address("192.0.2.1"));
        let mut tx = site.store.begin_write("test").await?;
        for millis in [0, 1000, 61_000, 200_000] {
            throttle::record(&mut tx, alice, at(millis)).await?;
        }
        throttle::record(&mut tx, address, at(5)).await?;
        let recent = Failures { count: 2, last: Some(at(200_000)) };
        assert_eq!(throttle::since(&mut tx, alice, at(60_000)).await?, recent);
        assert_eq!(throttle::since(&mut tx, alice, at(0)).await?.count, 4);
        throttle::clear(&mut tx, alice).await?;
        assert_eq!(throttle::since(&mut tx, alice, at(0)).await?, Failures::default());
        assert_eq!(throttle::since(&mut tx, address, at(0)).await?.count, 1);
        assert_eq!(throttle::prune(&mut tx, at(6)).await?, 1);
        Ok(())
    }

    async fn hostile_texts_are_kept_verbatim_or_refused(site) {
        let long = "x".repeat(1_000_000);
        let mut tx = site.store.begin_write("test").await?;
        for text in ["'; DROP TABLE \"user\"; --", "$1 ?1 :a", "\u{202e}\u{10ffff}é\r\n\u{1b}[2J", "\\", &long] {
            let hostile = AuditEvent { detail: text.to_owned(), ..act(1, "login.create", None, Outcome::Failed) };
            audit::append(&mut tx, &hostile).await?;
            setting::set(&mut tx, "hostile", &Secret::new(text)).await?;
            assert!(setting::get(&mut tx, "hostile").await?.expect("set").matches(text));
        }
        tx.commit().await?;
        for text in ["a\0b".to_owned(), "x".repeat(9 << 20)] {
            let mut tx = site.store.begin_write("test").await?;
            let refused = setting::set(&mut tx, "hostile", &Secret::new(text)).await.expect_err("refused");
            assert!(matches!(refused, StoreError::Unstorable { .. }), "{refused}");
        }
        let mut tx = site.store.begin_write("test").await?;
        let key = "k".repeat(5000);
        let refused = setting::set(&mut tx, &key, &Secret::new("x")).await.expect_err("refused");
        assert!(matches!(refused, StoreError::Unstorable { .. }), "{refused}");
        Ok(())
    }

    async fn hostile_subjects_and_things_are_bounded(site) {
        let long = "ß".repeat(50_000);
        let mut tx = site.store.begin_write("test").await?;
        throttle::record(&mut tx, Subject::Account(&long), at(0)).await?;
        assert_eq!(throttle::since(&mut tx, Subject::Account(&long), at(0)).await?.count, 1);
        assert_eq!(throttle::since(&mut tx, Subject::Account(&long[2..]), at(0)).await?.count, 0);
        let wordy = AuditEvent {
            thing: long.clone(),
            action: long.clone(),
            user_name: long.clone(),
            detail: "a\0b".to_owned(),
            ..act(1, "x", None, Outcome::Done)
        };
        audit::append(&mut tx, &wordy).await?;
        let page = audit::list(&mut tx, &Filter::default(), None, 1).await?;
        assert_eq!(page.items[0].thing.chars().count(), 200);
        assert_eq!(page.items[0].detail, "a\u{fffd}b");
        Ok(())
    }
}
