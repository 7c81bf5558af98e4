//! `portico doctor`: tests what Portico stands on, and says what to do.
//!
//! Each check looks at one thing, with a deadline, and never changes anything.

mod checks;

use std::{process::ExitCode, time::Duration};

use anyhow::Result;
use clap::Args;
use serde::Serialize;

use super::Common;
use crate::output::{self, Style};

/// Longest time one check may take.
const DEADLINE: Duration = Duration::from_secs(15);

#[derive(Debug, Args)]
pub(crate) struct Doctor {}

/// What a check found.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Finding {
    /// What was looked at.
    check: String,
    verdict: Verdict,
    /// What was seen, in a sentence.
    detail: String,
    /// What to do; empty when there is nothing to do.
    advice: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Verdict {
    Good,
    Warning,
    Bad,
}

impl Finding {
    fn good(check: &str, detail: impl Into<String>) -> Self {
        Self { check: check.to_owned(), verdict: Verdict::Good, detail: detail.into(), advice: String::new() }
    }

    fn warning(check: &str, detail: impl Into<String>, advice: impl Into<String>) -> Self {
        let (detail, advice) = (detail.into(), advice.into());
        Self { check: check.to_owned(), verdict: Verdict::Warning, detail, advice }
    }

    fn bad(check: &str, detail: impl Into<String>, advice: impl Into<String>) -> Self {
        let (detail, advice) = (detail.into(), advice.into());
        Self { check: check.to_owned(), verdict: Verdict::Bad, detail, advice }
    }

    fn print(&self) {
        let mark = match self.verdict {
            Verdict::Good => "ok  ",
            Verdict::Warning => "warn",
            Verdict::Bad => "BAD ",
        };
        output::line(format!("{mark}  {}: {}", self.check, output::clean(&self.detail)));
        if !self.advice.is_empty() {
            output::line(format!("      -> {}", output::clean(&self.advice)));
        }
    }
}

impl Doctor {
    /// Runs all checks. The exit code is a failure when something is bad.
    pub(crate) async fn run(self, common: &Common) -> Result<ExitCode> {
        let config = common.target.configuration()?;
        let mut findings = Vec::new();
        let mut report = |finding: Finding| {
            if common.style() == Style::Human {
                finding.print();
            }
            findings.push(finding);
        };
        report(checks::clock());
        report(checks::data_directory(&config.data_dir));
        report(checks::disk(&config.data_dir));
        report(within("database", checks::database(&config)).await);
        for address in checks::addresses(&config) {
            report(within("address", checks::address(&config, address)).await);
        }
        report(within("names", checks::names(&config)).await);
        for (name, engine) in crate::serve::engines::open(&config, &config.realm())? {
            let check = format!("engine {name}");
            let finding = within(&check, checks::engine(&check, engine.as_ref())).await;
            report(finding);
        }
        if common.style() == Style::Json {
            output::json(&findings)?;
        }
        let bad = findings.iter().any(|finding| finding.verdict == Verdict::Bad);
        Ok(if bad { ExitCode::FAILURE } else { ExitCode::SUCCESS })
    }
}

async fn within(check: &str, work: impl Future<Output = Finding>) -> Finding {
    tokio::time::timeout(DEADLINE, work).await.unwrap_or_else(|_| {
        let detail = format!("did not answer within {} seconds", DEADLINE.as_secs());
        Finding::bad(check, detail, "See whether it hangs, and try again.")
    })
}
