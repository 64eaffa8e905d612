"""What the official Python library says of each webhook on standard input: true or false, a line each."""

import json
import sys

from standardwebhooks import Webhook, WebhookVerificationError

for line in sys.stdin:
    case = json.loads(line)
    names = {"webhook-id": case["id"], "webhook-timestamp": case["timestamp"], "webhook-signature": case["signature"]}
    secret = case["secret"].encode() if case["plain"] else case["secret"]
    try:
        Webhook(secret).verify(case["body"].encode(), names)
        print("true")
    except WebhookVerificationError:
        print("false")
