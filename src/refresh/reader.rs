//! Carries out one planned read: the call, and its answer in the board's form.

use std::sync::Arc;
use std::time::Duration;

use super::channels::Channels;
use super::key::{Key, Part, Parts, Read, What};
use super::marks::Marks;
use super::roster::Roster;
use super::tasks::TaskReader;
use crate::sid::TaskQueueSid;
use crate::stats::{FailedRead, ReadAnswer, Scope};
use crate::twilio::TwilioError;
use crate::twilio::taskrouter::{
    Cumulative, Entries, OddEntry, Statistics, TaskQueueStatistics, TaskRouter, Window,
};

#[derive(Debug, Default)]
pub(super) struct Brought {
    pub(super) answers: Vec<ReadAnswer>,
    /// Whether a combined answer lacked fields of the cumulative resource; `None` when there was none to tell by.
    pub(super) combined_is_complete: Option<bool>,
    /// TaskChannels whose statistics are to be read as well from now on.
    pub(super) new_channels: Vec<Box<str>>,
    /// TaskQueues whose statistics were there and could not be read, and why.
    pub(super) unreadable: Vec<(TaskQueueSid, Arc<str>)>,
}

impl Brought {
    fn combined(&mut self, cumulative: &Cumulative) {
        let complete = self.combined_is_complete.unwrap_or(true) && cumulative.is_complete();
        self.combined_is_complete = Some(complete);
    }

    fn left_out(&mut self, odd: Vec<OddEntry>) {
        let of_queues = odd.into_iter().filter_map(|odd| Some((odd.queue?, Arc::from(odd.reason))));
        self.unreadable.extend(of_queues);
    }
}

#[derive(Debug, Clone)]
pub(super) struct Reader {
    taskrouter: TaskRouter,
    tasks: Arc<TaskReader>,
    channels: Channels,
}

impl Reader {
    pub(super) fn new(taskrouter: TaskRouter, tasks_kept: Duration, channels: Channels) -> Self {
        Self { tasks: Arc::new(TaskReader::new(taskrouter.clone(), tasks_kept)), taskrouter, channels }
    }

    /// Lists for callers, from the same memory of finished Tasks and Workers' names.
    pub(super) fn roster(&self, marks: Arc<Marks>) -> Roster {
        Roster::new(self.taskrouter.clone(), self.tasks.clone(), marks)
    }

    pub(super) async fn carry_out(
        &self,
        read: &Read,
        channels: &[Box<str>],
        window: &Window,
    ) -> Result<Brought, TwilioError> {
        match &read.what {
            What::Tasks => Ok(Brought {
                answers: vec![ReadAnswer::Tasks(self.tasks.read().await?)],
                ..Brought::default()
            }),
            What::Directory => {
                let (queues, new_channels) = tokio::try_join!(
                    self.taskrouter.task_queues(),
                    self.channels.new_ones(channels, window)
                )?;
                Ok(Brought {
                    answers: vec![ReadAnswer::Directory(queues.into())],
                    new_channels,
                    ..Brought::default()
                })
            }
            _ => statistics(&self.taskrouter, read, channels, window).await,
        }
    }
}

async fn statistics(
    taskrouter: &TaskRouter,
    read: &Read,
    channels: &[Box<str>],
    window: &Window,
) -> Result<Brought, TwilioError> {
    let mut brought = Brought::default();
    match &read.what {
        What::Tasks | What::Directory => {}
        What::LastHour => {
            let cumulative = taskrouter.workspace_last_hour().await?;
            brought.answers.push(ReadAnswer::LastHour(cumulative));
        }
        What::Workspace(Parts::Realtime) => {
            brought
                .answers
                .push(ReadAnswer::WorkspaceRealtime(taskrouter.workspace_real_time_statistics().await?));
        }
        What::Workspace(Parts::Cumulative) => {
            let cumulative = taskrouter.workspace_cumulative_statistics(window).await?;
            brought.answers.push(ReadAnswer::WorkspaceCumulative(cumulative));
        }
        What::Workspace(Parts::Both) => {
            let Statistics { realtime, cumulative } = taskrouter.workspace_statistics(window).await?;
            brought.combined(&cumulative);
            brought.answers.push(ReadAnswer::WorkspaceRealtime(realtime));
            brought.answers.push(ReadAnswer::WorkspaceCumulative(cumulative));
        }
        What::Bulk(queues) => {
            let Entries { read: statistics, odd } = taskrouter.bulk_real_time_statistics(queues).await?;
            brought.left_out(odd);
            let answer = |(queue, realtime)| ReadAnswer::QueueRealtime(queue, Scope::ALL, realtime);
            brought.answers.extend(statistics.into_iter().map(answer));
        }
        What::List(scope) => {
            let listed = taskrouter.task_queues_statistics(scope.name(channels), window).await?;
            brought.left_out(listed.odd);
            for entry in listed.read {
                let TaskQueueStatistics { task_queue_sid: queue, realtime, cumulative } = entry;
                brought.combined(&cumulative);
                brought.answers.push(ReadAnswer::QueueRealtime(queue, *scope, realtime));
                brought.answers.push(ReadAnswer::QueueCumulative(queue, *scope, cumulative));
            }
        }
        What::Queue(queue, scope, parts) => {
            let channel = scope.name(channels);
            match parts {
                Parts::Realtime => {
                    let realtime = taskrouter.task_queue_real_time_statistics(*queue, channel).await?;
                    brought.answers.push(ReadAnswer::QueueRealtime(*queue, *scope, realtime));
                }
                Parts::Cumulative => {
                    let cumulative =
                        taskrouter.task_queue_cumulative_statistics(*queue, channel, window).await?;
                    brought.answers.push(ReadAnswer::QueueCumulative(*queue, *scope, cumulative));
                }
                Parts::Both => {
                    let Statistics { realtime, cumulative } =
                        taskrouter.task_queue_statistics(*queue, channel, window).await?;
                    brought.combined(&cumulative);
                    brought.answers.push(ReadAnswer::QueueRealtime(*queue, *scope, realtime));
                    brought.answers.push(ReadAnswer::QueueCumulative(*queue, *scope, cumulative));
                }
            }
        }
    }
    Ok(brought)
}

pub(super) fn key_of(answer: &ReadAnswer) -> Option<Key> {
    match answer {
        ReadAnswer::Directory(_) => Some(Key::Directory),
        ReadAnswer::LastHour(_) => Some(Key::LastHour),
        ReadAnswer::Tasks(_) => Some(Key::Tasks),
        ReadAnswer::WorkspaceRealtime(_) => Some(Key::Workspace(Part::Realtime)),
        ReadAnswer::WorkspaceCumulative(_) => Some(Key::Workspace(Part::Cumulative)),
        ReadAnswer::QueueRealtime(queue, scope, _) => Some(Key::Queue(*queue, *scope, Part::Realtime)),
        ReadAnswer::QueueCumulative(queue, scope, _) => Some(Key::Queue(*queue, *scope, Part::Cumulative)),
        ReadAnswer::Failed(..) => None,
    }
}

pub(super) fn failed_of(key: Key) -> FailedRead {
    match key {
        Key::Directory => FailedRead::Directory,
        Key::LastHour => FailedRead::LastHour,
        Key::Tasks => FailedRead::Tasks,
        Key::Workspace(Part::Realtime) => FailedRead::WorkspaceRealtime,
        Key::Workspace(Part::Cumulative) => FailedRead::WorkspaceCumulative,
        Key::Queue(queue, scope, Part::Realtime) => FailedRead::QueueRealtime(queue, scope),
        Key::Queue(queue, scope, Part::Cumulative) => FailedRead::QueueCumulative(queue, scope),
    }
}
