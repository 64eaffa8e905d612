//! What Twilio's Sync SDK needs: its socket, and the requests it makes through it.
//!
//! The package `twilio-sync` (versions 0.10 to 4) for browsers and Node.js keeps Documents and Maps fresh over one
//! websocket. This module speaks as much of that protocol as the SDK uses to watch and write Documents and Maps, learnt
//! from the published package; it claims nothing beyond that about Twilio's own servers. Point the SDK here with its
//! options `cdsUri` (this emulator's URL) and `Twilsock.uri` (the same with `ws:` and the path `/v3/wsconnect`).
//!
//! ```text
//! frame      bytes ⇄ header and payload       token           identity and expiry
//! message    headers, read and made           session         one socket from init to its end
//! objects    Documents and Maps, items        subscriptions   what a socket watches, and the notifications
//! contexts   the types of notifications that a socket of an older SDK wants
//! ```
//!
//! **Nothing is lost, nothing comes twice.** Every change of the service has a number. A session remembers how far it
//! has looked, and is woken when there is more; it reads what is new from the ring of recent changes, at the pace at
//! which its socket takes it. An SDK that comes back names the last number it saw of each object and gets the rest.
//! When that is forgotten, the subscription is refused and the SDK tells its user, instead of going on with a gap.
//!
//! **Bounds**: frames, headers, tokens, sockets, subscriptions and batches have largest sizes; a socket that takes
//! nothing for a while is dropped; each ends with its token at the latest.
//!
//! **Not here**: Lists, Streams, live queries, telemetry, compression, restoring a connection by
//! its continuation token (the SDK resubscribes in any case), and rights that change while a subscription lasts.

mod contexts;
mod frame;
mod items;
mod message;
mod objects;
mod session;
mod subscriptions;
mod token;

pub(crate) use session::upgrade;
