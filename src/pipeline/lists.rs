//! The lists of Tasks and Workers as JSON, rendered once for all callers: 50,000 Workers are 17 MB of text.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};
use tokio::sync::Mutex;
use tokio::task::{spawn_blocking, yield_now};

use super::answer::LeaderAnswer;
use crate::layout::task_item;
use crate::lenient_json;
use crate::sid::{AccountSid, TaskSid, WorkspaceSid};
use crate::stats::TaskState;
use crate::twilio::taskrouter::Worker;

/// Entries that are rendered before yielding to other tasks.
const AT_ONCE: usize = 200;

type KnownTasks = Arc<BTreeMap<TaskSid, TaskState>>;
/// Where Tasks' recordings are.
type Recordings = Arc<BTreeMap<TaskSid, Arc<str>>>;

/// Renders the lists. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub(super) struct Lists(Arc<ListsInner>);

#[derive(Debug, Default)]
struct ListsInner {
    tasks: Mutex<Option<Rendered<(KnownTasks, Recordings)>>>,
    workers: Mutex<Option<Rendered<Arc<Vec<Worker>>>>>,
}

/// The last text, and the lists it was rendered from.
#[derive(Debug)]
struct Rendered<S> {
    source: S,
    answer: LeaderAnswer,
}

impl Lists {
    /// The Tasks, by falling priority, then by age.
    pub(super) async fn tasks(&self, tasks: KnownTasks, recordings: Recordings) -> LeaderAnswer {
        // Held while rendering: callers who come meanwhile wait for this text.
        let mut last = self.0.tasks.lock().await;
        if let Some(last) = &*last
            && Arc::ptr_eq(&last.source.0, &tasks)
            && Arc::ptr_eq(&last.source.1, &recordings)
        {
            return last.answer.clone();
        }
        let mut sorted: Vec<_> = tasks.iter().collect();
        sorted.sort_by(|(_, a), (_, b)| {
            b.task.priority.cmp(&a.task.priority).then_with(|| a.task.date_created.cmp(&b.task.date_created))
        });
        let item = |(sid, task): &(&TaskSid, &TaskState)| {
            task_item(**sid, task, recordings.get(*sid).map(|url| &**url))
        };
        let answer = render(&sorted, item).await;
        *last = Some(Rendered { source: (tasks.clone(), recordings.clone()), answer: answer.clone() });
        answer
    }

    /// The Workers, in TaskRouter's order.
    pub(super) async fn workers(
        &self,
        workers: Arc<Vec<Worker>>,
        account: &AccountSid,
        workspace: &WorkspaceSid,
    ) -> LeaderAnswer {
        let mut last = self.0.workers.lock().await;
        if let Some(last) = &*last
            && Arc::ptr_eq(&last.source, &workers)
        {
            return last.answer.clone();
        }
        let answer = render(&workers, |shown| worker(shown, account, workspace)).await;
        *last = Some(Rendered { source: workers, answer: answer.clone() });
        answer
    }
}

/// Renders entry by entry, so that no tree of all entries is built.
async fn render<E>(entries: &[E], value: impl Fn(&E) -> Value) -> LeaderAnswer {
    let mut rendered = Vec::with_capacity(entries.len());
    for (number, entry) in entries.iter().enumerate() {
        if number % AT_ONCE == AT_ONCE - 1 {
            yield_now().await;
        }
        rendered.push(value(entry).to_string());
    }
    if rendered.len() < AT_ONCE {
        return LeaderAnswer::list(&rendered);
    }
    // Joining checks the whole text once more, which takes tens of milliseconds of 17 MB.
    let joined = spawn_blocking(move || LeaderAnswer::list(&rendered)).await;
    joined.unwrap_or_else(|_| LeaderAnswer::list(&[]))
}

/// Puts the attributes first, so that our own fields overwrite attributes of the same name.
fn worker(worker: &Worker, account: &AccountSid, workspace: &WorkspaceSid) -> Value {
    let mut shown = lenient_json::attributes(&worker.attributes);
    shown.insert("worker_sid".into(), json!(worker.sid));
    shown.insert("friendly_name".into(), json!(worker.friendly_name));
    shown.insert("activity_name".into(), json!(worker.activity_name));
    shown.insert("available".into(), json!(worker.available));
    shown.insert("date_status_changed".into(), json!(worker.date_status_changed));
    shown.insert("account_sid".into(), json!(account));
    shown.insert("workspace_sid".into(), json!(workspace));
    Value::Object(shown)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_list_is_rendered_once_for_all_who_ask_and_again_when_it_was_read_again() {
        let lists = Lists::default();
        let read = |name: &str| {
            let entries = (0..450).map(|n| json!({"sid": format!("WK{n:032x}"), "friendly_name": name}));
            Arc::new(serde_json::from_value::<Vec<Worker>>(entries.collect()).unwrap())
        };
        let account = format!("AC{}", "0".repeat(32)).parse().unwrap();
        let workspace = format!("WS{}", "0".repeat(32)).parse().unwrap();
        let (ann, ben) = (read("Ann"), read("Ben"));
        let ask = |workers: &Arc<Vec<Worker>>| lists.workers(workers.clone(), &account, &workspace);
        let (first, second) = tokio::join!(ask(&ann), ask(&ann));
        assert!(std::ptr::eq(first.as_ref(), second.as_ref()), "one text");
        let shown: Vec<Value> = serde_json::from_slice(first.as_ref()).unwrap();
        assert_eq!((shown.len(), &shown[449]["friendly_name"]), (450, &json!("Ann")));
        assert!(ask(&ben).await.to_string().contains("Ben"));
        let tasks = lists.tasks(Arc::default(), Arc::default()).await;
        assert_eq!(tasks.to_string(), "[]");
    }
}
