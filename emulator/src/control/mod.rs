//! The emulator's own pages under `/emulator`. **This is not Twilio**: no credentials, JSON in and out, not in the
//! journal. They show scripts, other languages and the stand-alone binary what the library shows a Rust test.
//!
//! ```text
//! GET              /emulator                        this index, with account and credentials
//! GET POST         /emulator/world                  everything in the centre; one command
//! GET              /emulator/table                  TaskQueues in plain text, truth beside Sync: ?map=queueStats
//! GET              /emulator/truth[/{queue sid}]    true statistics: ?since=ISO&channel=voice&split=5,30
//! GET              /emulator/sync                   all Documents and Maps
//! GET PUT DELETE   /emulator/sync/documents/{name}
//! GET DELETE       /emulator/sync/maps/{name}       GET PUT DELETE  …/items/{key}
//! PUT              /emulator/sync/acl               {"enabled": true}
//! GET DELETE       /emulator/journal                totals and peaks; forget everything
//! GET              /emulator/journal/entries        ?api=sync&method=POST&path=…&status=429&limit=100
//! GET POST DELETE  /emulator/faults                 DELETE …/faults/{id}
//! GET PATCH        /emulator/settings               limits, answers, latency, lag, clock, drive
//! GET PATCH        /emulator/callbacks              URL, filter, loss, duplicates, shuffling, delay, format
//! GET              /emulator/callbacks/deliveries   POST …/callbacks/wait_idle
//! PUT DELETE       /emulator/tokens/{token}         a valid Flex token
//! GET PATCH        /emulator/sockets                websockets of the Sync SDK; {"open": false}   POST …/cut
//! GET              /emulator/calls                  PUT …/calls/{sid}  {"status": "ringing"}
//! GET              /emulator/messages
//! ```

mod store;
mod table;
mod tuning;
mod world;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::api::CallStatus;
use crate::faults::Fault;
use crate::parts::Core;
use crate::rest::reply::Reply;
use crate::rest::request::Request;
use crate::tokens::FlexToken;

type Refused = (u16, String);
type ControlAnswer = Result<Reply, Refused>;

/// Answers a request whose path starts with `/emulator`.
pub(crate) async fn answer(core: &Core, request: &Request) -> Reply {
    let route = request.route();
    let path: Vec<&str> = route.iter().skip(1).copied().filter(|segment| !segment.is_empty()).collect();
    let answer = match (request.method.as_str(), &path[..]) {
        ("POST", ["callbacks", "wait_idle"]) => {
            core.callbacks.wait_idle().await;
            done(&json!({ "idle": true }))
        }
        (method, path) => at_once(core, request, method, path),
    };
    answer.unwrap_or_else(|(status, reason)| Reply::json(status, &json!({ "error": reason })))
}

fn at_once(core: &Core, request: &Request, method: &str, path: &[&str]) -> ControlAnswer {
    match (method, path) {
        ("GET", []) => index(core, request),
        ("GET", ["world"]) => world::show(core),
        ("POST", ["world"]) => world::command(core, read(request)?),
        ("GET", ["table"]) => table::show(core, request),
        ("GET", ["truth"]) => world::truth(core, request, None),
        ("GET", ["truth", queue]) => world::truth(core, request, Some(queue)),
        (_, ["sync", rest @ ..]) => store::route(core, request, method, rest),
        ("GET", ["journal"]) => tuning::journal(core),
        ("DELETE", ["journal"]) => {
            core.journal.clear();
            core.journal.reset_peaks();
            nothing()
        }
        ("GET", ["journal", "entries"]) => tuning::entries(core, request),
        ("GET", ["faults"]) => {
            let fault = |(id, fault): (u64, Fault)| json!({ "id": id, "fault": fault });
            done(&json!({
                "struck": core.faults.struck(),
                "faults": core.faults.list().into_iter().map(fault).collect::<Vec<_>>(),
            }))
        }
        ("POST", ["faults"]) => done(&json!({ "id": core.faults.add(read(request)?) })),
        ("DELETE", ["faults"]) => {
            core.faults.clear();
            nothing()
        }
        ("DELETE", ["faults", id]) => {
            let removed = id.parse().is_ok_and(|id| core.faults.remove(id));
            if removed { nothing() } else { Err(missing("fault", id)) }
        }
        ("GET", ["settings"]) => tuning::show(core),
        ("PATCH", ["settings"]) => tuning::change(core, read(request)?),
        ("GET", ["callbacks"]) => tuning::callbacks(core),
        ("PATCH", ["callbacks"]) => tuning::change_callbacks(core, read(request)?),
        ("GET", ["callbacks", "deliveries"]) => done(&core.callbacks.deliveries()),
        ("PUT", ["tokens", token]) => {
            let of: FlexToken = read(request)?;
            core.tokens.register(token, of);
            nothing()
        }
        ("DELETE", ["tokens", token]) => {
            if core.tokens.revoke(token) {
                nothing()
            } else {
                Err(missing("token", token))
            }
        }
        ("GET", ["sockets"]) => {
            done(&json!({ "open": core.sockets.is_open(), "sockets": core.sockets.all() }))
        }
        ("PATCH", ["sockets"]) => {
            #[derive(serde::Deserialize)]
            struct SocketsTo {
                open: bool,
            }
            let SocketsTo { open } = read(request)?;
            core.sockets.set_open(open);
            nothing()
        }
        ("POST", ["sockets", "cut"]) => {
            core.sockets.cut();
            nothing()
        }
        ("GET", ["calls"]) => done(&core.calls.all()),
        ("PUT", ["calls", sid]) => {
            #[derive(serde::Deserialize)]
            struct CallTo {
                status: CallStatus,
            }
            let CallTo { status } = read(request)?;
            if core.calls.set_status(sid, status) { nothing() } else { Err(missing("Call in progress", sid)) }
        }
        ("GET", ["messages"]) => done(&core.messages.all()),
        _ => Err((404, format!("no such page; see GET {}/emulator", request.base))),
    }
}

fn index(core: &Core, request: &Request) -> ControlAnswer {
    let page = |path: &str| format!("{}/emulator{path}", request.base);
    done(&json!({
        "note": "Control pages of the Twilio emulator. These are not part of Twilio's API.",
        "url": request.base,
        "account": core.account,
        "pages": {
            "world": page("/world"),
            "truth": page("/truth"),
            "sync": page("/sync"),
            "journal": page("/journal"),
            "faults": page("/faults"),
            "settings": page("/settings"),
            "callbacks": page("/callbacks"),
            "deliveries": page("/callbacks/deliveries"),
            "sockets": page("/sockets"),
            "calls": page("/calls"),
            "messages": page("/messages"),
        },
        "commands": world::COMMANDS,
    }))
}

fn done(body: &impl Serialize) -> ControlAnswer {
    Ok(Reply::json(200, body))
}

fn nothing() -> ControlAnswer {
    Ok(Reply::no_content())
}

fn missing(what: &str, name: &str) -> Refused {
    (404, format!("no {what} {name}"))
}

/// The JSON body; an empty one is an empty object.
fn read<T: DeserializeOwned>(request: &Request) -> Result<T, Refused> {
    let body: &[u8] = if request.body.is_empty() { b"{}" } else { &request.body };
    serde_json::from_slice(body).map_err(|error| (400, format!("the body is not understood: {error}")))
}

/// The whole body as a value.
fn value(request: &Request) -> Result<Value, Refused> {
    read(request)
}
