//! The shape of every resource: exactly the fields of the examples in Twilio's OpenAPI specification
//! (<https://github.com/twilio/twilio-oai>, `twilio_taskrouter_v1`, `twilio_sync_v1`, `twilio_api_v2010`).

use serde_json::{Value, json};

use crate::support::{Bench, fields};

fn assert_fields(value: &Value, expected: &str) {
    let mut expected: Vec<&str> = expected.split_whitespace().collect();
    expected.sort_unstable();
    assert_eq!(fields(value), expected);
}

#[tokio::test]
async fn of_the_workspace_and_its_lists() {
    let bench = Bench::start().await;
    let queue = bench.queue();
    let task = bench.task(&queue);
    bench.emulator.world().reserve(&task, &bench.worker()).unwrap();
    let workspace = bench.get(&bench.w("")).await.body;
    assert_fields(
        &workspace,
        "account_sid date_created date_updated default_activity_name default_activity_sid event_callback_url
         events_filter friendly_name links multi_task_enabled prioritize_queue_order sid timeout_activity_name
         timeout_activity_sid url",
    );
    let first = async |path: &str, key: &str| {
        let body = bench.get(&bench.w(path)).await.body;
        assert_eq!(body["meta"]["key"], key);
        assert_fields(&body["meta"], "first_page_url key next_page_url page page_size previous_page_url url");
        body[key][0].clone()
    };
    assert_fields(
        &first("/TaskQueues", "task_queues").await,
        "account_sid assignment_activity_name assignment_activity_sid date_created date_updated friendly_name
         max_reserved_workers links reservation_activity_name reservation_activity_sid sid target_workers task_order
         url workspace_sid",
    );
    assert_fields(
        &first("/Tasks", "tasks").await,
        "account_sid age assignment_status attributes date_created date_updated task_queue_entered_date
         virtual_start_time priority reason sid task_queue_sid task_channel_sid task_channel_unique_name timeout url
         workflow_sid workspace_sid workflow_friendly_name task_queue_friendly_name ignore_capacity routing_target
         addons links",
    );
    assert_fields(
        &first(&format!("/Tasks/{task}/Reservations"), "reservations").await,
        "account_sid date_created date_updated links reservation_status sid task_sid url worker_name worker_sid
         workspace_sid",
    );
    assert_fields(
        &first("/Workers", "workers").await,
        "sid friendly_name account_sid activity_sid activity_name workspace_sid attributes available date_created
         date_updated date_status_changed url links",
    );
    let worker = bench.worker();
    assert_fields(
        &first(&format!("/Workers/{worker}/Channels"), "channels").await,
        "account_sid assigned_tasks available available_capacity_percentage configured_capacity date_created
         date_updated sid task_channel_sid task_channel_unique_name url worker_sid workspace_sid",
    );
    assert_fields(
        &first("/TaskChannels", "channels").await,
        "account_sid date_created date_updated friendly_name sid unique_name url workspace_sid
         channel_optimized_routing links",
    );
    assert_fields(
        &first("/Activities", "activities").await,
        "account_sid available date_created date_updated friendly_name sid url workspace_sid links",
    );
    assert_fields(
        &first("/Events", "events").await,
        "account_sid actor_sid actor_type actor_url description event_data event_date event_date_ms event_type
         resource_sid resource_type resource_url sid source source_ip_address url workspace_sid",
    );
}

#[tokio::test]
async fn of_statistics() {
    let bench = Bench::start().await;
    let queue = bench.queue();
    let get = async |path: &str| bench.get(&bench.w(path)).await.body;
    assert_fields(
        &get("/RealTimeStatistics").await,
        "url tasks_by_priority activity_statistics workspace_sid longest_task_waiting_age longest_task_waiting_sid
         total_workers total_tasks account_sid tasks_by_status",
    );
    assert_fields(
        &get("/CumulativeStatistics").await,
        "reservations_accepted tasks_completed start_time reservations_rescinded tasks_timed_out_in_workflow end_time
         avg_task_acceptance_time tasks_canceled url tasks_moved tasks_deleted tasks_created reservations_canceled
         reservations_timed_out wait_duration_until_canceled wait_duration_until_accepted split_by_wait_time
         reservations_created reservations_rejected workspace_sid account_sid",
    );
    assert_fields(&get("/Statistics").await, "account_sid url cumulative realtime workspace_sid");
    assert_fields(
        &get(&format!("/TaskQueues/{queue}/RealTimeStatistics")).await,
        "longest_task_waiting_age longest_task_waiting_sid longest_relative_task_age_in_queue
         longest_relative_task_sid_in_queue task_queue_sid tasks_by_status total_eligible_workers activity_statistics
         tasks_by_priority total_tasks account_sid workspace_sid total_available_workers url",
    );
    assert_fields(
        &get(&format!("/TaskQueues/{queue}/CumulativeStatistics")).await,
        "reservations_created account_sid reservations_rejected tasks_completed end_time tasks_entered tasks_canceled
         reservations_accepted task_queue_sid reservations_timed_out url wait_duration_until_canceled
         wait_duration_until_accepted wait_duration_in_queue_until_accepted split_by_wait_time start_time tasks_moved
         reservations_canceled workspace_sid tasks_deleted reservations_rescinded avg_task_acceptance_time",
    );
    let single = get(&format!("/TaskQueues/{queue}/Statistics")).await;
    assert_fields(&single, "account_sid url cumulative realtime task_queue_sid workspace_sid");
    let bulk = bench.request(reqwest::Method::POST, &bench.w("/TaskQueues/RealTimeStatistics"));
    let bulk = bench.send(bulk.json(&json!({ "queueSids": [queue] }))).await.body;
    assert_fields(&bulk, "account_sid workspace_sid url task_queue_data task_queue_response_count");
    assert_fields(
        &bulk["task_queue_data"][0],
        "task_queue_sid longest_task_waiting_age longest_task_waiting_sid total_tasks total_eligible_workers
         total_available_workers tasks_by_status tasks_by_priority activity_statistics",
    );
    assert_fields(&bulk["task_queue_data"][0]["activity_statistics"][0], "friendly_name sid workers");
    let whole = get("/Workers/Statistics").await;
    assert_fields(&whole, "cumulative realtime workspace_sid account_sid url");
    assert_fields(&whole["realtime"], "total_workers activity_statistics");
    assert_fields(
        &whole["cumulative"],
        "reservations_created reservations_accepted reservations_rejected reservations_timed_out
         reservations_canceled reservations_rescinded activity_durations start_time end_time",
    );
    assert_fields(&whole["cumulative"]["activity_durations"][0], "max min sid friendly_name avg total");
    let one = get(&format!("/Workers/{}/Statistics", bench.worker())).await;
    assert_fields(&one, "cumulative account_sid workspace_sid worker_sid url");
}

#[tokio::test]
async fn of_sync() {
    let bench = Bench::start().await;
    assert_fields(
        &bench.get(&bench.s("")).await.body,
        "account_sid date_created date_updated friendly_name links sid unique_name url webhook_url
         webhooks_from_rest_enabled reachability_webhooks_enabled acl_enabled reachability_debouncing_enabled
         reachability_debouncing_window",
    );
    assert_fields(
        &bench.post(&bench.s("/Documents"), &[("UniqueName", "d")]).await.body,
        "account_sid created_by data date_expires date_created date_updated revision service_sid sid unique_name url
         links",
    );
    assert_fields(
        &bench.post(&bench.s("/Maps"), &[("UniqueName", "m")]).await.body,
        "account_sid created_by date_expires date_created date_updated links revision service_sid sid unique_name url",
    );
    assert_fields(
        &bench.post(&bench.s("/Maps/m/Items"), &[("Key", "k"), ("Data", "{}")]).await.body,
        "account_sid created_by data date_expires date_created date_updated key map_sid revision service_sid url",
    );
    assert_fields(
        &bench.post(&bench.s("/Streams"), &[("UniqueName", "s")]).await.body,
        "account_sid created_by date_expires date_created date_updated links service_sid sid unique_name url",
    );
    let rights = [("Read", "true"), ("Write", "true"), ("Manage", "true")];
    assert_fields(
        &bench.post(&bench.s("/Documents/d/Permissions/who"), &rights).await.body,
        "account_sid service_sid document_sid identity read write manage url",
    );
    let items = bench.get(&bench.s("/Maps/m/Items")).await.body;
    assert_eq!(items["meta"]["key"], "items");
}

#[tokio::test]
async fn of_calls_and_messages() {
    let bench = Bench::start().await;
    let folder = format!("/2010-04-01/Accounts/{}", bench.account().account_sid);
    let call = [("To", "+15005550006"), ("From", "+15005550001"), ("Twiml", "<Response/>")];
    assert_fields(
        &bench.post(&format!("{folder}/Calls.json"), &call).await.body,
        "account_sid answered_by api_version caller_name date_created date_updated direction duration end_time
         forwarded_from from from_formatted group_sid parent_call_sid phone_number_sid price price_unit sid start_time
         status subresource_uris to to_formatted trunk_sid uri queue_time",
    );
    let message = [("To", "+15005550006"), ("From", "+15005550001"), ("Body", "Hello")];
    assert_fields(
        &bench.post(&format!("{folder}/Messages.json"), &message).await.body,
        "account_sid api_version body date_created date_sent date_updated direction error_code error_message from
         num_media num_segments price price_unit messaging_service_sid sid status subresource_uris to uri",
    );
}

#[tokio::test]
async fn an_activitys_availability_is_fixed_at_its_creation() {
    let bench = Bench::start().await;
    let made =
        bench.post(&bench.w("/Activities"), &[("FriendlyName", "Training"), ("Available", "false")]).await;
    assert_eq!(made.status, 201);
    let path = bench.w(&format!("/Activities/{}", made.body["sid"].as_str().unwrap()));
    let updated = bench.post(&path, &[("FriendlyName", "Coaching"), ("Available", "true")]).await;
    assert_eq!((updated.status, &updated.body["available"]), (200, &json!(false)));
    assert_eq!(updated.body["friendly_name"], "Coaching");
    let shown = bench.get(&bench.w("/RealTimeStatistics")).await.body;
    assert_eq!(shown["activity_statistics"].as_array().unwrap().len(), 6);
}
