//! Reservations over HTTP, of a Task or of a Worker.

use super::{MAX_PAGE, TaskRouterAnswer, TaskRouterCall};
use crate::error::ApiError;
use crate::rest::page::Page;
use crate::rest::reply::Reply;
use crate::sid::{Kind, Sid};
use crate::state::Reservation;
use crate::world::ReservationStatus;

pub(super) fn of_task(call: &TaskRouterCall<'_>, task: &str) -> TaskRouterAnswer {
    let task = call.sid(Kind::Task, task)?;
    if !call.world.read(|state| state.tasks.contains(task)) {
        return Err(call.missing());
    }
    let worker = call.request.query.sid("WorkerSid", Kind::Worker)?;
    list(call, &["ReservationStatus", "WorkerSid"], |reservation| {
        reservation.task == task && worker.is_none_or(|worker| reservation.worker == worker)
    })
}

pub(super) fn of_worker(call: &TaskRouterCall<'_>, worker: &str) -> TaskRouterAnswer {
    let worker = call.sid(Kind::Worker, worker)?;
    if !call.world.read(|state| state.workers.contains(worker)) {
        return Err(call.missing());
    }
    list(call, &["ReservationStatus"], |reservation| reservation.worker == worker)
}

fn list(
    call: &TaskRouterCall<'_>,
    filters: &[&str],
    wanted: impl Fn(&Reservation) -> bool,
) -> TaskRouterAnswer {
    let page = Page::read(call.request, filters, MAX_PAGE)?;
    let status = call.request.query.filled("ReservationStatus").map(|text| {
        ReservationStatus::parse(text)
            .ok_or_else(|| ApiError::invalid(format!("ReservationStatus {text} is not known")))
    });
    let (status, after) = (status.transpose()?, page.after()?);
    Ok(call.world.read(|state| {
        let passes = |r: &Reservation| wanted(r) && status.is_none_or(|status| r.status == status);
        let rows = state.reservations.after(after).filter(|(_, reservation)| passes(reservation));
        page.reply("reservations", rows, |reservation| call.place().reservation(state, reservation))
    }))
}

pub(super) fn fetch(call: &TaskRouterCall<'_>, task: &str, reservation: &str) -> TaskRouterAnswer {
    call.request.no_parameters()?;
    let sid = find(call, task, reservation)?;
    reply(call, sid)
}

/// Only the status can be set here; the instructions (dequeue, call, conference, redirect) are not emulated.
pub(super) fn update(call: &TaskRouterCall<'_>, task: &str, reservation: &str) -> TaskRouterAnswer {
    let form = call.request.form()?;
    form.only(&["ReservationStatus", "WorkerActivitySid"])?;
    let sid = find(call, task, reservation)?;
    let status = form.required("ReservationStatus")?.to_owned();
    let activity = form.sid("WorkerActivitySid", Kind::Activity)?;
    let done = call.world.act(|transaction| {
        match status.as_str() {
            "accepted" => transaction.accept(sid)?,
            "rejected" => transaction.reject(sid)?,
            "wrapping" => transaction.wrap(sid)?,
            "completed" => transaction.complete(sid, None)?,
            other => {
                return Err(crate::world::WorldError::Refused(format!(
                    "ReservationStatus {other} cannot be set"
                )));
            }
        }
        let worker = transaction.state.reservations.get(sid).map(|reservation| reservation.worker);
        let activity = activity.and_then(|activity| transaction.state.activity(&activity.to_string()));
        match (worker, activity) {
            (Some(worker), Some(activity)) => transaction.set_activity(worker, activity),
            _ => Ok(()),
        }
    });
    done.map_err(|error| call.refused(&error))?;
    reply(call, sid)
}

fn find(call: &TaskRouterCall<'_>, task: &str, reservation: &str) -> Result<Sid, ApiError> {
    let (task, sid) = (call.sid(Kind::Task, task)?, call.sid(Kind::Reservation, reservation)?);
    let there = call.world.read(|state| state.reservations.get(sid).is_some_and(|r| r.task == task));
    if there { Ok(sid) } else { Err(call.missing()) }
}

fn reply(call: &TaskRouterCall<'_>, sid: Sid) -> TaskRouterAnswer {
    call.world.read(|state| {
        let reservation = state.reservations.get(sid).ok_or_else(|| call.missing())?;
        Ok(Reply::json(200, &call.place().reservation(state, reservation)).with_etag(reservation.version))
    })
}
