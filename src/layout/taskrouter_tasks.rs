//! Layout `taskrouter-tasks`: one Sync Map with an item per Task, as the TaskRouter dashboard reads it.
//!
//! Item key: the Task's SID. A finished Task's item is removed once `TASKS_KEPT` is over.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{Changes, Layout, Object, Target};
use crate::config::CoreConfig;
use crate::lenient_json;
use crate::sid::TaskSid;
use crate::stats::{Needs, Snapshot, TaskState};

#[derive(Debug)]
pub(super) struct TaskrouterTasks {
    map: Arc<str>,
}

impl TaskrouterTasks {
    pub(super) fn new(config: &CoreConfig) -> Self {
        Self { map: config.sync.taskrouter_tasks_map.as_str().into() }
    }

    fn target(&self, task: TaskSid) -> Target {
        Target::MapItem(self.map.clone(), task.as_str().into())
    }
}

impl Layout for TaskrouterTasks {
    fn needs(&self) -> Needs {
        Needs { tasks: true, ..Needs::default() }
    }

    fn objects(&self, _snapshot: &Snapshot) -> Vec<Object> {
        vec![Object::Map(self.map.clone())]
    }

    fn changes(&self, last: Option<&Snapshot>, next: &Snapshot, changes: &mut Changes<'_>) {
        let Some(tasks) = &next.tasks.value else { return };
        let before = last.and_then(|last| last.tasks.value.as_ref());
        let recording = |snapshot: Option<&Snapshot>, task| snapshot?.recordings.get(task).cloned();
        let same_tasks = before.is_some_and(|before| Arc::ptr_eq(before, tasks));
        if same_tasks && last.is_some_and(|last| Arc::ptr_eq(&last.recordings, &next.recordings)) {
            return;
        }
        for (sid, state) in tasks.iter() {
            let (earlier, url) = (recording(last, sid), recording(Some(next), sid));
            if before.and_then(|before| before.get(sid)) != Some(state) || earlier != url {
                changes.put(self.target(*sid), item(*sid, state, url.as_deref()));
            }
        }
        let gone =
            before.into_iter().flat_map(|before| before.keys()).filter(|sid| !tasks.contains_key(*sid));
        gone.for_each(|sid| changes.remove(self.target(*sid)));
    }

    fn value(&self, target: &Target, snapshot: &Snapshot) -> Option<Value> {
        let Target::MapItem(map, key) = target else { return None };
        let task = key.parse().ok().filter(|_| *map == self.map)?;
        let state = snapshot.tasks.value.as_ref()?.get(&task)?;
        Some(item(task, state, snapshot.recordings.get(&task).map(|url| &**url)))
    }

    fn leftovers(&self, map: &str, key: &str, snapshot: &Snapshot) -> Vec<Target> {
        let tasks = snapshot.tasks.value.as_ref();
        let task = key.parse::<TaskSid>().ok().filter(|_| *map == *self.map);
        let gone = task.zip(tasks).is_some_and(|(task, tasks)| !tasks.contains_key(&task));
        task.filter(|_| gone).map(|task| self.target(task)).into_iter().collect()
    }
}

/// Puts the attributes first, so that our own fields overwrite attributes of the same name.
pub(super) fn item(sid: TaskSid, state: &TaskState, recording: Option<&str>) -> Value {
    let mut item = lenient_json::attributes(&state.task.attributes);
    item.insert("TaskSid".into(), json!(sid));
    item.insert("Priority".into(), json!(state.task.priority));
    item.insert("TaskStatus".into(), json!(state.task.assignment_status));
    // Texts always: the dashboard's page calls their methods.
    item.insert("WorkerName".into(), json!(state.worker_name.as_deref().unwrap_or_default()));
    item.insert("RecordingUrl".into(), json!(recording.map(playable).unwrap_or_default()));
    item.insert("TaskQueueName".into(), json!(state.task.task_queue_friendly_name));
    item.insert("TaskChannel".into(), json!(state.task.task_channel_unique_name));
    item.insert("DateCreated".into(), json!(state.task.date_created));
    Value::Object(item)
}

/// Twilio's URL of a Recording has no file extension; a browser needs one to play it.
fn playable(url: &str) -> String {
    let path = url.split(['?', '#']).next().unwrap_or_default();
    let ends = |ending: &str| path.to_ascii_lowercase().ends_with(ending);
    if ends(".mp3") || ends(".wav") || path.len() != url.len() {
        url.to_owned()
    } else {
        format!("{url}.mp3")
    }
}

#[cfg(test)]
mod tests {
    use super::playable;

    #[test]
    fn a_recording_has_an_ending() {
        let url = "https://api.twilio.com/2010-04-01/Accounts/AC1/Recordings/RE1";
        assert_eq!(playable(url), format!("{url}.mp3"));
        for whole in [".mp3", ".wav", ".MP3", ".mp3?x=1"] {
            assert_eq!(playable(&format!("{url}{whole}")), format!("{url}{whole}"));
        }
    }
}
