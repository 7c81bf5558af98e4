use portico_core::Secret;
use portico_hub::{
    Error,
    auth::{Actor, Client},
    service::link::{self, Answer, Welcome},
};

use crate::harness::{House, Person, token_of};

fn answer(name: Option<&str>, password: &str) -> Answer {
    Answer { name: name.map(str::to_owned), password: Secret::new(password) }
}

async fn bootstrap(house: &House) -> Secret {
    let link = link::bootstrap(&house.hub).await.expect("a store").expect("there is no administrator");
    token_of(&link.url)
}

async fn follow(house: &House, secret: &Secret, answer: Answer) -> Result<(), Error> {
    link::follow(&house.hub, &Client::default(), secret, &answer).await.map(drop)
}

async fn reset(house: &House, person: &Person) -> Secret {
    let console = Actor::console(house.hub.now());
    let permit = console.may_administer().expect("the console may");
    token_of(&link::reset(&house.hub, &console, &permit, &person.user.id).await.expect("a link").url)
}

#[tokio::test]
async fn the_first_link_makes_one_administrator_and_dies() {
    let house = House::open().await;
    let secret = bootstrap(&house).await;
    assert_eq!(link::look(&house.hub, &secret).await.expect("valid"), Welcome::FirstAdministrator);
    assert_eq!(link::look(&house.hub, &secret).await.expect("still valid"), Welcome::FirstAdministrator);
    let refused = follow(&house, &secret, answer(Some("Ada"), "short")).await;
    assert!(matches!(refused, Err(Error::Invalid(_))), "a broken rule leaves the link");
    follow(&house, &secret, answer(Some("Ada"), "seven green bicycles")).await.expect("makes Ada");
    let again = follow(&house, &secret, answer(Some("Eve"), "seven green bicycles")).await;
    assert!(matches!(again, Err(Error::Gone(_))));
    assert!(link::bootstrap(&house.hub).await.expect("a store").is_none());
}

#[tokio::test]
async fn of_two_who_follow_at_once_one_gets_in() {
    let house = House::open().await;
    let secret = bootstrap(&house).await;
    let (one, two) = tokio::join!(
        follow(&house, &secret, answer(Some("Ada"), "seven green bicycles")),
        follow(&house, &secret, answer(Some("Eve"), "seven green bicycles")),
    );
    assert!(one.is_ok() != two.is_ok(), "{one:?} {two:?}");
}

#[tokio::test]
async fn a_new_start_voids_the_link_before_and_a_day_every_one() {
    let house = House::open().await;
    let old = bootstrap(&house).await;
    let new = bootstrap(&house).await;
    assert!(matches!(link::look(&house.hub, &old).await, Err(Error::Gone(_))));
    house.wait(24 * 3600 - 1);
    assert!(link::look(&house.hub, &new).await.is_ok());
    house.wait(1);
    assert!(matches!(link::look(&house.hub, &new).await, Err(Error::Gone(_))));
    let late = follow(&house, &new, answer(Some("Ada"), "seven green bicycles")).await;
    assert!(matches!(late, Err(Error::Gone(_))));
}

#[tokio::test]
async fn a_reset_ends_the_logins_and_forgives_the_throttle() {
    let house = House::open().await;
    house.administrator().await;
    let alice = house.member("alice").await;
    let wrong = Secret::new("wrong password");
    let attempt = || portico_hub::service::sign_in::sign_in(&house.hub, &CLIENT, None, "alice", &wrong);
    while !matches!(attempt().await, Err(Error::Throttled(_))) {}
    let secret = reset(&house, &alice).await;
    let newer = reset(&house, &alice).await;
    assert!(matches!(link::look(&house.hub, &secret).await, Err(Error::Gone(_))));
    let name = alice.user.name.clone();
    assert_eq!(link::look(&house.hub, &newer).await.expect("valid"), Welcome::ChoosePassword { name });
    follow(&house, &newer, answer(None, "eleven blue bicycles")).await.expect("chooses");
    assert_eq!(house.send(alice.get("/api/v1/me")).await.status, 401);
    let password = Secret::new("eleven blue bicycles");
    let signed = portico_hub::service::sign_in::sign_in(&house.hub, &CLIENT, None, "alice", &password).await;
    assert!(signed.is_ok(), "{signed:?}");
}

static CLIENT: Client = Client { address: None, agent: String::new() };

#[tokio::test]
async fn a_disabled_user_gets_in_by_no_link() {
    let house = House::open().await;
    house.administrator().await;
    let alice = house.member("alice").await;
    let console = Actor::console(house.hub.now());
    let permit = console.may_administer().expect("the console may");
    let before = reset(&house, &alice).await;
    let id = &alice.user.id;
    portico_hub::service::user::disable(&house.hub, &console, &permit, id).await.expect("disables");
    assert!(matches!(link::look(&house.hub, &before).await, Err(Error::Gone(_))));
    let after = reset(&house, &alice).await;
    let refused = follow(&house, &after, answer(None, "eleven blue bicycles")).await;
    assert!(matches!(refused, Err(Error::Forbidden(_))), "{refused:?}");
}

#[tokio::test]
async fn what_is_no_link_is_gone() {
    let house = House::open().await;
    for text in ["", "x", &"a".repeat(52), &"a".repeat(100_000), "' OR 1=1 --", "é"] {
        let answer = link::look(&house.hub, &Secret::new(text)).await;
        assert!(matches!(answer, Err(Error::Gone(_))), "{text:.60}");
    }
}
