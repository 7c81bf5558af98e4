//! What the front door asks: tickets, passes, and pages that explain.

use portico_core::{
    pass::Pass,
    ports::{Gate, Refusal},
    workload::{Phase, Workload},
};
use portico_hub::{Error, service};

use super::yard::Yard;

/// A ticket for alice, as the address carries it.
async fn ticket(yard: &Yard, workload: &Workload, next: Option<&str>) -> String {
    let (workload, permit) =
        service::open::find(&yard.hub, &yard.alice(), &workload.label).await.expect("hers");
    let main = "main".parse().expect("a name");
    service::open::ticket(&yard.hub, &permit, &workload, &yard.person.login, &main, next)
        .await
        .expect("a ticket")
}

fn split(url: &str) -> (&str, &str) {
    let (_, rest) = url.split_once("ticket=").expect("a ticket");
    rest.split_once("&next=").expect("where to go on")
}

async fn pass(yard: &Yard, workload: &Workload) -> Pass {
    let url = ticket(yard, workload, None).await;
    yard.hub.redeem(split(&url).0, &workload.label).await.expect("a pass").pass
}

#[tokio::test]
async fn a_ticket_lets_its_owner_in_once() {
    let yard = Yard::open().await;
    let workload = yard.run_until(&["app"], Phase::Ready).await;
    let url = ticket(&yard, &workload, None).await;
    let (ticket, next) = split(&url);
    assert_eq!(next, "/lab");
    let signed = yard.hub.redeem(ticket, &workload.label).await.expect("a pass");
    let read = Pass::verify(&signed.text, &yard.hub.keys.pass, yard.hub.now()).expect("valid");
    assert_eq!((&read.workload, &read.user), (&workload.id, &yard.person.user.id));
    assert!(yard.hub.redeem(ticket, &workload.label).await.is_err());
}

#[tokio::test]
async fn a_ticket_is_void_elsewhere_later_and_for_who_lost_the_right() {
    let yard = Yard::open().await;
    let workload = yard.run_until(&["app"], Phase::Ready).await;
    let other = yard.launch("app").await.expect("accepted");
    let url = ticket(&yard, &workload, None).await;
    assert!(yard.hub.redeem(split(&url).0, &other.label).await.is_err());
    let url = ticket(&yard, &workload, None).await;
    yard.wait(61);
    assert!(yard.hub.redeem(split(&url).0, &workload.label).await.is_err());
    let url = ticket(&yard, &workload, None).await;
    let permit = yard.alice().may_manage_account().expect("may");
    service::login::end_all(&yard.hub, &yard.alice(), &permit).await.expect("signed out");
    assert!(yard.hub.redeem(split(&url).0, &workload.label).await.is_err());
    assert!(yard.hub.redeem("x.y", &workload.label).await.is_err());
}

#[tokio::test]
async fn a_ticket_leads_only_to_its_own_origin() {
    let yard = Yard::open().await;
    let workload = yard.run_until(&["app"], Phase::Ready).await;
    assert_eq!(split(&ticket(&yard, &workload, Some("/tree?x=1")).await).1, "/tree?x=1");
    for next in ["//evil", "/\\evil", "https://evil", "javascript:x", "/a b", "", "/\r\nx"] {
        assert_eq!(split(&ticket(&yard, &workload, Some(next)).await).1, "/lab", "{next:?}");
    }
}

#[tokio::test]
async fn nobody_else_opens_a_workload_not_even_an_administrator() {
    let yard = Yard::open().await;
    let workload = yard.run_until(&["app"], Phase::Ready).await;
    for person in [yard.administrator().await, yard.member("mallory").await] {
        let found = service::open::find(&yard.hub, &yard.actor(&person), &workload.label).await;
        assert!(matches!(found, Err(Error::NotFound)));
    }
}

#[tokio::test]
async fn every_state_has_a_page_that_says_what_to_do() {
    let yard = Yard::open().await;
    let starting = yard.run_until(&["app", "slow=60000"], Phase::Starting).await;
    let pass = pass(&yard, &starting).await;
    let page = yard.hub.explain(&pass).await;
    assert_eq!((page.status, page.retry_after), (503, Some(2)));
    assert!(page.html.contains("It is starting") && page.html.contains("http-equiv=\"refresh\""));

    service::workload::stop(&yard.hub, &yard.alice(), &starting.id).await.expect("stopping");
    yard.until(&starting.id, Phase::Stopped).await;
    let page = yard.hub.explain(&pass).await;
    assert!(page.html.contains("It is not running") && page.retry_after.is_none());
    assert!(page.html.contains(&format!("/workloads/{}", starting.id)));

    service::workload::delete(&yard.hub, &yard.alice(), &starting.id).await.expect("deleted");
    let page = yard.hub.explain(&pass).await;
    assert_eq!(page.status, 410);
}

#[tokio::test]
async fn the_page_of_a_failure_shows_the_last_lines_as_text() {
    let yard = Yard::open().await;
    let failed = yard.run_until(&["app", "print=<script>alert(1)</script>", "exit=4"], Phase::Failed).await;
    let page = yard.hub.explain(&pass(&yard, &failed).await).await;
    assert!(page.html.contains("exit code 4"), "{}", page.html);
    assert!(!page.html.contains("<script>") && page.html.contains("alert(1)"));
}

#[tokio::test]
async fn a_pass_of_somebody_else_learns_nothing() {
    let yard = Yard::open().await;
    let workload = yard.run_until(&["app"], Phase::Ready).await;
    let mallory = yard.member("mallory").await;
    let foreign = Pass { user: mallory.user.id, ..pass(&yard, &workload).await };
    let page = yard.hub.explain(&foreign).await;
    assert_eq!(page.status, 410);
    assert!(!page.html.contains(&workload.title));
}

#[tokio::test]
async fn every_refusal_has_a_page() {
    let yard = Yard::open().await;
    for refusal in [
        Refusal::VoidTicket,
        Refusal::ForeignOrigin,
        Refusal::BadUpstream,
        Refusal::SlowUpstream,
        Refusal::NoCookie,
        Refusal::UnknownHost,
        Refusal::TooMuch,
    ] {
        let page = yard.hub.refuse(refusal);
        assert!(page.status >= 400 && page.html.contains("http://localhost:8080/workloads"), "{refusal:?}");
    }
}
