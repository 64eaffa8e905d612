"""Calls and Messages by way of the official client."""

from twilio.base.exceptions import TwilioRestException

from emulator import EmulatorTest


class Api(EmulatorTest):
    def test_a_call(self) -> None:
        call = self.client.calls.create(
            to="+15005550006",
            from_="+14155552345",
            url="https://example.com/twiml",
            status_callback="https://example.com/status",
            status_callback_event=["ringing", "answered", "completed"],
        )
        self.assertRegex(call.sid, "^CA[0-9a-f]{32}$")
        self.assertEqual((call.status, call.direction, call.to), ("queued", "outbound-api", "+15005550006"))
        self.assertEqual(self.client.calls(call.sid).fetch().sid, call.sid)
        self.assertEqual(self.client.calls(call.sid).update(status="completed").status, "completed")
        self.assertEqual([c.sid for c in self.client.calls.list(status="completed")], [call.sid])
        recorded = self.emulator.control("GET", "/calls")[0]
        events = [value for name, value in recorded["params"] if name == "StatusCallbackEvent"]
        self.assertEqual(events, ["ringing", "answered", "completed"])

    def test_calls_are_listed_in_pages(self) -> None:
        for _ in range(5):
            self.client.calls.create(to="+15005550006", from_="+14155552345", twiml="<Response/>")
        self.assertEqual(len(self.client.calls.list(page_size=2)), 5)

    def test_a_message(self) -> None:
        message = self.client.messages.create(to="+15005550006", from_="+14155552345", body="Grüße")
        self.assertRegex(message.sid, "^SM[0-9a-f]{32}$")
        self.assertEqual((message.status, message.body, message.num_segments), ("queued", "Grüße", "1"))
        self.assertEqual(self.client.messages(message.sid).fetch().body, "Grüße")
        self.assertEqual(len(self.client.messages.list()), 1)
        with self.assertRaises(TwilioRestException) as refused:
            self.client.messages.create(to="+15005550006", from_="+14155552345", body="x" * 1601)
        self.assertEqual(refused.exception.status, 400)
