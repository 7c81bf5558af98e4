//! The audit trail as a file, read page by page so that no size of it needs more memory.

use bytes::Bytes;
use futures_util::{Stream, stream};
use portico_api::audit::{AuditEvent, Format};
use portico_core::{AuditId, access::Permit};
use portico_store::audit::Filter;

use super::audit;
use crate::{error::Error, state::Hub};

const PAGE: u32 = 500;
const HEADING: &str = "at,user,user_name,via,via_id,address,action,thing,outcome,detail\r\n";

/// Where the reading goes on.
enum Place {
    Begin,
    Before(AuditId),
    End,
}

/// All lines that match, newest first. Ends with an error in the middle when the store fails.
pub fn lines(
    hub: &Hub,
    permit: Permit,
    filter: Filter,
    format: Format,
) -> impl Stream<Item = Result<Bytes, Error>> + use<> {
    let hub = hub.clone();
    stream::try_unfold(Place::Begin, move |place| {
        let (hub, permit, filter) = (hub.clone(), permit.clone(), filter.clone());
        async move {
            let (before, heading) = match place {
                Place::End => return Ok(None),
                Place::Begin => (None, if format == Format::Csv { HEADING } else { "" }),
                Place::Before(id) => (Some(id), ""),
            };
            let page = audit::list(&hub, &permit, &filter, before.as_ref(), PAGE).await?;
            let last = page.items.last().map(|event| event.id.clone());
            let next = last.filter(|_| page.more).map_or(Place::End, Place::Before);
            let mut text = heading.to_owned();
            for event in page.items {
                write(&mut text, &event.into(), format)?;
            }
            Ok(Some((Bytes::from(text), next)))
        }
    })
}

fn write(text: &mut String, event: &AuditEvent, format: Format) -> Result<(), Error> {
    match format {
        Format::Jsonl => {
            text.push_str(&serde_json::to_string(event).map_err(Error::internal)?);
            text.push('\n');
        }
        Format::Csv => {
            let outcome = format!("{:?}", event.outcome).to_lowercase();
            let user = event.user.as_ref().map(ToString::to_string).unwrap_or_default();
            let at = event.at.to_string();
            let via_id = event.via_id.as_deref().unwrap_or_default();
            let cells = [
                &at,
                &user,
                &event.user_name,
                &event.via,
                via_id,
                &event.address,
                &event.action,
                &event.thing,
                &outcome,
                &event.detail,
            ];
            text.push_str(&cells.map(cell).join(","));
            text.push_str("\r\n");
        }
    }
    Ok(())
}

/// A quoted cell; what a spreadsheet would take for a formula begins with an apostrophe.
fn cell(text: &str) -> String {
    let guard = if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { "'" } else { "" };
    format!("\"{guard}{}\"", text.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_never_a_formula() {
        assert_eq!(cell("=1+1"), "\"'=1+1\"");
        assert_eq!(cell("@SUM(A1)"), "\"'@SUM(A1)\"");
        assert_eq!(cell("O\"Neill, José"), "\"O\"\"Neill, José\"");
    }
}
