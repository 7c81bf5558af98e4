//! What can be configured of the hub; the binary composes it into its one file.

use portico_core::{login::LoginLifetime, names::Realm};
use serde::{Deserialize, Serialize};

mod public_url;
mod work;

pub use public_url::{InvalidUrl, PublicUrl};
pub use work::{CatalogueConfig, WorkloadConfig};

/// Settings of the hub.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Address under which people reach Portico. Not read from this section: the front door has it.
    #[serde(skip)]
    pub public_url: PublicUrl,
    /// Tells apart several Porticos that share one engine; left at `portico`, each makes one of its own at its
    /// first start (see [`crate::realm`]).
    pub realm: Realm,
    /// What the pages call this installation.
    pub title: String,
    pub login: LoginConfig,
    pub token: TokenConfig,
    pub password: PasswordConfig,
    pub catalogue: CatalogueConfig,
    pub workload: WorkloadConfig,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            public_url: PublicUrl::default(),
            realm: "portico".parse().expect("a safe name"),
            title: "Portico".to_owned(),
            login: LoginConfig::default(),
            token: TokenConfig::default(),
            password: PasswordConfig::default(),
            catalogue: CatalogueConfig::default(),
            workload: WorkloadConfig::default(),
        }
    }
}

/// How long a signed-in browser stays so.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LoginConfig {
    /// Minutes without a request after which it ends.
    pub idle_minutes: u32,
    /// Hours after which it ends whatever happens.
    pub absolute_hours: u32,
}

impl Default for LoginConfig {
    fn default() -> Self {
        Self { idle_minutes: 12 * 60, absolute_hours: 7 * 24 }
    }
}

impl LoginConfig {
    #[must_use]
    pub fn lifetime(&self) -> LoginLifetime {
        LoginLifetime {
            idle_seconds: i64::from(self.idle_minutes) * 60,
            absolute_seconds: i64::from(self.absolute_hours) * 3600,
        }
    }
}

/// Rules for API tokens.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TokenConfig {
    /// Longest life of a token, in days.
    pub max_days: u32,
}

impl Default for TokenConfig {
    fn default() -> Self {
        Self { max_days: 366 }
    }
}

/// Cost of one password check.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PasswordConfig {
    /// Memory in MiB, 19 to 256; several checks at once use a multiple of it.
    pub memory_mib: u32,
    /// Aimed duration in milliseconds; the number of passes is calibrated to it at the first start.
    pub milliseconds: u32,
    /// Checks that may run at once.
    pub parallel: u32,
}

impl Default for PasswordConfig {
    fn default() -> Self {
        Self { memory_mib: 32, milliseconds: 250, parallel: 2 }
    }
}
