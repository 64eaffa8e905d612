"""The Plugins API of Flex by way of the official client."""

from twilio.base.exceptions import TwilioRestException

from emulator import EmulatorTest


class Plugins(EmulatorTest):
    def setUp(self) -> None:
        super().setUp()
        self.flex = self.client.flex_api.v1

    def version(self, plugin: str, number: str) -> str:
        url = f"https://example.com/{plugin}/{number}.js"
        versions = self.flex.plugins(plugin).plugin_versions
        return versions.create(resource_version=number, plugin_url=url).sid

    def configure(self, name: str, *versions: str) -> str:
        plugins = [{"plugin_version": version, "phase": 3} for version in versions]
        return self.flex.plugin_configurations.create(name=name, plugins=plugins).sid

    def active(self) -> str:
        return self.flex.plugin_releases("Active").fetch().configuration_sid

    def test_a_release_names_the_plugins_of_its_configuration(self) -> None:
        for name in ("boards", "dialpad"):
            self.assertRegex(self.flex.plugins.create(unique_name=name).sid, "^FP[0-9a-f]{32}$")
        configuration = self.configure("both", self.version("boards", "1.0.0"), self.version("dialpad", "2.0.0"))
        self.assertRegex(configuration, "^FJ[0-9a-f]{32}$")
        release = self.flex.plugin_releases.create(configuration_id=configuration)
        self.assertRegex(release.sid, "^FK[0-9a-f]{32}$")
        self.assertEqual(self.active(), configuration)
        plugins = self.flex.plugin_configurations(configuration).plugins.list(page_size=1)
        self.assertEqual([(p.unique_name, p.version) for p in plugins], [("boards", "1.0.0"), ("dialpad", "2.0.0")])

    def test_going_back_is_a_new_release(self) -> None:
        self.flex.plugins.create(unique_name="boards", friendly_name="Boards", description="of numbers")
        old = self.configure("old", self.version("boards", "1.0.0"))
        new = self.configure("new")
        for configuration in (old, new, old):
            self.flex.plugin_releases.create(configuration_id=configuration)
            self.assertEqual(self.active(), configuration)
        self.assertEqual(len(self.flex.plugin_releases.list()), 3)
        self.assertEqual(self.flex.plugin_configurations(new).plugins.list(), [])

    def test_what_is_archived_is_not_released(self) -> None:
        self.flex.plugins.create(unique_name="boards")
        version = self.version("boards", "1.0.0")
        configuration = self.configure("one", version)
        self.flex.plugins("boards").update(friendly_name="Boards of old")
        self.assertEqual(self.flex.plugins("boards").fetch().friendly_name, "Boards of old")
        self.assertTrue(self.flex.plugin_configuration_archive(configuration).update().archived)
        self.assertTrue(self.flex.plugin_version_archive("boards", version).update().archived)
        for refused in (
            lambda: self.flex.plugin_releases.create(configuration_id=configuration),
            lambda: self.configure("two", version),
        ):
            with self.assertRaises(TwilioRestException) as refusal:
                refused()
            self.assertEqual(refusal.exception.status, 400)
        self.assertTrue(self.flex.plugin_archive("boards").update().archived)
