//! Talking to services over HTTP: the one client there is. It knows hosts, paces, failures and
//! bounds, and nothing of what a service means by its answers.
//!
//! A request goes through a [`Gate`], one for each connection: it is sent to hosts that are allowed
//! and nowhere else, within the limits of the service, which are remembered before it is sent, and
//! not while the service is left to rest. It is tried again only where that cannot do anything
//! twice. What comes back is bounded in time and in bytes, and what is told of a failure names the
//! host and the reason: an address, a header or a body may hold a secret.

mod breaker;
mod client;
mod error;
mod gate;
mod pace;
mod request;
mod retry;
mod unpack;
mod wire;

pub use client::{Answer, Bounds, Client, Surroundings, Unsent};
pub use error::{Error, Why};
pub use gate::{Gate, Hosts};
pub use pace::{Limit, Used};
pub use request::Request;
pub(crate) use request::base64;

/// The result of everything in this room.
pub type Result<T> = std::result::Result<T, Error>;
