"""An emulator process, an official client pointed at it, and its control pages."""

import json
import os
import subprocess
import unittest
import urllib.request
from typing import Any

from twilio.rest import Client


class Emulator:
    """A running emulator on a free port."""

    def __init__(self, *arguments: str) -> None:
        command = [os.environ["EMULATOR"], "--listen", "127.0.0.1:0", *arguments]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        ready = json.loads(self.process.stdout.readline())
        self.url: str = ready["url"]
        self.account: dict[str, str] = ready["account"]

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(timeout=10)
        self.process.stdout.close()

    def client(self) -> Client:
        """The official client with an API key, its products' base URLs pointed here and nothing else changed."""
        account = self.account
        client = Client(account["api_key_sid"], account["api_key_secret"], account["account_sid"])
        for product in (client.taskrouter, client.sync, client.api, client.flex_api):
            product.base_url = self.url
        return client

    def control(self, method: str, path: str, body: Any = None) -> Any:
        """A control page; these are the emulator's own, not Twilio's."""
        request = urllib.request.Request(f"{self.url}/emulator{path}", method=method)
        data = json.dumps(body if body is not None else {}).encode()
        with urllib.request.urlopen(request, data) as answer:
            text = answer.read()
        return json.loads(text) if text else None

    def do(self, verb: str, **fields: Any) -> Any:
        """A command to the simulated centre; the SID of what it made."""
        return self.control("POST", "/world", {"do": verb, **fields})["sid"]


class EmulatorTest(unittest.TestCase):
    """A test with an emulator of its own."""

    arguments: tuple[str, ...] = ()

    def setUp(self) -> None:
        self.emulator = Emulator(*self.arguments)
        self.addCleanup(self.emulator.stop)
        self.client = self.emulator.client()
        self.workspace = self.client.taskrouter.v1.workspaces(self.emulator.account["workspace_sid"])
        self.service = self.client.sync.v1.services(self.emulator.account["sync_service_sid"])
