//! [`Gate`]: what the front door asks of the hub.

use async_trait::async_trait;
use portico_core::{
    Timestamp,
    access::{Action, Thing},
    names::Label,
    pass::Pass,
    ports::{Gate, Page, Refusal, SignedPass, Void},
    workload::{State, Workload},
};

use crate::{service, state::Hub, ui::door::DoorPage};

/// Lines of the log on the page of a failure.
const LOG_LINES: usize = 20;
/// Seconds after which the page of a start looks again.
const SOON: u32 = 2;

#[async_trait]
impl Gate for Hub {
    async fn redeem(&self, ticket: &str, label: &Label) -> Result<SignedPass, Void> {
        service::open::redeem(self, ticket, label).await
    }

    async fn explain(&self, pass: &Pass) -> Page {
        match service::open::of_pass(self, &pass.workload).await {
            Ok(Some(row)) if row.owner.user == pass.user => explained(self, &row).await,
            Ok(_) => page(
                self,
                410,
                "It is gone",
                "This session was deleted. Launch the app anew from the catalogue.",
            )
            .render(),
            Err(error) => {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "a page of the front door could not be filled"
                );
                let text = "Portico cannot look up this session just now. This page tries again by itself.";
                page(self, 503, "One moment", text).again_after(SOON).render()
            }
        }
    }

    fn refuse(&self, refusal: Refusal) -> Page {
        let (status, heading, text) = match refusal {
            Refusal::VoidTicket => (
                410,
                "This link was used before",
                "A link into a session works once, and only for a minute. Open the session again from your list.",
            ),
            Refusal::ForeignOrigin => (
                403,
                "Not from there",
                "Another site's page tried to reach this session. Open it from Portico instead.",
            ),
            Refusal::BadUpstream => (
                502,
                "The app does not answer",
                "The app did not answer, or broke off. Wait a moment and reload; if it stays so, restart the session.",
            ),
            Refusal::SlowUpstream => (
                504,
                "The app is slow",
                "The app did not answer in time. Wait a moment and reload; if it stays so, restart the session.",
            ),
            Refusal::NoCookie => (
                403,
                "Cookies are needed",
                "Your browser did not keep Portico's cookie for this session. Allow cookies for this address, then open the session again.",
            ),
            Refusal::UnknownHost => (
                404,
                "There is nothing here",
                "This address does not belong to a session that you can enter. It may have been deleted, or the address may be mistyped.",
            ),
            Refusal::TooMuch => (
                429,
                "Too much at once",
                "Too many connections, or too large a request. Close some tabs of this session and try again.",
            ),
        };
        page(self, status, heading, text).render()
    }

    fn seen(&self, pass: &Pass, at: Timestamp) {
        self.live.seen.note(&pass.login, at);
    }
}

fn page(hub: &Hub, status: u16, heading: &str, text: &str) -> DoorPage {
    let origin = hub.config.public_url.origin();
    DoorPage::new(status, &hub.config.title, origin, heading, text)
}

async fn explained(hub: &Hub, row: &Workload) -> Page {
    let path = format!("/workloads/{}", row.id);
    let about = |status, heading: &str, text: String| {
        page(hub, status, heading, &text).with_way_out(&path, "Go to this session")
    };
    let title = &row.title;
    let reason = row.state.reason();
    match &row.state {
        State::Requested | State::Queued { .. } | State::Starting { .. } => about(
            503,
            "It is starting",
            format!("{title}: {reason}. This page opens it as soon as it answers."),
        )
        .again_after(SOON)
        .render(),
        State::Ready { .. } => {
            about(503, "One moment", format!("{title} is there; this page tries again by itself."))
                .again_after(SOON)
                .render()
        }
        State::Stopping { .. } => about(503, "It is stopping", format!("{title} is being stopped.")).render(),
        State::Stopped { .. } => {
            about(503, "It is not running", format!("{title}: {reason}. Restart it from its page to go on."))
                .render()
        }
        State::Failed { failure, .. } => {
            let text = format!("{title}: {reason}. {}", failure.advice());
            about(503, "It failed", text).with_log(last_lines(hub, row).await).render()
        }
    }
}

/// The end of the log for the owner, who alone gets here.
async fn last_lines(hub: &Hub, row: &Workload) -> String {
    let Ok(owner) = service::workload::owner_as_principal(hub, row).await else { return String::new() };
    let thing = Thing::Workload { owner: &row.owner.user };
    let Ok(permit) = portico_core::access::decide(&owner, Action::View, thing) else { return String::new() };
    service::log::tail(hub, &permit, row, LOG_LINES).await.unwrap_or_default()
}
