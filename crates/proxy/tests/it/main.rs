//! The front door as browsers, programs and attackers meet it: real sockets, real workloads.

mod harness;

mod admission;
mod forwarding;
mod framing;
mod headers;
mod hosts;
mod life;
mod limits;
mod paths;
mod revocation;
mod streaming;
mod tickets;
mod tunnels;
