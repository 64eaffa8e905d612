//! Everything adjustable over the control pages: limits, answers, latency, lag, clock, drive, callbacks; and the
//! journal's summary.

use std::time::Duration;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{ControlAnswer, done, nothing};
use crate::callbacks::Format;
use crate::journal::{APIS, Api, Filter};
use crate::parts::Core;
use crate::rest::request::Request;
use crate::settings::{Answers, Limits};

/// Records shown unless `limit` says otherwise.
const ENTRIES_SHOWN: usize = 100;

/// What `PATCH /emulator/settings` may change; what is absent stays.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct TuningChange {
    /// Replaces all limits; absent ones get their default, `null` switches one off.
    limits: Option<Limits>,
    answers: Option<Answers>,
    latency_ms: Vec<Latency>,
    statistics_lag_ms: Option<u64>,
    advance_clock_ms: Option<u64>,
    /// Steps a second; 0 stops.
    drive: Option<f64>,
}

#[derive(Debug, Deserialize)]
struct Latency {
    api: Api,
    ms: u64,
}

/// What `PATCH /emulator/callbacks` may change; what is absent stays.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct ChangeCallbacks {
    url: Option<String>,
    events_filter: Option<String>,
    auth_token: Option<String>,
    drop_all: Option<bool>,
    duplicate: Option<f64>,
    shuffle: Option<usize>,
    delay_ms: Option<u64>,
    format: Option<Format>,
}

pub(super) fn show(core: &Core) -> ControlAnswer {
    let driven = core.drive.lock().as_ref().map(|(rate, _)| *rate);
    let tuning = core.tuning();
    let latency = APIS.iter().map(|api| json!({ "api": api, "ms": millis(tuning.latency[*api as usize]) }));
    done(&json!({
        "limits": tuning.limits,
        "answers": tuning.answers,
        "latency_ms": latency.collect::<Vec<_>>(),
        "statistics_lag_ms": millis(core.world.statistics_lag()),
        "now": core.clock.now().to_string(),
        "drive": driven.unwrap_or(0.0),
    }))
}

pub(super) fn change(core: &Core, change: TuningChange) -> ControlAnswer {
    {
        let mut tuning = core.tuning();
        tuning.limits = change.limits.unwrap_or(tuning.limits);
        tuning.answers = change.answers.unwrap_or(tuning.answers);
        for Latency { api, ms } in change.latency_ms {
            tuning.latency[api as usize] = Duration::from_millis(ms);
        }
    }
    if let Some(ms) = change.statistics_lag_ms {
        core.world.set_statistics_lag(Duration::from_millis(ms));
    }
    if let Some(ms) = change.advance_clock_ms {
        core.clock.advance(Duration::from_millis(ms));
    }
    if let Some(rate) = change.drive {
        core.drive_at(rate);
    }
    show(core)
}

pub(super) fn callbacks(core: &Core) -> ControlAnswer {
    let callbacks = &core.callbacks;
    let options = callbacks.options();
    done(&json!({
        "url": callbacks.url(),
        "events_filter": callbacks.events_filter(),
        "drop_all": options.drop_all,
        "duplicate": options.duplicate,
        "shuffle": options.shuffle,
        "delay_ms": millis(options.delay),
        "format": options.format,
        "outstanding": callbacks.outstanding(),
        "lost": callbacks.lost(),
    }))
}

pub(super) fn change_callbacks(core: &Core, change: ChangeCallbacks) -> ControlAnswer {
    let callbacks = &core.callbacks;
    let mut options = callbacks.options();
    options.drop_all = change.drop_all.unwrap_or(options.drop_all);
    options.duplicate = change.duplicate.unwrap_or(options.duplicate);
    options.shuffle = change.shuffle.unwrap_or(options.shuffle);
    options.delay = change.delay_ms.map_or(options.delay, Duration::from_millis);
    options.format = change.format.unwrap_or(options.format);
    callbacks.set_options(options);
    if let Some(url) = change.url {
        callbacks.set_url(&url);
    }
    if let Some(filter) = change.events_filter {
        callbacks.set_events_filter(Some(&filter));
    }
    if let Some(token) = change.auth_token {
        callbacks.set_auth_token(&token);
    }
    nothing()
}

pub(super) fn journal(core: &Core) -> ControlAnswer {
    let journal = &core.journal;
    let name = |api: Api| serde_json::to_value(api).ok().and_then(|name| name.as_str().map(str::to_owned));
    let peaks: Map<String, Value> =
        APIS.iter().filter_map(|api| Some((name(*api)?, journal.peak_in_flight(*api).into()))).collect();
    done(&json!({
        "totals": journal.totals(),
        "in_flight": journal.in_flight(),
        "peak_in_flight": peaks,
        "peak_in_flight_overall": journal.peak_in_flight_overall(),
        "peak_sync_writes": journal.peak_sync_writes(),
    }))
}

/// The newest records that pass the query's filter, oldest of them first.
pub(super) fn entries(core: &Core, request: &Request) -> ControlAnswer {
    let query = &request.query;
    let text = |name: &str| query.filled(name).map(str::to_owned);
    let filter = Filter {
        api: query.filled("api").and_then(|name| serde_json::from_value(name.into()).ok()),
        method: text("method"),
        path: text("path"),
        status: query.filled("status").and_then(|status| status.parse().ok()),
        sync_object: text("object"),
        key: text("key"),
    };
    let limit = query.filled("limit").and_then(|limit| limit.parse().ok()).unwrap_or(ENTRIES_SHOWN);
    let found = core.journal.matching(&filter);
    done(&found[found.len().saturating_sub(limit)..].to_vec())
}

fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}
