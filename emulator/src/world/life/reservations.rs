//! A Reservation: one Worker is offered one Task.
//!
//! The emulator lets a test reserve any Task for any Worker, eligible or not: what the routing of TaskRouter would
//! allow is the business of `step`, which only makes plausible offers.

use crate::sid::{Kind, Sid};
use crate::state::change::{Change, End, Step};
use crate::state::{Reservation, ReservationStatus, TaskStatus};
use crate::world::life::{Outcome, Transaction, WorldError};

impl Transaction<'_> {
    /// Offers a waiting Task to a Worker. A second offer while the first is open is a multi-reservation.
    pub(crate) fn reserve(&mut self, task: Sid, worker: Sid) -> Outcome<Sid> {
        let name = self.worker_name(worker)?;
        let status = self.task(task)?.status;
        if !matches!(status, TaskStatus::Pending | TaskStatus::Reserved) {
            return Err(WorldError::Refused(format!("Task {task} is {}", status.as_str())));
        }
        let sid = self.draw(Kind::Reservation);
        let reservation = Reservation {
            sid,
            task,
            worker,
            status: ReservationStatus::Pending,
            version: 0,
            created: self.at,
            updated: self.at,
        };
        self.state.reservations.insert(sid, reservation);
        self.task(task)?.reservations.push(sid);
        self.occupy(worker, task, 1);
        self.move_task(task, TaskStatus::Reserved)?;
        self.changes.push(Change::Reservation { task, worker, step: Step::Created });
        self.reservation_event(
            "reservation.created",
            sid,
            format!("Reservation {sid} created for Worker {name}"),
        );
        Ok(sid)
    }

    /// The Worker takes it; other open offers of the same Task are rescinded.
    pub(crate) fn accept(&mut self, reservation: Sid) -> Outcome {
        let (task, worker) = self.open(reservation, &[ReservationStatus::Pending])?;
        for other in self.task(task)?.reservations.clone() {
            if other != reservation {
                self.withdraw(other, ReservationStatus::Rescinded);
            }
        }
        self.set_reservation(reservation, ReservationStatus::Accepted);
        self.changes.push(Change::Reservation { task, worker, step: Step::Accepted });
        self.move_task(task, TaskStatus::Assigned)?;
        let name = self.worker_name(worker)?;
        self.reservation_event(
            "reservation.accepted",
            reservation,
            format!("Worker {name} accepted reservation {reservation}"),
        );
        if let Some((transfer, by)) = self.task(task)?.transfer.take() {
            let more = vec![
                ("TaskTransferSid", transfer.to_string()),
                ("TransferStatus", "COMPLETE".to_owned()),
                ("TransferInitiatingWorkerSid", by.to_string()),
            ];
            self.task_event(
                "task.transfer-completed",
                task,
                format!("Transfer of Task {task} completed"),
                more,
            );
        }
        Ok(())
    }

    /// The Worker declines; the Task waits again.
    pub(crate) fn reject(&mut self, reservation: Sid) -> Outcome {
        let (task, _) = self.open(reservation, &[ReservationStatus::Pending])?;
        self.withdraw(reservation, ReservationStatus::Rejected);
        self.back_to_waiting(task)
    }

    /// The Worker does not answer: the Task waits again, and the Worker goes to the Workspace's timeout Activity.
    pub(crate) fn time_out(&mut self, reservation: Sid) -> Outcome {
        let (task, worker) = self.open(reservation, &[ReservationStatus::Pending])?;
        self.withdraw(reservation, ReservationStatus::Timeout);
        self.back_to_waiting(task)?;
        self.set_activity(worker, self.state.timeout_activity)
    }

    /// The conversation is over, the Worker is finishing up.
    pub(crate) fn wrap(&mut self, reservation: Sid) -> Outcome {
        let (task, worker) = self.open(reservation, &[ReservationStatus::Accepted])?;
        self.set_reservation(reservation, ReservationStatus::Wrapping);
        self.changes.push(Change::Reservation { task, worker, step: Step::WrappingUp });
        self.move_task(task, TaskStatus::Wrapping)?;
        self.task_event("task.wrapup", task, format!("Task {task} is wrapping up"), Vec::new());
        self.reservation_event(
            "reservation.wrapup",
            reservation,
            format!("Reservation {reservation} is wrapping up"),
        );
        Ok(())
    }

    pub(crate) fn complete(&mut self, reservation: Sid, reason: Option<&str>) -> Outcome {
        let (task, worker) =
            self.open(reservation, &[ReservationStatus::Accepted, ReservationStatus::Wrapping])?;
        // Before the Task ends, while the figures still know its queue.
        self.changes.push(Change::Reservation { task, worker, step: Step::Completed });
        self.finish(task, TaskStatus::Completed, reason, End::Completed)?;
        self.set_reservation(reservation, ReservationStatus::Completed);
        self.occupy(worker, task, -1);
        let more = reason.map(|reason| ("TaskCompletedReason", reason.to_owned()));
        self.task_event("task.completed", task, format!("Task {task} completed"), more.into_iter().collect());
        self.reservation_event(
            "reservation.completed",
            reservation,
            format!("Reservation {reservation} completed"),
        );
        Ok(())
    }

    /// Ends an open Reservation without success, in state, figures and events. A closed one is left alone.
    pub(crate) fn withdraw(&mut self, reservation: Sid, to: ReservationStatus) {
        let Some(r) = self.state.reservations.get(reservation) else { return };
        let (task, worker, was) = (r.task, r.worker, r.status);
        if !was.is_open() {
            return;
        }
        self.set_reservation(reservation, to);
        self.occupy(worker, task, -1);
        let (step, event) = match to {
            ReservationStatus::Rejected => (Step::Rejected, "reservation.rejected"),
            ReservationStatus::Timeout => (Step::TimedOut, "reservation.timeout"),
            ReservationStatus::Rescinded => (Step::Rescinded, "reservation.rescinded"),
            ReservationStatus::Completed => (Step::Completed, "reservation.completed"),
            _ => (Step::Canceled, "reservation.canceled"),
        };
        self.changes.push(Change::Reservation { task, worker, step });
        self.reservation_event(event, reservation, format!("Reservation {reservation}: {}", to.as_str()));
    }

    pub(crate) fn is_open(&self, reservation: Sid) -> bool {
        self.state.reservations.get(reservation).is_some_and(|r| r.status.is_open())
    }

    fn open(&self, reservation: Sid, wanted: &[ReservationStatus]) -> Outcome<(Sid, Sid)> {
        let found = self.state.reservations.get(reservation);
        let r = found.ok_or_else(|| WorldError::missing("Reservation", &reservation))?;
        if wanted.contains(&r.status) {
            return Ok((r.task, r.worker));
        }
        Err(WorldError::Refused(format!("Reservation {reservation} is {}", r.status.as_str())))
    }

    fn set_reservation(&mut self, reservation: Sid, status: ReservationStatus) {
        let at = self.at;
        if let Some(r) = self.state.reservations.get_mut(reservation) {
            r.status = status;
            r.version += 1;
            r.updated = at;
        }
    }

    fn move_task(&mut self, task: Sid, status: TaskStatus) -> Outcome {
        let at = self.at;
        let t = self.task(task)?;
        if t.status != status {
            t.status = status;
            t.version += 1;
            t.updated = at;
            self.changes.push(Change::TaskStatus { task, status });
        }
        Ok(())
    }

    /// After an offer came to nothing: pending, unless another offer is still open.
    fn back_to_waiting(&mut self, task: Sid) -> Outcome {
        let reservations = self.task(task)?.reservations.clone();
        if reservations.iter().any(|r| self.is_open(*r)) {
            return Ok(());
        }
        self.move_task(task, TaskStatus::Pending)
    }

    fn occupy(&mut self, worker: Sid, task: Sid, by: i32) {
        let Some(channel) = self.state.tasks.get(task).map(|t| t.channel) else { return };
        if let Some(channel) = self.state.workers.get_mut(worker).and_then(|w| w.channels.get_mut(channel)) {
            channel.assigned = channel.assigned.saturating_add_signed(by);
        }
    }

    pub(crate) fn worker_name(&self, worker: Sid) -> Outcome<String> {
        self.state
            .workers
            .get(worker)
            .map(|w| w.name.clone())
            .ok_or_else(|| WorldError::missing("Worker", &worker))
    }
}
