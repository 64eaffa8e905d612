"""TaskRouter by way of the official client: lists, resources, every kind of statistics."""

import json
from datetime import datetime, timedelta, timezone

from twilio.base.exceptions import TwilioRestException
from twilio.rest import Client

from emulator import EmulatorTest


class Body:
    """What the client's bulk call takes."""

    def __init__(self, sids: list[str]) -> None:
        self.sids = sids

    def to_dict(self) -> dict[str, list[str]]:
        return {"queueSids": self.sids}


class Lists(EmulatorTest):
    def test_every_page_of_queues_is_followed(self) -> None:
        queues = self.workspace.task_queues.list(page_size=3)
        self.assertEqual(len(queues), 8)
        self.assertEqual(len({queue.sid for queue in queues}), 8)
        self.assertEqual(queues[0].friendly_name, "Support")
        self.assertEqual(queues[0].target_workers, 'skills HAS "support"')

    def test_queues_are_filtered(self) -> None:
        named = self.workspace.task_queues.list(friendly_name="Sales")
        self.assertEqual([queue.friendly_name for queue in named], ["Sales"])
        worker = self.workspace.workers.create("Nina", attributes=json.dumps({"skills": ["billing"]}))
        eligible = [queue.friendly_name for queue in self.workspace.task_queues.list(worker_sid=worker.sid)]
        self.assertIn("Billing", eligible)
        self.assertNotIn("Sales", eligible)
        self.assertTrue(worker.delete())
        suited = self.workspace.task_queues.list(evaluate_worker_attributes=json.dumps({"skills": ["billing"]}))
        self.assertEqual([queue.friendly_name for queue in suited], ["Billing"])

    def test_workers(self) -> None:
        workers = self.workspace.workers.list(page_size=10)
        self.assertEqual(len(workers), 23)
        free = self.workspace.workers.list(available="true")
        self.assertTrue(free and all(worker.available for worker in free))
        self.assertTrue(all(worker.activity_name == "Available" for worker in free))
        skilled = self.workspace.workers.list(target_workers_expression='skills HAS "sales"')
        queue = self.workspace.task_queues.list(friendly_name="Sales")[0]
        in_queue = self.workspace.workers.list(task_queue_sid=queue.sid)
        self.assertEqual({worker.sid for worker in skilled}, {worker.sid for worker in in_queue})
        channels = self.workspace.workers(workers[0].sid).worker_channels.list()
        self.assertEqual({channel.task_channel_unique_name for channel in channels}, {"default", "voice", "chat", "sms", "video"})
        fetched = self.workspace.workers(workers[0].sid).fetch()
        self.assertEqual(fetched.friendly_name, workers[0].friendly_name)
        self.assertIsInstance(fetched.date_created, datetime)

    def test_tasks_and_their_reservations(self) -> None:
        queue = self.workspace.task_queues.list()[0]
        worker = self.workspace.workers.list()[0]
        tasks = [self.emulator.do("create_task", queue=queue.sid, channel="voice", priority=n, age=n) for n in range(5)]
        reservation = self.emulator.do("reserve", task=tasks[0], worker=worker.sid)
        waiting = self.workspace.tasks.list(assignment_status=["pending"], page_size=2)
        self.assertEqual([task.sid for task in waiting], tasks[1:])
        both = self.workspace.tasks.list(assignment_status=["pending", "reserved"])
        self.assertEqual(len(both), 5)
        ordered = self.workspace.tasks.list(ordering="Priority:desc", page_size=2)
        self.assertEqual([task.priority for task in ordered], [4, 3, 2, 1, 0])
        found = self.workspace.tasks(tasks[0]).reservations.list()
        self.assertEqual([(r.sid, r.reservation_status, r.worker_sid) for r in found], [(reservation, "pending", worker.sid)])
        self.workspace.tasks(tasks[0]).reservations(reservation).update(reservation_status="accepted")
        self.assertEqual(self.workspace.tasks(tasks[0]).fetch().assignment_status, "assigned")

    def test_activities_and_channels(self) -> None:
        names = [activity.friendly_name for activity in self.workspace.activities.list()]
        self.assertEqual(names, ["Offline", "Available", "Busy", "Break", "Wrap up"])
        available = self.workspace.activities.list(available="true")
        self.assertEqual([activity.friendly_name for activity in available], ["Available"])
        channels = {channel.unique_name for channel in self.workspace.task_channels.list()}
        self.assertEqual(channels, {"default", "voice", "chat", "sms", "video"})

    def test_events(self) -> None:
        queue = self.workspace.task_queues.list()[0]
        task = self.emulator.do("create_task", queue=queue.sid, channel="voice")
        events = self.workspace.events.list(task_sid=task, page_size=2)
        types = [event.event_type for event in events]
        self.assertEqual(types, ["workflow.entered", "task-queue.entered", "task.created", "workflow.target-matched"])
        self.assertEqual(events[1].event_data["task_queue_sid"], queue.sid)
        self.assertEqual(self.workspace.events(events[0].sid).fetch().sid, events[0].sid)


class Resources(EmulatorTest):
    def test_the_workspace_takes_a_callback_url(self) -> None:
        url = "https://hooks.example.com/events#rc=3&rp=all"
        updated = self.workspace.update(event_callback_url=url, events_filter="task.created,task.completed")
        self.assertEqual((updated.event_callback_url, updated.events_filter), (url, "task.created,task.completed"))
        with self.assertRaises(TwilioRestException) as refused:
            self.workspace.update(events_filter="task.invented")
        self.assertEqual((refused.exception.status, refused.exception.code), (400, 20001))

    def test_queues_are_made_changed_and_removed(self) -> None:
        queue = self.workspace.task_queues.create("Night shift", target_workers="level > 3")
        self.assertEqual((queue.friendly_name, queue.target_workers, queue.task_order), ("Night shift", "level > 3", "FIFO"))
        self.assertEqual(queue.update(friendly_name="Late shift").friendly_name, "Late shift")
        with self.assertRaises(TwilioRestException) as refused:
            self.workspace.task_queues.create("Broken", target_workers="level >")
        self.assertEqual(refused.exception.code, 20001)
        self.assertTrue(queue.delete())
        with self.assertRaises(TwilioRestException) as refused:
            queue.fetch()
        self.assertEqual((refused.exception.status, refused.exception.code), (404, 20404))

    def test_tasks_are_made_changed_and_removed(self) -> None:
        task = self.workspace.tasks.create(attributes='{"type": "support"}', priority=7, task_channel="chat")
        self.assertEqual((task.priority, task.task_channel_unique_name, task.assignment_status), (7, "chat", "pending"))
        self.assertEqual(json.loads(task.update(attributes='{"type": "sales"}').attributes), {"type": "sales"})
        with self.assertRaises(TwilioRestException) as refused:
            task.update(priority=1, if_match="0")
        self.assertEqual((refused.exception.status, refused.exception.code), (412, 20412))
        done = task.update(assignment_status="canceled", reason="no longer needed")
        self.assertEqual((done.assignment_status, done.reason), ("canceled", "no longer needed"))
        self.assertTrue(self.workspace.tasks(task.sid).delete())

    def test_workers_change_activity(self) -> None:
        worker = self.workspace.workers.list()[0]
        activity = self.workspace.activities.list(friendly_name="Break")[0]
        self.assertEqual(worker.update(activity_sid=activity.sid).activity_name, "Break")
        with self.assertRaises(TwilioRestException) as refused:
            self.workspace.workers.create(worker.friendly_name.upper())
        self.assertEqual(refused.exception.code, 20001)
        made = self.workspace.workers.create("New hand", attributes='{"skills": ["sales"]}')
        self.assertEqual(made.activity_name, "Offline")
        self.assertTrue(made.delete())

    def test_credentials_are_checked(self) -> None:
        account = self.emulator.account
        for user, password, opens in [
            (account["account_sid"], account["auth_token"], True),
            (account["account_sid"], "wrong", False),
        ]:
            client = Client(user, password)
            client.taskrouter.base_url = self.emulator.url
            workspace = client.taskrouter.v1.workspaces(account["workspace_sid"])
            if opens:
                self.assertEqual(workspace.fetch().sid, account["workspace_sid"])
            else:
                with self.assertRaises(TwilioRestException) as refused:
                    workspace.fetch()
                self.assertEqual((refused.exception.status, refused.exception.code), (401, 20003))


class Statistics(EmulatorTest):
    def setUp(self) -> None:
        super().setUp()
        self.emulator.do("step", times=600)
        self.queues = self.workspace.task_queues.list()
        self.truth = self.emulator.control("GET", "/truth?split=5,30&since=2020-01-01T00:00:00Z")
        self.window = {
            "start_date": datetime.now(timezone.utc) - timedelta(days=1),
            "split_by_wait_time": "5,30",
        }

    def assert_same(self, shown: dict, true: dict, names: list[str]) -> None:
        for name in names:
            self.assertEqual(shown[name], true[name], name)

    REALTIME = ["tasks_by_status", "tasks_by_priority", "activity_statistics", "total_tasks"]
    CUMULATIVE = [
        "reservations_created",
        "reservations_accepted",
        "reservations_rejected",
        "reservations_timed_out",
        "tasks_canceled",
        "tasks_completed",
        "tasks_moved",
        "split_by_wait_time",
    ]

    def test_of_the_workspace(self) -> None:
        true = self.truth["workspace"]
        realtime = self.workspace.real_time_statistics().fetch()
        self.assert_same(vars(realtime), true["realtime"], [*self.REALTIME, "total_workers", "longest_task_waiting_sid"])
        cumulative = self.workspace.cumulative_statistics().fetch(**self.window)
        self.assert_same(vars(cumulative), true["cumulative"], [*self.CUMULATIVE, "tasks_created"])
        both = self.workspace.statistics().fetch(**self.window)
        self.assert_same(both.realtime, true["realtime"], self.REALTIME)
        self.assert_same(both.cumulative, true["cumulative"], self.CUMULATIVE)

    def test_of_a_queue(self) -> None:
        for queue in self.queues[:3]:
            true = self.truth["queues"][queue.sid]
            context = self.workspace.task_queues(queue.sid)
            realtime = context.real_time_statistics().fetch()
            self.assert_same(vars(realtime), true["realtime"], [*self.REALTIME, "total_eligible_workers", "total_available_workers"])
            cumulative = context.cumulative_statistics().fetch(**self.window)
            self.assert_same(vars(cumulative), true["cumulative"], [*self.CUMULATIVE, "tasks_entered"])
            self.assertIsInstance(cumulative.start_time, datetime)
            both = context.statistics().fetch(**self.window)
            self.assert_same(both.cumulative, true["cumulative"], self.CUMULATIVE)

    def test_of_all_queues_in_pages(self) -> None:
        lines = self.workspace.task_queues.statistics.list(page_size=3, **self.window)
        self.assertEqual([line.task_queue_sid for line in lines], [queue.sid for queue in self.queues])
        for line in lines:
            true = self.truth["queues"][line.task_queue_sid]
            self.assert_same(line.realtime, true["realtime"], self.REALTIME)
            self.assert_same(line.cumulative, true["cumulative"], self.CUMULATIVE)

    def test_of_many_queues_at_once(self) -> None:
        sids = [queue.sid for queue in self.queues] + ["WQ" + "f" * 32]
        bulk = self.workspace.task_queues.bulk_real_time_statistics.create(Body(sids))
        self.assertEqual(bulk.task_queue_response_count, 9)
        for line in bulk.task_queue_data[:-1]:
            self.assert_same(line, self.truth["queues"][line["task_queue_sid"]]["realtime"], self.REALTIME)
        self.assertEqual(bulk.task_queue_data[-1]["total_tasks"], 0)
        with self.assertRaises(TwilioRestException) as refused:
            self.workspace.task_queues.bulk_real_time_statistics.create(Body(["WQ1"]))
        self.assertEqual(refused.exception.status, 400)

    def test_of_one_channel(self) -> None:
        voice = self.workspace.task_channels.list()[1]
        by_name = self.workspace.real_time_statistics().fetch(task_channel="voice")
        by_sid = self.workspace.real_time_statistics().fetch(task_channel=voice.sid)
        self.assertEqual(by_name.tasks_by_status, by_sid.tasks_by_status)
        true = self.emulator.control("GET", "/truth?channel=voice&since=2020-01-01T00:00:00Z")["workspace"]
        self.assertEqual(by_name.tasks_by_status, true["realtime"]["tasks_by_status"])

    def test_of_workers(self) -> None:
        statistics = self.workspace.workers.statistics()
        both = statistics.fetch(minutes=60)
        self.assertEqual(both.realtime["total_workers"], 23)
        accepted = self.truth["workspace"]["cumulative"]["reservations_accepted"]
        self.assertEqual(both.cumulative["reservations_accepted"], accepted)
        self.assertEqual(self.workspace.workers.real_time_statistics().fetch().total_workers, 23)
        cumulative = self.workspace.workers.cumulative_statistics().fetch(minutes=60)
        self.assertEqual(cumulative.reservations_accepted, accepted)
        self.assertEqual(len(cumulative.activity_durations), 5)
        one = self.workspace.workers.list()[0]
        self.assertIn("activity_durations", self.workspace.workers(one.sid).statistics().fetch().cumulative)

    def test_minutes_and_dates_exclude_each_other(self) -> None:
        with self.assertRaises(TwilioRestException) as refused:
            self.workspace.cumulative_statistics().fetch(minutes=5, **self.window)
        self.assertEqual((refused.exception.status, refused.exception.code), (400, 20001))
