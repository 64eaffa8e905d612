//! Workflows over HTTP, to read.

use super::{MAX_PAGE, TaskRouterAnswer, TaskRouterCall};
use crate::rest::page::Page;
use crate::rest::reply::Reply;
use crate::sid::Kind;

pub(super) fn list(call: &TaskRouterCall<'_>) -> TaskRouterAnswer {
    let page = Page::read(call.request, &["FriendlyName"], MAX_PAGE)?;
    let name = call.request.query.filled("FriendlyName");
    call.world.read(|state| {
        let rows: Vec<_> =
            state.workflows.iter().filter(|workflow| name.is_none_or(|name| workflow.name == name)).collect();
        page.reply_by_position("workflows", &rows, |workflow| call.place().workflow(state, workflow))
    })
}

pub(super) fn fetch(call: &TaskRouterCall<'_>, sid: &str) -> TaskRouterAnswer {
    call.request.no_parameters()?;
    let sid = call.sid(Kind::Workflow, sid)?;
    call.world.read(|state| {
        let found = state.workflows.iter().find(|workflow| workflow.sid == sid);
        let found = found.ok_or_else(|| call.missing())?;
        Ok(Reply::json(200, &call.place().workflow(state, found)))
    })
}
