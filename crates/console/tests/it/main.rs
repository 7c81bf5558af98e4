//! The terminal server as a process of its own, and pages as real WebSocket clients.

mod page;
mod terminal;
