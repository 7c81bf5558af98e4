//! Reconcilers: idempotent, without input; time and the event bus only wake them.
