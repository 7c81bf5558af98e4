//! A gate whose pages say which one they are.

use std::{
    collections::HashMap,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use async_trait::async_trait;
use jiff::Timestamp;
use portico_core::{
    names::Label,
    pass::Pass,
    ports::{Gate, Page, Refusal, SignedPass, Void},
};

#[derive(Default)]
pub(crate) struct FakeGate {
    tickets: Mutex<HashMap<String, SignedPass>>,
    pub(crate) reports: AtomicUsize,
}

impl FakeGate {
    pub(crate) fn issue(&self, ticket: &str, pass: Pass, text: String) {
        self.tickets.lock().expect("whole").insert(ticket.to_owned(), SignedPass { text, pass });
    }
}

#[async_trait]
impl Gate for FakeGate {
    async fn redeem(&self, ticket: &str, _label: &Label) -> Result<SignedPass, Void> {
        self.tickets.lock().expect("whole").remove(ticket).ok_or(Void)
    }

    async fn explain(&self, pass: &Pass) -> Page {
        Page { status: 503, html: format!("explained {}", pass.workload), retry_after: Some(2) }
    }

    fn refuse(&self, refusal: Refusal) -> Page {
        let status = match refusal {
            Refusal::VoidTicket => 410,
            Refusal::ForeignOrigin => 403,
            Refusal::BadUpstream => 502,
            Refusal::SlowUpstream => 504,
            Refusal::NoCookie => 400,
            Refusal::UnknownHost => 421,
            Refusal::TooMuch => 503,
        };
        Page { status, html: format!("refused {refusal:?}"), retry_after: None }
    }

    fn seen(&self, _pass: &Pass, _at: Timestamp) {
        self.reports.fetch_add(1, Ordering::Relaxed);
    }
}
