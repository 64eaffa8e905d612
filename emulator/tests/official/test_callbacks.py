"""Event callbacks, checked with Twilio's own request validator."""

import json

from emulator import EmulatorTest
from receiver import Receiver


class Callbacks(EmulatorTest):
    def setUp(self) -> None:
        super().setUp()
        self.receiver = Receiver(self.emulator.account["auth_token"])
        self.addCleanup(self.receiver.stop)

    def wait(self) -> list:
        self.emulator.control("POST", "/callbacks/wait_idle")
        return self.receiver.seen

    def test_a_lively_centre_signs_everything(self) -> None:
        self.workspace.update(event_callback_url=f"{self.receiver.url}?tenant=7#rc=2&rp=all")
        worker = self.workspace.workers.list()[0]
        worker.update(attributes=json.dumps({"name": "Zoë & Söhne", "note": " two  blanks \r\n", "skills": ["sales"]}))
        self.emulator.do("step", times=400)
        seen = self.wait()
        self.assertGreater(len(seen), 400)
        self.assertTrue(all(valid for valid, _, _ in seen))
        types = {params["EventType"] for _, params, _ in seen}
        self.assertLessEqual({"task.created", "reservation.accepted", "task.completed", "worker.activity.update"}, types)

    def test_a_filter_lets_only_some_through(self) -> None:
        self.workspace.update(event_callback_url=self.receiver.url, events_filter="task.created")
        queue = self.workspace.task_queues.list()[0]
        self.emulator.do("create_task", queue=queue.sid, attributes={"customer": "日本語 & more"})
        [(valid, params, _)] = self.wait()
        self.assertTrue(valid)
        self.assertEqual(params["EventType"], "task.created")
        self.assertEqual(json.loads(params["TaskAttributes"]), {"customer": "日本語 & more"})
        self.assertNotIn("TaskQueueSid", params)

    def test_event_streams_are_valid_by_the_hash_of_their_body(self) -> None:
        change = {"url": f"{self.receiver.url}?tenant=7", "format": "event_streams"}
        self.emulator.control("PATCH", "/callbacks", change)
        queue = self.workspace.task_queues.list()[0]
        self.emulator.do("create_task", queue=queue.sid)
        seen = self.wait()
        self.assertEqual(len(seen), 4)
        self.assertTrue(all(valid for valid, _, _ in seen))
        self.assertEqual(json.loads(seen[0][2])[0]["specversion"], "1.0")

    def test_a_wrong_token_is_noticed(self) -> None:
        self.emulator.control("PATCH", "/callbacks", {"url": self.receiver.url, "auth_token": "rotated"})
        queue = self.workspace.task_queues.list()[0]
        self.emulator.do("create_task", queue=queue.sid)
        self.assertFalse(any(valid for valid, _, _ in self.wait()))

    def test_a_calls_status_callbacks_are_valid(self) -> None:
        call = self.client.calls.create(
            to="+15005550006",
            from_="+14155552345",
            # TwiML at an address without a server could end the Call before the next step.
            twiml="<Response><Pause length=\"60\"/></Response>",
            status_callback=self.receiver.url,
            status_callback_event=["ringing", "answered", "completed"],
        )
        for status in ["ringing", "in-progress", "completed"]:
            self.emulator.control("PUT", f"/calls/{call.sid}", {"status": status})
        seen = self.wait()
        self.assertTrue(all(valid for valid, _, _ in seen))
        told = sorted((params["SequenceNumber"], params["CallStatus"]) for _, params, _ in seen)
        self.assertEqual(told, [("0", "ringing"), ("1", "in-progress"), ("2", "completed")])
