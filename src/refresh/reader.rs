//! Carries one planned read out: the call, and its answer as the board takes it.

use std::sync::Arc;
use std::time::Duration;

use super::channels::Channels;
use super::key::{Key, Part, Parts, Read, What};
use super::marks::Marks;
use super::roster::Roster;
use super::tasks::TaskReader;
use crate::sid::TaskQueueSid;
use crate::stats::{Answer, Failed, Scope};
use crate::twilio::TwilioError;
use crate::twilio::taskrouter::{
    Cumulative, Entries, OddEntry, Statistics, TaskQueueStatistics, TaskRouter, Window,
};

/// What a read brought.
#[derive(Debug, Default)]
pub(super) struct Brought {
    /// For the board.
    pub(super) answers: Vec<Answer>,
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

/// Asks TaskRouter.
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

    /// Carries a read out.
    pub(super) async fn carry_out(
        &self,
        read: &Read,
        channels: &[Box<str>],
        window: &Window,
    ) -> Result<Brought, TwilioError> {
        match &read.what {
            What::Tasks => {
                Ok(Brought { answers: vec![Answer::Tasks(self.tasks.read().await?)], ..Brought::default() })
            }
            What::Directory => {
                let (queues, new_channels) = tokio::try_join!(
                    self.taskrouter.task_queues(),
                    self.channels.new_ones(channels, window)
                )?;
                Ok(Brought { answers: vec![Answer::Directory(queues)], new_channels, ..Brought::default() })
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
            brought.answers.push(Answer::LastHour(cumulative));
        }
        What::Workspace(Parts::Realtime) => {
            brought
                .answers
                .push(Answer::WorkspaceRealtime(taskrouter.workspace_real_time_statistics().await?));
        }
        What::Workspace(Parts::Cumulative) => {
            let cumulative = taskrouter.workspace_cumulative_statistics(window).await?;
            brought.answers.push(Answer::WorkspaceCumulative(cumulative));
        }
        What::Workspace(Parts::Both) => {
            let Statistics { realtime, cumulative } = taskrouter.workspace_statistics(window).await?;
            brought.combined(&cumulative);
            brought.answers.push(Answer::WorkspaceRealtime(realtime));
            brought.answers.push(Answer::WorkspaceCumulative(cumulative));
        }
        What::Bulk(queues) => {
            let Entries { read: statistics, odd } = taskrouter.bulk_real_time_statistics(queues).await?;
            brought.left_out(odd);
            let answer = |(queue, realtime)| Answer::QueueRealtime(queue, Scope::ALL, realtime);
            brought.answers.extend(statistics.into_iter().map(answer));
        }
        What::List(scope) => {
            let listed = taskrouter.task_queues_statistics(scope.name(channels), window).await?;
            brought.left_out(listed.odd);
            for entry in listed.read {
                let TaskQueueStatistics { task_queue_sid: queue, realtime, cumulative } = entry;
                brought.combined(&cumulative);
                brought.answers.push(Answer::QueueRealtime(queue, *scope, realtime));
                brought.answers.push(Answer::QueueCumulative(queue, *scope, cumulative));
            }
        }
        What::Queue(queue, scope, parts) => {
            let channel = scope.name(channels);
            match parts {
                Parts::Realtime => {
                    let realtime = taskrouter.task_queue_real_time_statistics(*queue, channel).await?;
                    brought.answers.push(Answer::QueueRealtime(*queue, *scope, realtime));
                }
                Parts::Cumulative => {
                    let cumulative =
                        taskrouter.task_queue_cumulative_statistics(*queue, channel, window).await?;
                    brought.answers.push(Answer::QueueCumulative(*queue, *scope, cumulative));
                }
                Parts::Both => {
                    let Statistics { realtime, cumulative } =
                        taskrouter.task_queue_statistics(*queue, channel, window).await?;
                    brought.combined(&cumulative);
                    brought.answers.push(Answer::QueueRealtime(*queue, *scope, realtime));
                    brought.answers.push(Answer::QueueCumulative(*queue, *scope, cumulative));
                }
            }
        }
    }
    Ok(brought)
}

/// The key that an answer makes fresh.
pub(super) fn key_of(answer: &Answer) -> Option<Key> {
    match answer {
        Answer::Directory(_) => Some(Key::Directory),
        Answer::LastHour(_) => Some(Key::LastHour),
        Answer::Tasks(_) => Some(Key::Tasks),
        Answer::WorkspaceRealtime(_) => Some(Key::Workspace(Part::Realtime)),
        Answer::WorkspaceCumulative(_) => Some(Key::Workspace(Part::Cumulative)),
        Answer::QueueRealtime(queue, scope, _) => Some(Key::Queue(*queue, *scope, Part::Realtime)),
        Answer::QueueCumulative(queue, scope, _) => Some(Key::Queue(*queue, *scope, Part::Cumulative)),
        Answer::Failed(..) => None,
    }
}

/// What a failed key is to the board.
pub(super) fn failed_of(key: Key) -> Failed {
    match key {
        Key::Directory => Failed::Directory,
        Key::LastHour => Failed::LastHour,
        Key::Tasks => Failed::Tasks,
        Key::Workspace(Part::Realtime) => Failed::WorkspaceRealtime,
        Key::Workspace(Part::Cumulative) => Failed::WorkspaceCumulative,
        Key::Queue(queue, scope, Part::Realtime) => Failed::QueueRealtime(queue, scope),
        Key::Queue(queue, scope, Part::Cumulative) => Failed::QueueCumulative(queue, scope),
    }
}
