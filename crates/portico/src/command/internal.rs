//! Parts that Portico starts by itself, inside or beside a workload. Not for people.

use std::{ffi::OsString, process::ExitCode};

use anyhow::{Result, bail};
use clap::Args;

#[derive(Debug, Args)]
pub(crate) struct Internal {
    verb: String,
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<OsString>,
}

impl Internal {
    pub(crate) fn run(self) -> Result<ExitCode> {
        let ran = portico_spawn::local::internal(&self.verb, &self.arguments)
            .or_else(|| portico_console::internal(&self.verb, &self.arguments));
        match ran {
            Some(code) => Ok(code),
            None => bail!("there is no part named {:?}", self.verb),
        }
    }
}
