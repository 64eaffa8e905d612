"""Sync by way of the official client: create, update, conflict, delete, list, and the error codes."""

from twilio.base.exceptions import TwilioRestException

from emulator import EmulatorTest


class Sync(EmulatorTest):
    def assert_refused(self, status: int, code: int, call, *arguments, **named) -> None:
        with self.assertRaises(TwilioRestException) as refused:
            call(*arguments, **named)
        self.assertEqual((refused.exception.status, refused.exception.code), (status, code))

    def test_a_document(self) -> None:
        documents = self.service.documents
        document = documents.create(unique_name="board", data={"a": 1})
        self.assertEqual((document.revision, document.data, document.created_by), ("0", {"a": 1}, "system"))
        self.assertRegex(document.sid, "^ET[0-9a-f]{32}$")
        self.assertIsNone(document.date_expires)
        self.assert_refused(409, 54301, documents.create, unique_name="board")
        context = documents("board")
        self.assertEqual(context.update(data={"b": 2}, if_match="0").revision, "1")
        self.assert_refused(412, 54103, context.update, data={}, if_match="0")
        self.assert_refused(400, 54003, context.update, data={}, if_match="zero")
        self.assert_refused(400, 54010, context.update)
        self.assertEqual(documents(document.sid).fetch().data, {"b": 2})
        self.assertTrue(context.delete())
        self.assert_refused(404, 20404, context.fetch)
        self.assert_refused(404, 20404, context.update, data={})

    def test_documents_are_listed_in_pages(self) -> None:
        for n in range(5):
            self.service.documents.create(unique_name=f"d{n}")
        names = [document.unique_name for document in self.service.documents.list(page_size=2)]
        self.assertEqual(names, ["d0", "d1", "d2", "d3", "d4"])

    def test_data_that_is_wrong(self) -> None:
        create = self.service.documents.create
        self.assert_refused(400, 54008, create, data="{")
        self.assert_refused(413, 54006, create, data={"x": "y" * 17000})
        self.assert_refused(400, 54011, create, ttl=-1)

    def test_a_map_and_its_items(self) -> None:
        maps = self.service.sync_maps
        made = maps.create(unique_name="queueStats")
        self.assertRegex(made.sid, "^MP[0-9a-f]{32}$")
        self.assert_refused(409, 54301, maps.create, unique_name="queueStats")
        items = maps("queueStats").sync_map_items
        self.assert_refused(404, 20404, items("WQ1").update, data={"n": 1})
        item = items.create(key="WQ1", data={"n": 1})
        self.assertEqual((item.key, item.revision, item.map_sid), ("WQ1", "0", made.sid))
        self.assert_refused(409, 54208, items.create, key="WQ1", data={})
        self.assertEqual(items("WQ1").update(data={"n": 2}, if_match="0").revision, "1")
        self.assert_refused(412, 54205, items("WQ1").update, data={}, if_match="0")
        # The library drops `if_match` of a delete (its header is overwritten), so this cannot conflict here.
        self.assertTrue(items("WQ1").delete())
        self.assert_refused(404, 20404, items("WQ1").fetch)
        self.assertTrue(maps("queueStats").delete())
        self.assert_refused(404, 20404, items.create, key="WQ1", data={})

    def test_items_are_listed_in_pages(self) -> None:
        self.service.sync_maps.create(unique_name="m")
        items = self.service.sync_maps("m").sync_map_items
        for n in range(7):
            items.create(key=f"k{n}", data={"n": n})
        self.assertEqual([item.key for item in items.list(page_size=3)], [f"k{n}" for n in range(7)])
        backwards = items.list(order="desc", from_="k4", bounds="exclusive", page_size=2)
        self.assertEqual([item.key for item in backwards], ["k3", "k2", "k1", "k0"])

    def test_unusual_keys(self) -> None:
        self.service.sync_maps.create(unique_name="m")
        items = self.service.sync_maps("m").sync_map_items
        for key in ["ü.é 1", "100%", "日本"]:
            items.create(key=key, data={"key": key})
            self.assertEqual(items(key).fetch().data, {"key": key})

    def test_time_to_live(self) -> None:
        document = self.service.documents.create(unique_name="board", ttl=60)
        self.assertIsNotNone(document.date_expires)
        self.emulator.control("PATCH", "/settings", {"advance_clock_ms": 61_000})
        self.assert_refused(404, 20404, self.service.documents("board").fetch)

    def test_a_stream(self) -> None:
        stream = self.service.sync_streams.create(unique_name="news")
        self.assertRegex(stream.sid, "^TO[0-9a-f]{32}$")
        message = self.service.sync_streams("news").stream_messages.create(data={"x": 1})
        self.assertEqual(message.data, {"x": 1})
        self.assertRegex(message.sid, "^TZ[0-9a-f]{32}$")
        self.assertTrue(stream.delete())

    def test_permissions(self) -> None:
        self.assertFalse(self.service.fetch().acl_enabled)
        self.assertTrue(self.service.update(acl_enabled=True).acl_enabled)
        self.service.documents.create(unique_name="board")
        permissions = self.service.documents("board").document_permissions
        given = permissions("dashboard-42").update(read=True, write=False, manage=False)
        self.assertEqual((given.identity, given.read, given.write), ("dashboard-42", True, False))
        self.assertEqual([p.identity for p in permissions.list()], ["dashboard-42"])
        self.assertTrue(permissions("dashboard-42").delete())
        self.assert_refused(404, 20404, permissions("dashboard-42").fetch)

    def test_too_many_writes(self) -> None:
        self.service.documents.create(unique_name="board")
        large = {"x": "y" * 10_500}
        with self.assertRaises(TwilioRestException) as refused:
            for _ in range(60):
                self.service.documents("board").update(data=large)
        self.assertEqual((refused.exception.status, refused.exception.code), (429, 54009))
