use portico_core::{
    LoginId, Secret, TokenId,
    login::{Login, LoginLifetime, Token},
    user::{Role, Standing, User},
};
use portico_store::{
    SecretDigest, StoreError, group, login,
    one_time_link::{self, OneTimeLink, Purpose},
    token, user,
};

use crate::harness::{account, at, entropy, group as group_named, on_both};

fn login_of(user: &User, created: i64) -> Login {
    Login {
        id: LoginId::new(at(created), entropy()),
        user: user.id.clone(),
        created: at(created),
        last_used: at(created),
        expires: at(created + 1_000_000),
        address: "192.0.2.1".to_owned(),
        agent: "Browser/1".to_owned(),
    }
}

on_both! {
    async fn an_account_is_found_by_each_of_its_names(site) {
        let alice = site.user("José O'Neill").await?;
        let mut tx = site.store.begin_read("test").await?;
        assert_eq!(user::by_id(&mut tx, &alice.id).await?, Some(alice.clone()));
        assert_eq!(user::by_name_key(&mut tx, "josé o'neill").await?, Some(alice.clone()));
        assert_eq!(user::by_slug(&mut tx, &alice.slug).await?, Some(alice));
        assert_eq!(user::by_name_key(&mut tx, "' OR 1=1 --").await?, None);
        Ok(())
    }

    async fn a_look_alike_is_a_duplicate(site) {
        site.user("alice").await?;
        let mut tx = site.store.begin_write("test").await?;
        let refused = user::insert(&mut tx, &account("ＡＬＩＣＥ", 77)).await.expect_err("refused");
        assert!(refused.is_duplicate("user", "name_key") || refused.is_duplicate("user", "slug"), "{refused}");
        assert!(!refused.is_temporary());
        Ok(())
    }

    async fn a_number_is_never_given_twice(site) {
        let first = site.user("alice").await?;
        let mut tx = site.store.begin_write("test").await?;
        assert!(user::delete(&mut tx, &first.id).await?);
        tx.commit().await?;
        assert_eq!(site.user("bob").await?.number, first.number + 1);
        Ok(())
    }

    async fn an_account_changes_all_but_slug_and_number(site) {
        let mut alice = site.user("alice").await?;
        alice.name = "Alice Cooper".parse()?;
        alice.role = Role::Administrator;
        alice.standing = Standing::Disabled { since: at(5) };
        let mut tx = site.store.begin_write("test").await?;
        user::update(&mut tx, &alice).await?;
        user::set_last_seen(&mut tx, &alice.id, at(9)).await?;
        alice.last_seen = Some(at(9));
        assert_eq!(user::by_slug(&mut tx, &alice.slug).await?, Some(alice.clone()));
        assert_eq!(user::count_active_administrators(&mut tx).await?, 0);
        let nobody = account("nobody", 9);
        let missing = user::update(&mut tx, &nobody).await.expect_err("missing");
        assert!(matches!(missing, StoreError::Missing { what: "user" }));
        Ok(())
    }

    async fn accounts_are_listed_by_page_and_by_text(site) {
        for name in ["alice", "bob", "Bobby 100%", "carol"] {
            site.user(name).await?;
        }
        let mut tx = site.store.begin_read("test").await?;
        let names = |page: &portico_store::Page<User>| {
            page.items.iter().map(|user| user.name.to_string()).collect::<Vec<_>>()
        };
        let first = user::list(&mut tx, "", None, 3).await?;
        assert_eq!((names(&first), first.more), (vec!["alice".into(), "bob".into(), "Bobby 100%".into()], true));
        let last = user::list(&mut tx, "", Some(&first.items[2].id), 3).await?;
        assert_eq!((names(&last), last.more), (vec!["carol".into()], false));
        assert_eq!(names(&user::list(&mut tx, "BOB", None, 9).await?), ["bob", "Bobby 100%"]);
        assert_eq!(names(&user::list(&mut tx, "100%", None, 9).await?), ["Bobby 100%"]);
        assert_eq!(names(&user::list(&mut tx, "_ob", None, 9).await?), [""; 0]);
        assert_eq!(user::count(&mut tx).await?, 4);
        Ok(())
    }

    async fn a_password_is_kept_as_its_hash(site) {
        let alice = site.user("alice").await?;
        let mut tx = site.store.begin_write("test").await?;
        assert!(user::password_hash(&mut tx, &alice.id).await?.is_none());
        user::set_password_hash(&mut tx, &alice.id, Some(&Secret::new("$argon2id$x"))).await?;
        assert!(user::password_hash(&mut tx, &alice.id).await?.expect("set").matches("$argon2id$x"));
        user::set_password_hash(&mut tx, &alice.id, None).await?;
        assert!(user::password_hash(&mut tx, &alice.id).await?.is_none());
        Ok(())
    }

    async fn a_group_knows_its_members(site) {
        let (alice, bob) = (site.user("alice").await?, site.user("bob").await?);
        let physics = group_named("Physics");
        let mut tx = site.store.begin_write("test").await?;
        group::insert(&mut tx, &physics).await?;
        assert!(group::add_member(&mut tx, &physics.id, &alice.id).await?);
        assert!(!group::add_member(&mut tx, &physics.id, &alice.id).await?);
        assert!(group::add_member(&mut tx, &physics.id, &bob.id).await?);
        assert!(group::remove_member(&mut tx, &physics.id, &bob.id).await?);
        assert_eq!(group::members(&mut tx, &physics.id).await?, std::slice::from_ref(&alice));
        assert_eq!(group::groups_of(&mut tx, &alice.id).await?, std::slice::from_ref(&physics));
        assert_eq!(group::list(&mut tx).await?, std::slice::from_ref(&physics));
        assert_eq!(group::by_slug(&mut tx, &physics.slug).await?, Some(physics.clone()));
        user::delete(&mut tx, &alice.id).await?;
        assert_eq!(group::members(&mut tx, &physics.id).await?, []);
        assert!(group::delete(&mut tx, &physics.id).await?);
        assert_eq!(group::by_id(&mut tx, &physics.id).await?, None);
        Ok(())
    }

    async fn a_login_is_found_by_its_secret_only(site) {
        let alice = site.user("alice").await?;
        let login = login_of(&alice, 1);
        let secret = SecretDigest::of(&Secret::new("secret"));
        let mut tx = site.store.begin_write("test").await?;
        login::insert(&mut tx, &login, &secret).await?;
        login::touch(&mut tx, &login.id, at(50)).await?;
        login::touch(&mut tx, &login.id, at(40)).await?;
        let found = login::by_digest(&mut tx, &secret).await?.expect("found");
        assert_eq!(found, Login { last_used: at(50), ..login.clone() });
        assert!(login::by_digest(&mut tx, &SecretDigest::of(&Secret::new("other"))).await?.is_none());
        assert!(login::delete(&mut tx, &login.id).await?);
        assert!(login::by_digest(&mut tx, &secret).await?.is_none());
        Ok(())
    }

    async fn signing_out_everywhere_tells_which_logins_ended(site) {
        let (alice, bob) = (site.user("alice").await?, site.user("bob").await?);
        let mut tx = site.store.begin_write("test").await?;
        let logins = [login_of(&alice, 1), login_of(&alice, 2), login_of(&bob, 3)];
        for login in &logins {
            let digest = SecretDigest::of(&Secret::new(login.id.as_str()));
            login::insert(&mut tx, login, &digest).await?;
        }
        assert_eq!(login::list_of(&mut tx, &alice.id).await?, [logins[1].clone(), logins[0].clone()]);
        let mut ended = login::delete_all_of(&mut tx, &alice.id).await?;
        ended.sort();
        assert_eq!(ended, [logins[0].id.clone(), logins[1].id.clone()]);
        assert_eq!(login::list_of(&mut tx, &bob.id).await?.len(), 1);
        Ok(())
    }

    async fn dead_logins_are_pruned(site) {
        let alice = site.user("alice").await?;
        let mut tx = site.store.begin_write("test").await?;
        let idle = login_of(&alice, 0);
        let expired = Login { last_used: at(90_000), expires: at(95_000), ..login_of(&alice, 1) };
        let alive = Login { last_used: at(90_000), ..login_of(&alice, 2) };
        for login in [&idle, &expired, &alive] {
            login::insert(&mut tx, login, &SecretDigest::of(&Secret::new(login.id.as_str()))).await?;
        }
        let lifetime = LoginLifetime { idle_seconds: 60, absolute_seconds: 1000 };
        assert_eq!(login::prune(&mut tx, at(100_000), lifetime).await?, 2);
        assert_eq!(login::list_of(&mut tx, &alice.id).await?, [alive]);
        Ok(())
    }

    async fn a_token_is_deleted_by_its_owner_only(site) {
        let (alice, bob) = (site.user("alice").await?, site.user("bob").await?);
        let token = Token {
            id: TokenId::new(at(1), entropy()),
            user: alice.id.clone(),
            name: "laptop".parse()?,
            created: at(1),
            expires: at(100),
            last_used: None,
        };
        let digest = SecretDigest::of(&Secret::new("token"));
        let mut tx = site.store.begin_write("test").await?;
        token::insert(&mut tx, &token, &digest).await?;
        token::touch(&mut tx, &token.id, at(7)).await?;
        let used = Token { last_used: Some(at(7)), ..token.clone() };
        assert_eq!(token::by_digest(&mut tx, &digest).await?, Some(used.clone()));
        assert!(!token::delete(&mut tx, &token.id, &bob.id).await?);
        assert_eq!(token::list_of(&mut tx, &alice.id).await?, [used]);
        assert_eq!(token::prune(&mut tx, at(100)).await?, 1);
        assert_eq!(token::delete_all_of(&mut tx, &alice.id).await?, 0);
        Ok(())
    }

    async fn a_link_lets_in_once_and_in_time(site) {
        let link = OneTimeLink { purpose: Purpose::Bootstrap, user: None, created: at(0), expires: at(100) };
        let digest = SecretDigest::of(&Secret::new("link"));
        let mut tx = site.store.begin_write("test").await?;
        one_time_link::insert(&mut tx, &link, &digest).await?;
        assert!(one_time_link::consume(&mut tx, &digest, Purpose::PasswordReset, at(1)).await?.is_none());
        assert!(one_time_link::consume(&mut tx, &digest, Purpose::Bootstrap, at(100)).await?.is_none());
        assert!(one_time_link::by_digest(&mut tx, &digest, Purpose::Bootstrap, at(1)).await?.is_some());
        assert_eq!(one_time_link::consume(&mut tx, &digest, Purpose::Bootstrap, at(99)).await?, Some(link));
        assert!(one_time_link::consume(&mut tx, &digest, Purpose::Bootstrap, at(99)).await?.is_none());
        Ok(())
    }
}
