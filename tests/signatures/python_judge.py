"""What Twilio's Python library says of each case on standard input: true or false, a line each."""

import json
import sys
from urllib.parse import parse_qsl

from twilio.request_validator import RequestValidator


class Many(dict):
    def getall(self, name):
        return self[name]


for line in sys.stdin:
    case = json.loads(line)
    parameters = Many()
    if case["media"] == "form":
        for name, value in parse_qsl(case["body"], keep_blank_values=True):
            parameters.setdefault(name, []).append(value)
    given = case["body"] if case["media"] == "json" else parameters
    print("true" if RequestValidator(case["token"]).validate(case["url"], given, case["signature"]) else "false")
