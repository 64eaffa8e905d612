//! TaskRouter: lists, statistics, and the shape of every resource.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};
use twilio_emulator::{Answers, Combined, CombinedRealtime, NewTask, Nulls, Settings};

use crate::support::{Bench, fields};

#[tokio::test]
async fn pages_show_every_queue_once() {
    let bench = Bench::with(Settings { queues: 7, ..Settings::default() }).await;
    let mut next = bench.w("/TaskQueues?PageSize=3");
    let mut seen = Vec::new();
    loop {
        let page = bench.get(&next).await;
        assert_eq!(page.status, 200);
        assert_eq!(page.body["meta"]["key"], "task_queues");
        seen.extend(
            page.body["task_queues"]
                .as_array()
                .unwrap()
                .iter()
                .map(|q| q["sid"].as_str().unwrap().to_owned()),
        );
        match page.body["meta"]["next_page_url"].as_str() {
            Some(url) => next = url.to_owned(),
            None => break,
        }
    }
    assert_eq!(seen, bench.emulator.truth().queue_sids());
}

#[tokio::test]
async fn queues_are_listed_for_a_worker_by_its_attributes() {
    let bench = Bench::start().await;
    let world = bench.emulator.world();
    let worker = world.add_worker("Nina", "Offline", &["billing"]).unwrap();
    let names = async |worker: &str| {
        let answer = bench.get(&bench.w(&format!("/TaskQueues?WorkerSid={worker}"))).await;
        let queues = answer.body["task_queues"].as_array().unwrap().clone();
        queues.iter().map(|queue| queue["friendly_name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(names(&worker).await, ["Billing"]);
    world.set_worker_attributes(&worker, json!({ "skills": ["support"] })).unwrap();
    assert_eq!(names(&worker).await, ["Support"]);
    assert!(names(&format!("WK{}", "0".repeat(32))).await.is_empty());
}

#[tokio::test]
async fn an_invented_parameter_is_refused_and_counted() {
    let bench = Bench::start().await;
    let answer = bench.get(&bench.w("/TaskQueues?Limit=5")).await;
    assert_eq!((answer.status, answer.code()), (400, 20001));
    assert_eq!(bench.get(&bench.w("/Queues")).await.code(), 20404);
    let totals = bench.emulator.journal().totals();
    assert_eq!((totals.unknown_parameters, totals.unknown_paths), (1, 1));
}

#[tokio::test]
async fn wrong_credentials_and_foreign_workspaces_find_nothing() {
    let bench = Bench::start().await;
    let url = format!("{}{}", bench.emulator.url(), bench.w(""));
    let answer = bench.send(bench.http.get(&url).basic_auth("AC1", Some("x"))).await;
    assert_eq!((answer.status, answer.code()), (401, 20003));
    let account = bench.account();
    let answer =
        bench.send(bench.http.get(&url).basic_auth(&account.account_sid, Some(&account.auth_token))).await;
    assert_eq!(answer.status, 200);
    let foreign = format!("/v1/Workspaces/WS{}", "0".repeat(32));
    assert_eq!(bench.get(&foreign).await.code(), 20404);
    assert_eq!(bench.get(&bench.w("/TaskQueues/WQnonsense")).await.code(), 20404);
}

#[tokio::test]
async fn workspaces_services_and_workflows_can_be_listed() {
    let bench = Bench::start().await;
    let account = bench.account();
    let workspaces = bench.get("/v1/Workspaces").await;
    assert_eq!(workspaces.body["workspaces"][0]["sid"], account.workspace_sid.as_str());
    let services = bench.get("/v1/Services").await;
    assert_eq!(services.body["services"][0]["sid"], account.sync_service_sid.as_str());
    let workflows = bench.get(&bench.w("/Workflows")).await;
    let sid = workflows.body["workflows"][0]["sid"].as_str().unwrap();
    assert_eq!(bench.get(&bench.w(&format!("/Workflows/{sid}"))).await.body["sid"], sid);
    let unknown = bench.w(&format!("/Workflows/WW{}", "0".repeat(32)));
    assert_eq!(bench.get(&unknown).await.code(), 20404);
}

#[tokio::test]
async fn statistics_are_what_happened() {
    let bench = Bench::start().await;
    let world = bench.emulator.world();
    let (queue, worker) = (bench.queue(), bench.worker());
    let old = NewTask {
        queue: queue.clone(),
        channel: "voice".to_owned(),
        priority: 5,
        age: Duration::from_secs(90),
        ..NewTask::default()
    };
    let waiting = world.create_task(old).unwrap();
    let task = bench.task(&queue);
    let reservation = world.reserve(&task, &worker).unwrap();
    world.accept(&reservation).unwrap();

    let answer = bench.get(&bench.w(&format!("/TaskQueues/{queue}/RealTimeStatistics"))).await;
    assert_eq!(
        answer.body["tasks_by_status"],
        json!({"pending": 1, "reserved": 0, "assigned": 1, "wrapping": 0})
    );
    assert_eq!(answer.body["tasks_by_priority"], json!({"0": 1, "5": 1}));
    assert_eq!(answer.body["longest_task_waiting_sid"], json!(waiting));
    assert!((90..120).contains(&answer.body["longest_task_waiting_age"].as_i64().unwrap()));
    assert_eq!(answer.body["total_tasks"], 2);

    world.wrap(&reservation).unwrap();
    world.complete(&reservation).unwrap();
    world.cancel(&waiting, "hangup").unwrap();
    let path = format!("/TaskQueues/{queue}/CumulativeStatistics?SplitByWaitTime=5,120");
    let answer = bench.get(&bench.w(&path)).await;
    for (name, count) in [
        ("tasks_entered", 2),
        ("tasks_completed", 1),
        ("tasks_canceled", 1),
        ("reservations_created", 1),
        ("reservations_accepted", 1),
        ("reservations_rejected", 0),
    ] {
        assert_eq!(answer.body[name], count, "{name}");
    }
    let split = &answer.body["split_by_wait_time"];
    assert_eq!(split["5"]["above"], json!({"tasks_canceled": 1, "reservations_accepted": 0}));
    assert_eq!(split["5"]["below"], json!({"tasks_canceled": 0, "reservations_accepted": 1}));
    assert_eq!(split["120"]["below"]["tasks_canceled"], 1);

    let answer = bench.get(&bench.w("/RealTimeStatistics")).await;
    assert_eq!(answer.body["total_tasks"], 1, "a canceled Task still counts for five minutes");
    bench.emulator.clock().advance(Duration::from_secs(301));
    assert_eq!(bench.get(&bench.w("/RealTimeStatistics")).await.body["total_tasks"], 0);
}

#[tokio::test]
async fn every_way_to_ask_gives_the_same_numbers() {
    let bench = Bench::start().await;
    let world = bench.emulator.world();
    for _ in 0..400 {
        world.step();
    }
    let since: Timestamp = "2020-01-01T00:00:00Z".parse().unwrap();
    let window = "StartDate=2020-01-01T00%3A00%3A00Z&SplitByWaitTime=5";
    let list = bench.get(&bench.w(&format!("/TaskQueues/Statistics?{window}&PageSize=1000"))).await;
    let lines = list.body["task_queues_statistics"].as_array().unwrap().clone();
    let sids: Vec<Value> = lines.iter().map(|line| line["task_queue_sid"].clone()).collect();
    let bulk = bench.send(
        bench
            .request(reqwest::Method::POST, &bench.w("/TaskQueues/RealTimeStatistics"))
            .json(&json!({ "queueSids": sids })),
    );
    let bulk = bulk.await;
    assert_eq!(bulk.body["task_queue_response_count"], lines.len());
    for (line, bulk) in lines.iter().zip(bulk.body["task_queue_data"].as_array().unwrap()) {
        let sid = line["task_queue_sid"].as_str().unwrap();
        let single = bench.get(&bench.w(&format!("/TaskQueues/{sid}/Statistics?{window}"))).await.body;
        let truth = bench.emulator.truth().queue(sid, None, since, &[5]);
        for name in [
            "tasks_by_status",
            "tasks_by_priority",
            "activity_statistics",
            "total_tasks",
            "total_eligible_workers",
        ] {
            assert_eq!(line["realtime"][name], truth.realtime[name], "{name}");
            assert_eq!(single["realtime"][name], truth.realtime[name], "{name}");
            assert_eq!(bulk[name], truth.realtime[name], "{name}");
        }
        for name in
            ["tasks_entered", "tasks_completed", "reservations_accepted", "split_by_wait_time", "tasks_moved"]
        {
            assert_eq!(line["cumulative"][name], truth.cumulative[name], "{name}");
            assert_eq!(single["cumulative"][name], truth.cumulative[name], "{name}");
        }
    }
    let sum = |name: &str| lines.iter().map(|line| line["cumulative"][name].as_u64().unwrap()).sum::<u64>();
    let workspace = bench.emulator.truth().workspace(None, since, &[]);
    assert_eq!(workspace.cumulative["tasks_completed"], sum("tasks_completed"));
    assert_eq!(workspace.cumulative["reservations_created"], sum("reservations_created"));
    let channels: u64 = world
        .channels()
        .iter()
        .map(|channel| {
            bench.emulator.truth().workspace(Some(channel), since, &[]).cumulative["tasks_created"]
                .as_u64()
                .unwrap()
        })
        .sum();
    assert_eq!(workspace.cumulative["tasks_created"], channels);
}

#[tokio::test]
async fn bulk_follows_its_rules() {
    let bench = Bench::start().await;
    let post = |body: Value| {
        bench.send(
            bench.request(reqwest::Method::POST, &bench.w("/TaskQueues/RealTimeStatistics")).json(&body),
        )
    };
    let foreign = format!("WQ{}", "f".repeat(32));
    let answer = post(json!({ "queueSids": [foreign] })).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.body["task_queue_data"][0]["total_eligible_workers"], 0);
    assert_eq!(answer.body["task_queue_data"][0]["task_queue_sid"], json!(foreign));
    assert_eq!(post(json!({ "queueSids": [] })).await.status, 400);
    assert_eq!(post(json!({ "queueSids": vec![foreign.clone(); 51] })).await.status, 400);
    assert_eq!(post(json!({ "queueSids": ["WQ1"] })).await.status, 400);
    assert_eq!(post(json!({ "queueSids": [foreign], "more": 1 })).await.status, 400);
    let sixth = post(json!({ "queueSids": [foreign] })).await;
    assert_eq!(sixth.status, 429);
    assert_eq!(sixth.headers["x-rate-limit-limit"], "5");
}

#[tokio::test]
async fn minutes_and_dates_exclude_each_other() {
    let bench = Bench::start().await;
    let path = bench.w("/CumulativeStatistics?Minutes=5&StartDate=2026-01-01T00:00:00Z");
    assert_eq!(bench.get(&path).await.status, 400);
    assert_eq!(bench.get(&bench.w("/CumulativeStatistics?TaskChannel=pigeon")).await.status, 400);
    assert_eq!(bench.get(&bench.w("/CumulativeStatistics?Minutes=5&TaskChannel=voice")).await.status, 200);
}

#[tokio::test]
async fn combined_answers_can_be_as_thin_as_the_published_examples() {
    let bench = Bench::start().await;
    bench.emulator.set_answers(Answers { combined_cumulative: Combined::AsPublished, ..Answers::default() });
    let answer = bench.get(&bench.w("/TaskQueues/Statistics")).await;
    let line = &answer.body["task_queues_statistics"][0];
    assert_eq!(fields(line), ["account_sid", "cumulative", "realtime", "task_queue_sid", "workspace_sid"]);
    assert_eq!(
        fields(&line["cumulative"]),
        [
            "avg_task_acceptance_time",
            "end_time",
            "reservations_accepted",
            "reservations_canceled",
            "reservations_created",
            "reservations_rejected",
            "reservations_rescinded",
            "reservations_timed_out",
            "start_time",
            "tasks_canceled",
            "tasks_deleted",
            "tasks_entered",
            "tasks_moved"
        ]
    );
    assert_eq!(
        fields(&line["realtime"]),
        [
            "activity_statistics",
            "longest_task_waiting_age",
            "longest_task_waiting_sid",
            "tasks_by_status",
            "total_available_workers",
            "total_eligible_workers",
            "total_tasks"
        ]
    );
    bench.emulator.set_answers(Answers {
        counts_as_text: true,
        refuse_bulk: Some(403),
        ..Answers::default()
    });
    let answer = bench.get(&bench.w("/RealTimeStatistics")).await;
    assert_eq!(answer.body["tasks_by_status"]["pending"], "0");
    assert_eq!(bench.post(&bench.w("/TaskQueues/RealTimeStatistics"), &[]).await.status, 403);
}

#[tokio::test]
async fn combined_answers_can_be_as_rich_as_recorded_ones() {
    let bench = Bench::start().await;
    let (world, queue) = (bench.emulator.world(), bench.queue());
    let task = bench.task(&queue);
    let reservation = world.reserve(&task, &bench.worker()).unwrap();
    world.accept(&reservation).unwrap();
    world.wrap(&reservation).unwrap();
    world.complete(&reservation).unwrap();
    bench.task(&queue);
    let path = bench.w(&format!("/TaskQueues/{queue}/Statistics?SplitByWaitTime=5"));
    let plain = bench.get(&path).await.body;
    bench.emulator.set_answers(Answers {
        combined_cumulative: Combined::AsRecorded,
        combined_realtime: CombinedRealtime::AsRecorded,
        ..Answers::default()
    });
    let rich = bench.get(&path).await.body;
    let more = |part: &str| {
        let before = fields(&plain[part]);
        fields(&rich[part]).into_iter().filter(|name| !before.contains(name)).collect::<Vec<_>>()
    };
    assert_eq!(more("cumulative"), ["reservations_completed", "reservations_wrapup", "tasks_assigned"]);
    assert_eq!(
        more("realtime"),
        [
            "account_sid",
            "longest_relative_task_age_in_queue",
            "longest_relative_task_sid_in_queue",
            "task_queue_sid",
            "workspace_sid"
        ]
    );
    for name in more("cumulative") {
        assert_eq!(rich["cumulative"][&name], 1, "{name}");
    }
    let statuses = &rich["realtime"]["tasks_by_status"];
    assert_eq!(
        (&statuses["completed"], &statuses["canceled"], &statuses["pending"]),
        (&json!(1), &json!(0), &json!(1))
    );
    let line = &bench.get(&bench.w("/TaskQueues/Statistics")).await.body["task_queues_statistics"][0];
    assert_eq!(
        (&line["realtime"]["task_queue_sid"], &line["cumulative"]["tasks_assigned"]),
        (&json!(queue), &json!(1))
    );
    let whole = bench.get(&bench.w("/Statistics")).await.body;
    assert_eq!(whole["realtime"]["tasks_by_status"]["completed"], 1);

    let without = Answers { combined_cumulative: Combined::WithoutAverages, ..Answers::default() };
    bench.emulator.set_answers(without);
    let thin = bench.get(&path).await.body;
    let missing =
        fields(&plain["cumulative"]).into_iter().filter(|name| thin["cumulative"].get(name).is_none());
    assert_eq!(missing.collect::<Vec<_>>(), ["avg_task_acceptance_time", "split_by_wait_time"]);
    // The separate answers stay as documented.
    let separate = bench.get(&bench.w(&format!("/TaskQueues/{queue}/CumulativeStatistics"))).await.body;
    assert!(separate.get("avg_task_acceptance_time").is_some() && separate.get("tasks_assigned").is_none());
}

#[tokio::test]
async fn nullable_fields_can_be_null() {
    let bench = Bench::start().await;
    bench.task(&bench.queue());
    let answers = |nulls| Answers { nulls, ..Answers::default() };
    bench.emulator.set_answers(answers(Nulls::First));
    let list = bench.get(&bench.w("/TaskQueues/Statistics")).await.body;
    let realtime = |n: usize| &list["task_queues_statistics"][n]["realtime"];
    assert!(realtime(0)["tasks_by_status"].is_null() && realtime(0)["activity_statistics"].is_null());
    assert!(realtime(0)["total_tasks"].is_number() && realtime(1)["tasks_by_status"].is_object());
    let tasks = bench.get(&bench.w("/Tasks")).await.body;
    assert!(tasks["tasks"][0]["assignment_status"].is_null() && tasks["tasks"][0]["sid"].is_string());
    bench.emulator.set_answers(answers(Nulls::Empty));
    let list = bench.get(&bench.w("/TaskQueues/Statistics")).await.body;
    let realtime = |n: usize| &list["task_queues_statistics"][n]["realtime"];
    assert!(realtime(0)["tasks_by_status"].is_object() && realtime(1)["tasks_by_status"].is_null());
    bench.emulator.set_answers(answers(Nulls::Always));
    assert!(bench.get(&bench.w("/Workers")).await.body["workers"][3]["friendly_name"].is_null());
}

#[tokio::test]
async fn statistics_lag_and_lists_do_not() {
    let bench = Bench::start().await;
    let (clock, queue) = (bench.emulator.clock(), bench.queue());
    bench.emulator.set_statistics_lag(Duration::from_secs(60));
    bench.task(&queue);
    let pending = async || {
        let path = bench.w(&format!("/TaskQueues/{queue}/RealTimeStatistics"));
        bench.get(&path).await.body["tasks_by_status"]["pending"].clone()
    };
    assert_eq!(pending().await, 0);
    assert_eq!(bench.get(&bench.w("/Tasks")).await.body["tasks"].as_array().unwrap().len(), 1);
    let since = "2020-01-01T00:00:00Z".parse().unwrap();
    assert_eq!(
        bench.emulator.truth().queue(&queue, None, since, &[]).realtime["tasks_by_status"]["pending"],
        1
    );
    clock.advance(Duration::from_secs(61));
    assert_eq!(pending().await, 1);
    let path = bench.w(&format!("/TaskQueues/{queue}/RealTimeStatistics"));
    assert!(
        bench.get(&path).await.body["longest_task_waiting_age"].as_i64().unwrap() >= 61,
        "ages do not lag"
    );
}
