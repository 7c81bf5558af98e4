//! Where workloads would be reached; nobody goes there in these tests.

use portico_core::{
    names::{EntryPointName, Label},
    ports::Origins,
};

pub(crate) struct Labels;

impl Origins for Labels {
    fn origin(&self, label: &Label, _: &EntryPointName) -> String {
        format!("http://{label}.localhost:8080")
    }

    fn base_path(&self, _: &Label, _: &EntryPointName) -> String {
        "/".to_owned()
    }

    fn ticket_url(&self, label: &Label, entry: &EntryPointName, ticket: &str, next: &str) -> String {
        format!("{}/.portico/enter?ticket={ticket}&next={next}", self.origin(label, entry))
    }
}
