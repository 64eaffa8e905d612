//! Each layout beside the two default ones: equal to the centre's truth, in the shape its front end reads.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use twilio_emulator::{Fault, NewTask, Settings};

use crate::support::{Bed, DEADLINE, NO_TIMERS, QUICK_TIMERS};

async fn bed(layouts: &str, timers: &[(&'static str, &'static str)]) -> Bed {
    let variables: Vec<_> = timers.iter().copied().chain([("SYNC_LAYOUTS", layouts)]).collect();
    Bed::start(&variables).await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_dashboard_map_holds_raw_statistics() {
    let bed = bed("dashboard-map", NO_TIMERS).await;
    for _ in 0..30 {
        bed.emulator.world().step();
    }
    let sync = bed.emulator.sync();
    let queues = bed.emulator.world().queues();
    let shown = |key: &str| sync.item("dashboard-map", key).map(|(value, _)| value).unwrap_or_default();
    bed.until("the map tells the truth", || {
        let truth = bed.emulator.truth();
        let workspace = truth.workspace(None, crate::support::start_of_utc_day(), &[30, 60, 120]);
        let same = |shown: &Value, truth: &Value| {
            ["tasks_by_status", "activity_statistics", "total_tasks"]
                .iter()
                .all(|name| shown[name] == truth[name])
        };
        same(&shown("WORKSPACE")["realtime"], &workspace.realtime)
            && queues.iter().all(|queue| {
                let item = shown(&format!("TASK_QUEUE_{}", queue.sid));
                let truth = truth.queue(&queue.sid, None, crate::support::start_of_utc_day(), &[30, 60, 120]);
                same(&item["data"]["realtime"], &truth.realtime)
                    && item["data"]["cumulative"]["tasks_entered"] == truth.cumulative["tasks_entered"]
            })
    })
    .await;
    let queue = &queues[0];
    let item = shown(&format!("TASK_QUEUE_{}", queue.sid));
    assert_eq!(item["friendlyName"], json!(queue.friendly_name));
    assert_eq!(item["targetWorkers"], json!(queue.target_workers));
    assert_eq!(item["taskOrder"], "FIFO");
    assert_eq!(item["data"]["task_queue_sid"], json!(queue.sid));
    assert!(item.as_object().unwrap().contains_key("assignmentActivityName"));
    bed.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn flat_numbers_and_the_latest_event() {
    let bed = bed("taskrouter-stats,taskrouter-events", NO_TIMERS).await;
    let world = bed.emulator.world();
    let queue = world.queues()[0].sid.clone();
    let task =
        world.create_task(NewTask { queue, channel: "voice".to_owned(), ..NewTask::default() }).unwrap();
    let stats = || bed.emulator.sync().document("SyncTaskRouterStats").unwrap_or_default();
    bed.until("the task is counted", || stats()["pendingTasks"] == 1).await;
    let workers = bed.emulator.truth().workspace(None, crate::support::start_of_utc_day(), &[]);
    assert_eq!(stats()["totalWorkers"], workers.realtime["total_workers"]);
    let by_name: BTreeMap<String, Value> = workers.realtime["activity_statistics"]
        .as_array()
        .unwrap()
        .iter()
        .map(|a| (a["friendly_name"].as_str().unwrap().to_owned(), a["workers"].clone()))
        .collect();
    assert_eq!(stats()["activities"], json!(by_name));
    assert_eq!(stats()["activityOfflineWorkers"], by_name["Offline"]);
    assert!(stats()["startTime"].is_string() && stats()["endTime"].is_string());

    let event = || bed.emulator.sync().document("SyncTaskRouterEvents").unwrap_or_default();
    bed.until("an event of the task is shown", || event()["TaskSid"] == json!(task)).await;
    assert!(event().as_object().unwrap().values().all(Value::is_string), "a flat object of strings");
    assert!(event()["EventType"].is_string() && event()["TaskAttributes"].is_string());
    bed.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_task_has_an_item_also_for_a_time_after_its_end() {
    let mut bed = bed("taskrouter-tasks", NO_TIMERS).await;
    let world = bed.emulator.world();
    let queue = world.queues()[0].sid.clone();
    let worker = world.workers()[0].clone();
    let new = |from: &str| NewTask {
        queue: queue.clone(),
        channel: "voice".to_owned(),
        priority: 7,
        attributes: json!({"from": from, "TaskSid": "an attribute can not pass for ours"}),
        ..NewTask::default()
    };
    let sync = bed.emulator.sync();
    let item =
        |task: &str| sync.item("SyncTaskRouterTasks", task).map(|(value, _)| value).unwrap_or_default();
    let first = world.create_task(new("+1")).unwrap();
    let second = world.create_task(new("+2")).unwrap();
    bed.until("both are shown", || item(&first)["from"] == "+1" && item(&second)["from"] == "+2").await;
    assert_eq!(item(&first)["TaskSid"], json!(first));
    assert_eq!((&item(&first)["Priority"], &item(&first)["TaskStatus"]), (&json!(7), &json!("pending")));
    assert_eq!(item(&first)["WorkerName"], "", "the older page calls its methods");
    assert_eq!(item(&first)["RecordingUrl"], "");

    let reservation = world.reserve(&first, &worker.sid).unwrap();
    world.accept(&reservation).unwrap();
    bed.until("it is assigned to the worker", || {
        item(&first)["TaskStatus"] == "assigned" && item(&first)["WorkerName"] == json!(worker.friendly_name)
    })
    .await;
    world.complete(&reservation).unwrap();
    bed.until("the finished task is shown as that", || item(&first)["TaskStatus"] == "completed").await;
    assert_eq!(item(&first)["WorkerName"], json!(worker.friendly_name));

    // Twilio sends the recording once it is made, which is after the call's end.
    let url = format!("{}/taskrouter_recording_callback?TaskSid={first}", bed.url());
    let recording = "https://api.example.com/recordings/RE1";
    let signature = bed.emulator.callbacks().sign(&url, [("RecordingUrl", recording)]);
    let post = || bed.http.post(&url).form(&[("RecordingUrl", recording)]);
    assert_eq!(post().send().await.unwrap().status(), 403, "only Twilio may");
    assert_eq!(post().header("X-Twilio-Signature", signature).send().await.unwrap().status(), 204);
    let playable = format!("{recording}.mp3");
    bed.until("the recording can be played", || item(&first)["RecordingUrl"] == json!(playable)).await;
    let listed: Value = bed
        .http
        .get(format!("{}/taskrouter_tasks", bed.url()))
        .bearer_auth(crate::support::BEARER)
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    let of_first = listed.as_array().unwrap().iter().find(|task| task["TaskSid"] == json!(first)).unwrap();
    assert_eq!((&of_first["TaskStatus"], &of_first["RecordingUrl"]), (&json!("completed"), &json!(playable)));

    // What finishes while the service is away, and an item that is no task's any more.
    bed.stop_service().await;
    world.cancel(&second, "gave up").unwrap();
    let gone = "WT000000000000000000000000000000ff";
    sync.put_item("SyncTaskRouterTasks", gone, json!({"TaskSid": gone}));
    bed.start_service().await;
    bed.until("the leftover is gone", || item(gone).is_null()).await;
    bed.until("the cancelled one is shown", || item(&second)["TaskStatus"] == "canceled").await;
    assert_eq!(item(&second)["WorkerName"], "");
    bed.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_finished_task_goes_once_its_time_is_over() {
    for (kept, shown) in [("400ms", true), ("0s", false)] {
        let variables: Vec<_> = QUICK_TIMERS.iter().copied().chain([("TASKS_KEPT", kept)]).collect();
        let bed = bed("taskrouter-tasks", &variables).await;
        let world = bed.emulator.world();
        let task = NewTask {
            queue: world.queues()[0].sid.clone(),
            channel: "voice".to_owned(),
            ..NewTask::default()
        };
        let task = world.create_task(task).unwrap();
        let item = || bed.emulator.sync().item("SyncTaskRouterTasks", &task).map(|(value, _)| value);
        bed.until("it is shown", || item().is_some()).await;
        world.cancel(&task, "gave up").unwrap();
        let mut seen = false;
        bed.until("it is gone", || {
            seen |= item().is_some_and(|item| item["TaskStatus"] == "canceled");
            item().is_none()
        })
        .await;
        assert!(shown || !seen, "open tasks only");
        bed.finish().await;
    }
}

/// The older page asks once per event, and would otherwise stay one step behind.
#[tokio::test(flavor = "multi_thread")]
async fn a_list_that_is_asked_for_after_an_event_shows_that_event() {
    let bed = bed("taskrouter-events", NO_TIMERS).await;
    let world = bed.emulator.world();
    let worker = world.workers()[0].sid.clone();
    let new = || NewTask {
        queue: world.queues()[0].sid.clone(),
        channel: "voice".to_owned(),
        ..NewTask::default()
    };
    let event = || bed.emulator.sync().document("SyncTaskRouterEvents").unwrap_or_default();
    let status = async |task: &str| {
        bed.emulator.callbacks().wait_idle().await;
        bed.until("an event of the task is shown", || event()["TaskSid"] == json!(task)).await;
        let request = bed.http.get(format!("{}/taskrouter_tasks", bed.url()));
        let answer = request.bearer_auth(crate::support::BEARER).send().await.unwrap();
        let tasks: Vec<Value> = answer.json().await.unwrap();
        tasks.iter().find(|shown| shown["TaskSid"] == json!(task)).map(|shown| shown["TaskStatus"].clone())
    };
    for _ in 0..2 {
        let task = world.create_task(new()).unwrap();
        assert_eq!(status(&task).await, Some(json!("pending")));
        let reservation = world.reserve(&task, &worker).unwrap();
        assert_eq!(status(&task).await, Some(json!("reserved")));
        world.accept(&reservation).unwrap();
        assert_eq!(status(&task).await, Some(json!("assigned")));
        world.complete(&reservation).unwrap();
        assert_eq!(status(&task).await, Some(json!("completed")));
    }
    bed.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn documents_of_their_own_for_each_queue() {
    let mut bed = bed("queue-documents", QUICK_TIMERS).await;
    let world = bed.emulator.world();
    let queues = world.queues();
    let document = |name: &str| bed.emulator.sync().document(name).unwrap_or_default();
    let task = NewTask { queue: queues[0].sid.clone(), channel: "voice".to_owned(), ..NewTask::default() };
    world.create_task(task).unwrap();
    bed.until("every queue has its documents, and the task shows", || {
        queues.iter().all(|queue| {
            let (now, today) = (
                document(&format!("task-queue-{}", queue.sid)),
                document(&format!("task-queue-{}-today", queue.sid)),
            );
            let entered = u64::from(queue.sid == queues[0].sid);
            now["friendlyName"] == json!(queue.friendly_name)
                && now["all"]["pending"] == entered
                && now["voice"]["pending"] == entered
                && today["all"]["tEnter"] == entered
        })
    })
    .await;
    let realtime = document(&format!("task-queue-{}", queues[0].sid));
    assert!(realtime.to_string().len() <= 1024, "{} bytes", realtime.to_string().len());
    assert!(realtime["all"]["oldestTaskSince"].is_string() && realtime["asOf"].is_string());
    let list = bed.emulator.sync().map_items("task-queues").unwrap();
    assert_eq!(list.len(), queues.len());

    bed.stop_service().await;
    let gone = queues[1].sid.clone();
    world.remove_queue(&gone).unwrap();
    bed.start_service().await;
    bed.until("the deleted queue's documents and entry are gone", || {
        let sync = bed.emulator.sync();
        sync.document(&format!("task-queue-{gone}")).is_none()
            && sync.document(&format!("task-queue-{gone}-today")).is_none()
            && sync.item("task-queues", &gone).is_none()
    })
    .await;
    bed.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unused_layout_costs_no_call() {
    let bed = bed("dashboard-document", QUICK_TIMERS).await;
    let journal = bed.emulator.journal();
    let before = journal.entries().len();
    bed.until("a few rounds have been read", || journal.entries().len() > before + 10).await;
    let asked: Vec<String> = journal.entries().into_iter().map(|entry| entry.path.to_string()).collect();
    assert!(asked.iter().all(|path| !path.contains("TaskQueues") && !path.contains("Tasks")), "{asked:?}");
    bed.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_too_large_for_sync_is_cut_and_holds_up_no_other() {
    let bed = bed("taskrouter-tasks", NO_TIMERS).await;
    let world = bed.emulator.world();
    let queue = world.queues()[0].sid.clone();
    let new = |attributes: Value| NewTask {
        queue: queue.clone(),
        channel: "chat".to_owned(),
        attributes,
        ..NewTask::default()
    };
    let large = world.create_task(new(json!({"transcript": "x".repeat(30_000), "from": "+1"}))).unwrap();
    let small = world.create_task(new(json!({"from": "+2"}))).unwrap();
    let item = |task: &str| {
        bed.emulator.sync().item("SyncTaskRouterTasks", task).map(|(v, _)| v).unwrap_or_default()
    };
    bed.until("both are shown", || item(&small)["from"] == "+2" && item(&large)["from"] == "+1").await;
    assert_eq!(item(&large)["cut"], json!(["transcript"]));
    assert_eq!(bed.emulator.journal().entries().iter().filter(|entry| entry.status == 413).count(), 0);
    bed.finish().await;
}

/// Accounts differ in what their statistics answer; each way ends in the same numbers.
#[tokio::test(flavor = "multi_thread")]
async fn accounts_that_answer_less_are_read_another_way() {
    use twilio_emulator::{Answers, Combined};
    let short = Answers { combined_cumulative: Combined::AsPublished, ..Answers::default() };
    for answers in [
        short,
        Answers { counts_as_text: true, ..Answers::default() },
        Answers { refuse_list: Some(403), ..Answers::default() },
        Answers { refuse_bulk: Some(404), ..Answers::default() },
        Answers { refuse_list: Some(404), refuse_bulk: Some(403), ..short },
    ] {
        let settings = Settings { queues: 3, workers: 6, answers, ..Settings::default() };
        let mut bed = Bed::without_service(settings, QUICK_TIMERS).await;
        bed.start_service().await;
        for _ in 0..20 {
            bed.emulator.world().step();
        }
        tokio::time::timeout(DEADLINE, bed.agrees_as_far_as(answers)).await.unwrap();
        bed.finish().await;
    }
}

impl Bed {
    /// Realtime answers of the published examples lack priorities, wherever they come combined; all else must agree.
    async fn agrees_as_far_as(&self, answers: twilio_emulator::Answers) {
        if answers.combined_cumulative == twilio_emulator::Combined::Complete {
            return self.agrees().await;
        }
        self.until("Sync agrees but for priorities", || match self.compare() {
            Ok(()) => true,
            Err(difference) => {
                difference.contains("tasksByPriority") || difference.contains("tasks_by_priority")
            }
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_steady_state_meets_no_429_at_any_limit() {
    let settings = Settings { queues: 60, workers: 40, ..Settings::default() };
    let bed = Bed::with(settings, &[("REALTIME_INTERVAL", "500ms")]).await;
    for round in 0..10 {
        for _ in 0..10 {
            bed.emulator.world().step();
        }
        let before = bed.emulator.journal().entries().len();
        bed.until("some more calls", || bed.emulator.journal().entries().len() > before + 20).await;
        assert_eq!(bed.emulator.journal().totals().throttled, 0, "round {round}");
    }
    bed.agrees().await;
    bed.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_failing_document_leaves_the_rest_alone() {
    let bed = bed("queue-documents", QUICK_TIMERS).await;
    let world = bed.emulator.world();
    let queues = world.queues();
    bed.emulator.faults().add(Fault::status(503, 20503).path(&format!("task-queue-{}", queues[0].sid)));
    for queue in &queues {
        let task = NewTask { queue: queue.sid.clone(), channel: "chat".to_owned(), ..NewTask::default() };
        world.create_task(task).unwrap();
    }
    let pending = |sid: &str| {
        bed.emulator.sync().document(&format!("task-queue-{sid}")).unwrap_or_default()["all"]["pending"]
            .clone()
    };
    bed.until("the others are written", || queues[1..].iter().all(|queue| pending(&queue.sid) == 1)).await;
    bed.emulator.faults().clear();
    bed.until("and then it, too", || pending(&queues[0].sid) == 1).await;
    bed.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_channel_that_does_not_exist_costs_the_others_nothing() {
    let variables: Vec<_> =
        QUICK_TIMERS.iter().copied().chain([("STATS_CHANNELS", "voice,semaphore")]).collect();
    let bed = Bed::start(&variables).await;
    let queue = bed.emulator.world().queues()[0].sid.clone();
    let task = NewTask { queue: queue.clone(), channel: "voice".to_owned(), ..NewTask::default() };
    bed.emulator.world().create_task(task).unwrap();
    let item = || bed.emulator.sync().item("queueStats", &queue).map(|(value, _)| value).unwrap_or_default();
    let pending =
        |suffix: &str| item()[format!("realTimeStats_{suffix}")]["tasksByStatus"]["pending"].clone();
    bed.until("the task shows", || pending("all") == 1 && pending("voice") == 1).await;
    assert_eq!(item()["realTimeStatsMessage"], Value::Null, "what is whole says nothing");
    assert_eq!(item()["realTimeStats_semaphore"], Value::Null, "never shown as zero");
    let wrong = |entry: &&twilio_emulator::Entry| entry.query.contains("semaphore");
    let before = bed.emulator.journal().entries().len();
    bed.until("the rest is read on", || bed.emulator.journal().entries().len() > before + 30).await;
    let asked = bed.emulator.journal().entries().iter().filter(wrong).count();
    assert_eq!(asked, 0, "statistics of the channel are not asked for");
    assert_eq!(health(&bed).await["taskrouter"]["ok"], true, "nothing fails");
    bed.finish().await;
}

async fn health(bed: &Bed) -> Value {
    let request = bed.http.get(format!("{}/api/health", bed.url())).bearer_auth(crate::support::BEARER);
    request.send().await.unwrap().json::<Value>().await.unwrap()["health"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn with_auto_a_channel_is_added_once_a_task_is_seen_on_it() {
    let variables: Vec<_> = NO_TIMERS.iter().copied().chain([("STATS_CHANNELS", "auto")]).collect();
    let bed = Bed::start(&variables).await;
    let world = bed.emulator.world();
    let usual = ["voice", "chat", "video"];
    let other = world.channels().into_iter().find(|name| !usual.contains(&name.as_str())).unwrap();
    let queue = world.queues()[0].sid.clone();
    let shown = || {
        let item = bed.emulator.sync().item("queueStats", &queue).map(|(value, _)| value).unwrap_or_default();
        item[format!("realTimeStats_{other}")]["tasksByStatus"]["pending"].clone()
    };
    assert_eq!(shown(), Value::Null, "a channel without Tasks costs nothing");
    world
        .create_task(NewTask { queue: queue.clone(), channel: other.clone(), ..NewTask::default() })
        .unwrap();
    bed.until("the channel's Task shows", || shown() == 1).await;
    let request = bed.http.get(format!("{}/api/session", bed.url())).bearer_auth(crate::support::BEARER);
    let session: Value = request.send().await.unwrap().json().await.unwrap();
    assert!(session["channels"].as_array().unwrap().contains(&json!(other)), "{session}");
    bed.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tasks_and_workers_as_lists() {
    let bed = Bed::start(NO_TIMERS).await;
    let world = bed.emulator.world();
    let queue = world.queues()[0].sid.clone();
    let task = |priority, from: &str| NewTask {
        queue: queue.clone(),
        channel: "voice".to_owned(),
        priority,
        attributes: json!({"from": from}),
        ..NewTask::default()
    };
    world.create_task(task(1, "+1")).unwrap();
    let urgent = world.create_task(task(9, "+2")).unwrap();
    let worker = world.workers()[0].clone();
    let reservation = world.reserve(&urgent, &worker.sid).unwrap();
    world.accept(&reservation).unwrap();
    let list = async |path: &str| -> Vec<Value> {
        let request = bed.http.get(format!("{}{path}", bed.url())).bearer_auth(crate::support::BEARER);
        request.send().await.unwrap().json().await.unwrap()
    };
    let tasks = list("/taskrouter_tasks").await;
    let order: Vec<&str> = tasks.iter().filter_map(|task| task["from"].as_str()).collect();
    assert_eq!(order, ["+2", "+1"], "the urgent one first");
    assert_eq!(tasks[0]["WorkerName"], json!(worker.friendly_name));
    let workers = list("/taskrouter_workers").await;
    assert_eq!(workers.len(), world.workers().len());
    let shown = workers.iter().find(|shown| shown["worker_sid"] == json!(worker.sid)).unwrap();
    assert!(
        shown["activity_name"].is_string() && shown["account_sid"].is_string() && shown["skills"].is_array()
    );
    bed.finish().await;
}

/// What `docs/limits.md` says a TaskChannel adds to an object of this name, in bytes.
fn documented(object: &str) -> usize {
    let page = include_str!("../../docs/limits.md");
    let line = page.lines().find(|line| line.starts_with(&format!("| {object} |"))).unwrap();
    line.split('|').nth(2).unwrap().trim().replace(',', "").parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_channel_adds_as_many_bytes_as_the_page_about_limits_says() {
    let variables = [("SYNC_LAYOUTS", "queue-map,queue-documents"), ("STATS_CHANNELS", "voice,chat")];
    let bed = Bed::start(&[NO_TIMERS, &variables].concat()).await;
    for _ in 0..200 {
        bed.emulator.world().step();
    }
    let sync = bed.emulator.sync();
    let queues = bed.emulator.world().queues();
    let whole = || {
        queues.iter().all(|queue| {
            let today = sync.document(&format!("task-queue-{}-today", queue.sid)).unwrap_or_default();
            let item = sync.item("queueStats", &queue.sid).map(|(item, _)| item).unwrap_or_default();
            today["chat"].is_object() && item["cumulativeStats_chat"]["rCreated"].as_u64() > Some(0)
        })
    };
    bed.until("each queue had chats", whole).await;
    // The text of an object's members that belong to one channel.
    let bytes = |value: Value, name: &dyn Fn(&str) -> bool| {
        let members = value.as_object().unwrap().iter().filter(|(key, _)| name(key));
        members.map(|(key, value)| json!({ key: value }).to_string().len() - 1).sum::<usize>()
    };
    let average =
        |of: &dyn Fn(&str) -> usize| queues.iter().map(|queue| of(&queue.sid)).sum::<usize>() / queues.len();
    let item = |queue: &str| sync.item("queueStats", queue).unwrap().0;
    let document = |queue: &str, of: &str| sync.document(&format!("task-queue-{queue}{of}")).unwrap();
    let measured = [
        ("`queue-map`: an item", average(&|queue| bytes(item(queue), &|name| name.ends_with("_chat")))),
        (
            "`queue-documents`: `task-queue-<sid>`",
            average(&|queue| bytes(document(queue, ""), &|name| name == "chat")),
        ),
        (
            "`queue-documents`: `…-today`",
            average(&|queue| bytes(document(queue, "-today"), &|name| name == "chat")),
        ),
    ];
    // Numbers are longer or shorter by some digits.
    let fits = |object, added| (added * 9 / 10..=added * 11 / 10).contains(&documented(object));
    assert!(measured.iter().all(|(object, added)| fits(object, *added)), "{measured:?}");
    bed.finish().await;
}
