use portico_core::{
    GrantId,
    grant::{Grant, Subject},
};
use portico_store::{StoreError, app, grant, group, user};

use crate::harness::{app as app_named, at, entropy, group as group_named, on_both};

fn grant_of(app: &str, subject: Subject) -> Grant {
    Grant { id: GrantId::new(at(0), entropy()), app: app.parse().expect("a name"), subject, created: at(0) }
}

on_both! {
    async fn an_app_is_replaced_only_by_who_read_it(site) {
        let mut terminal = app_named("terminal");
        let mut tx = site.store.begin_write("test").await?;
        assert_eq!(app::put(&mut tx, &terminal, None, at(1)).await?, 1);
        terminal.title = "Shell".to_owned();
        assert_eq!(app::put(&mut tx, &terminal, Some(1), at(2)).await?, 2);
        let late = app::put(&mut tx, &terminal, Some(1), at(3)).await.expect_err("late");
        assert!(matches!(late, StoreError::Conflict { what: "app" }) && late.is_temporary());
        let stored = app::by_name(&mut tx, &terminal.name).await?.expect("stored");
        assert_eq!((stored.app, stored.version, stored.changed), (terminal.clone(), 2, at(2)));
        assert_eq!(app::list(&mut tx).await?.len(), 1);
        assert!(app::delete(&mut tx, &terminal.name).await?);
        assert!(!app::delete(&mut tx, &terminal.name).await?);
        Ok(())
    }

    async fn an_app_of_the_same_name_is_a_duplicate(site) {
        let mut tx = site.store.begin_write("test").await?;
        app::put(&mut tx, &app_named("terminal"), None, at(1)).await?;
        let refused = app::put(&mut tx, &app_named("terminal"), None, at(1)).await.expect_err("refused");
        assert!(refused.is_duplicate("app", "name"), "{refused}");
        Ok(())
    }

    async fn apps_come_by_any_grant(site) {
        let (alice, bob) = (site.user("alice").await?, site.user("bob").await?);
        let physics = group_named("Physics");
        let mut tx = site.store.begin_write("test").await?;
        group::insert(&mut tx, &physics).await?;
        group::add_member(&mut tx, &physics.id, &alice.id).await?;
        for (app, subject) in [
            ("web", Subject::Everyone),
            ("desktop", Subject::Group(physics.id.clone())),
            ("notebook", Subject::User(alice.id.clone())),
            ("web", Subject::User(alice.id.clone())),
        ] {
            grant::insert(&mut tx, &grant_of(app, subject)).await?;
        }
        let names = |apps: Vec<portico_core::names::AppName>| apps.iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(names(grant::apps_for(&mut tx, &alice.id).await?), ["desktop", "notebook", "web"]);
        assert_eq!(names(grant::apps_for(&mut tx, &bob.id).await?), ["web"]);
        let desktop = "desktop".parse()?;
        assert_eq!(grant::subjects_of_app(&mut tx, &desktop).await?, [Subject::Group(physics.id.clone())]);
        group::delete(&mut tx, &physics.id).await?;
        user::delete(&mut tx, &alice.id).await?;
        assert_eq!(grant::list(&mut tx).await?.len(), 1);
        Ok(())
    }

    async fn a_subject_is_granted_an_app_once(site) {
        let mut tx = site.store.begin_write("test").await?;
        let first = grant_of("web", Subject::Everyone);
        grant::insert(&mut tx, &first).await?;
        assert_eq!(grant::by_id(&mut tx, &first.id).await?, Some(first.clone()));
        assert!(grant::delete(&mut tx, &first.id).await?);
        grant::insert(&mut tx, &first).await?;
        let refused = grant::insert(&mut tx, &grant_of("web", Subject::Everyone)).await.expect_err("refused");
        assert!(refused.is_duplicate("grant", "app, subject"), "{refused}");
        Ok(())
    }

    async fn a_grant_to_nobody_is_refused(site) {
        let nobody = crate::harness::account("nobody", 5);
        let mut tx = site.store.begin_write("test").await?;
        let refused = grant::insert(&mut tx, &grant_of("web", Subject::User(nobody.id))).await.expect_err("refused");
        assert!(matches!(refused, StoreError::Reference { .. }), "{refused}");
        Ok(())
    }
}
