use super::*;

#[test]
fn what_is_counted_shows() {
    let monitor = Monitor::default();
    monitor.event(Some("task.created"), EventOutcome::Taken);
    monitor.event(Some("task.created"), EventOutcome::Taken);
    monitor.event(Some("made.up"), EventOutcome::Foreign);
    monitor.event(None, EventOutcome::Signature);
    monitor.requested("sync", "GET /v1".to_owned(), "200".to_owned(), Some(Duration::from_millis(30)));
    monitor.shown_after(Duration::from_millis(150));
    monitor.backlog(3, 4, ["event", "side_effect", "first_filling"].map(|cause| (cause, None)));
    let text = monitor.encode(&Registry::default()).unwrap();
    for line in [
        r#"taskrouter_sync_events_total{type="task.created",outcome="taken"} 2"#,
        r#"taskrouter_sync_events_total{type="other",outcome="foreign"} 1"#,
        r#"taskrouter_sync_events_total{type="none",outcome="signature"} 1"#,
        r#"taskrouter_sync_api_requests_total{api="sync",endpoint="GET /v1",status="200"} 1"#,
        r#"taskrouter_sync_freshness_seconds_bucket{le="0.2"} 1"#,
        r#"taskrouter_sync_freshness_seconds_bucket{le="0.1"} 0"#,
        "taskrouter_sync_sync_writes_in_flight 3",
        "taskrouter_sync_waiting_keys 4",
        "taskrouter_sync_oldest_unwritten_seconds{cause=\"event\"} 0",
        "# EOF",
    ] {
        assert!(text.contains(line), "{line} is missing in\n{text}");
    }
}

#[test]
fn clones_count_together_and_others_for_themselves() {
    let (monitor, other) = (Monitor::default(), Monitor::default());
    monitor.clone().refused("not_found");
    let counted = "taskrouter_sync_refused_requests_total{code=\"not_found\"} 1";
    assert!(monitor.encode(&Registry::default()).unwrap().contains(counted));
    assert!(!other.encode(&Registry::default()).unwrap().contains(counted));
}
