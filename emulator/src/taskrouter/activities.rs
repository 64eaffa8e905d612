//! Activities and TaskChannels over HTTP.

use super::{MAX_PAGE, TaskRouterAnswer, TaskRouterCall};
use crate::rest::page::Page;
use crate::rest::reply::Reply;
use crate::sid::Kind;

pub(super) fn list(call: &TaskRouterCall<'_>) -> TaskRouterAnswer {
    let page = Page::read(call.request, &["FriendlyName", "Available"], MAX_PAGE)?;
    let query = &call.request.query;
    let (name, available) = (query.filled("FriendlyName"), query.filled("Available").map(is_true));
    call.world.read(|state| {
        let rows: Vec<_> = state
            .activities
            .iter()
            .filter(|activity| name.is_none_or(|name| activity.name == name))
            .filter(|activity| available.is_none_or(|available| activity.available == available))
            .collect();
        page.reply_by_position("activities", &rows, |activity| call.place().activity(state, activity))
    })
}

pub(super) fn fetch(call: &TaskRouterCall<'_>, sid: &str) -> TaskRouterAnswer {
    call.request.no_parameters()?;
    call.sid(Kind::Activity, sid)?;
    reply(call, sid, 200)
}

pub(super) fn create(call: &TaskRouterCall<'_>) -> TaskRouterAnswer {
    let form = call.request.form()?;
    form.only(&["FriendlyName", "Available"])?;
    let name = form.required("FriendlyName")?;
    let available = form.boolean("Available")?.unwrap_or(false);
    let made = call.world.act(|transaction| transaction.add_activity(name, available));
    reply(call, &made.map_err(|error| call.refused(&error))?.to_string(), 201)
}

/// Whether Workers are available in an Activity is fixed at its creation: trying to change it answers 200 and changes
/// nothing (seen live).
pub(super) fn update(call: &TaskRouterCall<'_>, sid: &str) -> TaskRouterAnswer {
    call.sid(Kind::Activity, sid)?;
    let form = call.request.form()?;
    form.only(&["FriendlyName", "Available"])?;
    let done = call.world.act(|transaction| transaction.rename_activity(sid, form.filled("FriendlyName")));
    done.map_err(|error| call.refused(&error))?;
    reply(call, sid, 200)
}

fn reply(call: &TaskRouterCall<'_>, sid: &str, status: u16) -> TaskRouterAnswer {
    call.world.read(|state| {
        let found =
            state.activity(sid).and_then(|n| state.activities.get(n)).ok_or_else(|| call.missing())?;
        Ok(Reply::json(status, &call.place().activity(state, found)))
    })
}

/// The list's key is `channels`.
pub(super) fn channels(call: &TaskRouterCall<'_>) -> TaskRouterAnswer {
    let page = Page::read(call.request, &[], MAX_PAGE)?;
    call.world.read(|state| {
        let rows: Vec<_> = state.channels.iter().collect();
        page.reply_by_position("channels", &rows, |channel| call.place().task_channel(state, channel))
    })
}

/// Finds a TaskChannel by SID or unique name.
pub(super) fn channel(call: &TaskRouterCall<'_>, name: &str) -> TaskRouterAnswer {
    call.request.no_parameters()?;
    call.world.read(|state| {
        let found = state.channel(name).and_then(|n| state.channels.get(n)).ok_or_else(|| call.missing())?;
        Ok(Reply::json(200, &call.place().task_channel(state, found)))
    })
}

/// `true`, `1` and `yes` are true, anything else is false (Worker resource reference).
pub(super) fn is_true(text: &str) -> bool {
    ["true", "1", "yes"].iter().any(|word| text.eq_ignore_ascii_case(word))
}
