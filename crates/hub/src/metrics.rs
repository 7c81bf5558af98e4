//! What is measured, for `/metrics` on its own address.

mod work;

use std::fmt;

use prometheus_client::{encoding::text::encode, registry::Registry};

pub use work::WorkMetrics;

/// Every metric of the hub. No label holds a name from outside.
pub struct Metrics {
    registry: Registry,
    pub work: WorkMetrics,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("portico");
        let work = WorkMetrics::register(&mut registry);
        Self { registry, work }
    }
}

impl Metrics {
    /// The text that Prometheus reads (OpenMetrics).
    ///
    /// # Errors
    /// Never in practice: the text grows in memory.
    pub fn text(&self) -> Result<String, fmt::Error> {
        let mut text = String::new();
        encode(&mut text, &self.registry)?;
        Ok(text)
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Metrics")
    }
}
