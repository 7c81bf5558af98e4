//! Pages of lists: from the query to the store, and back.

use std::str::FromStr;

use portico_api::page::{Page, PageQuery};

use crate::error::Error;

const USUAL: u16 = 50;
const MOST: u16 = 200;

/// Reads where to go on and how far.
///
/// # Errors
/// [`Error::BadRequest`] for what is no cursor of this list, or a limit out of bounds.
pub(crate) fn read<Id: FromStr>(query: &PageQuery) -> Result<(Option<Id>, u32), Error> {
    let cursor = query.cursor.as_deref().map(str::parse).transpose();
    let cursor = cursor.map_err(|_| Error::BadRequest("cursor: not one of this list".to_owned()))?;
    let limit = query.limit.unwrap_or(USUAL);
    if !(1..=MOST).contains(&limit) {
        return Err(Error::BadRequest(format!("limit: expected 1 to {MOST}")));
    }
    Ok((cursor, u32::from(limit)))
}

/// Writes a page; the cursor is the id of its last item.
pub(crate) fn write<T, W: From<T>>(page: portico_store::Page<T>, id: impl Fn(&T) -> String) -> Page<W> {
    let next_cursor = if page.more { page.items.last().map(id) } else { None };
    Page { items: page.items.into_iter().map(W::from).collect(), next_cursor }
}
