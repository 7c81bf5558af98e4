//! The name by which engines tell this installation's work from another's.
//!
//! Two installations on one Docker engine must never take each other's containers for orphans of their
//! own. So each has a realm of its own, made at the first start and kept in the store, unless the
//! configuration names one.

use portico_core::{Secret, names::Realm};
use portico_store::Store;

use crate::{config::Config, entropy, error::Error};

/// The realm that the configuration names, else the installation's own.
///
/// # Errors
/// When the store fails.
pub async fn of(config: &Config, store: &Store) -> Result<Realm, Error> {
    if config.realm != Config::default().realm {
        return Ok(config.realm.clone());
    }
    let fresh = format!("p{}", data_encoding::HEXLOWER.encode(&entropy::bytes::<6>()));
    let mut tx = store.begin_write("realm.of").await?;
    let kept = portico_store::setting::get_or_insert(&mut tx, "realm", &Secret::new(fresh)).await?;
    tx.commit().await?;
    kept.expose().parse().map_err(Error::internal)
}
