//! The 2010-04-01 API: Calls and Messages.
//!
//! ```text
//! GET POST  /2010-04-01/Accounts/{AC}/Calls.json      GET POST  …/Calls/{CA}.json
//! GET POST  /2010-04-01/Accounts/{AC}/Messages.json   GET       …/Messages/{SM}.json
//! ```
//!
//! Bodies are forms, dates are RFC 2822, and lists name their next page by a relative `next_page_uri`. Calls and
//! Messages are recorded; a test sets a Call's status (`Calls::set_status`), or the behaviour of all Calls
//! (`Calls::behave`), and signed status callbacks are sent. An answered Call fetches its TwiML, and `<Enqueue>` with
//! a `<Task>` makes one in the centre.

mod call;
mod calls;
mod enqueue;
mod messages;
mod page;
mod twiml;

pub use call::{CallStatus, CallView};
pub use calls::{Answering, Calls};
pub use messages::{MessageView, Messages};

use crate::error::ApiError;
use crate::rest::reply::Reply;
use crate::rest::request::Request;
use crate::settings::Account;

/// Answers a request whose path starts with `/2010-04-01`.
pub(crate) fn route(
    account: &Account,
    calls: &Calls,
    messages: &Messages,
    request: &Request,
) -> Result<Reply, ApiError> {
    let route = request.route();
    let ["2010-04-01", "Accounts", sid, rest @ ..] = &route[..] else {
        return Err(ApiError::unknown_path(&request.path));
    };
    if *sid != account.account_sid {
        return Err(ApiError::not_found(&request.path));
    }
    match (request.method.as_str(), rest) {
        ("GET", ["Calls.json"]) => calls.list(request),
        ("POST", ["Calls.json"]) => calls.create(request),
        ("GET", ["Calls", call]) => calls.fetch(request, call),
        ("POST", ["Calls", call]) => calls.update(request, call),
        ("GET", ["Messages.json"]) => messages.list(request),
        ("POST", ["Messages.json"]) => messages.create(request),
        ("GET", ["Messages", message]) => messages.fetch(request, message),
        _ => Err(ApiError::unknown_path(&request.path)),
    }
}

/// The SID of `{sid}.json`.
fn sid_of(segment: &str) -> Option<&str> {
    segment.strip_suffix(".json")
}

/// `(415) 867-5309` for a North American number, others as they are.
fn formatted(number: &str) -> String {
    match number
        .strip_prefix("+1")
        .filter(|rest| rest.len() == 10 && rest.bytes().all(|b| b.is_ascii_digit()))
    {
        Some(rest) => format!("({}) {}-{}", &rest[..3], &rest[3..6], &rest[6..]),
        None => number.to_owned(),
    }
}
