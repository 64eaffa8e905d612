"""Signs what Twilio would sign, so that the webhooks are tried beyond their door.

Loaded by schemathesis. PUBLIC_URL and TWILIO_AUTH_TOKEN are those of the service under test. One request in four is left
unsigned, or is signed wrongly, as a caller other than Twilio would send it.
"""

import base64
import hashlib
import hmac
import os
from urllib.parse import parse_qsl, urlsplit, urlunsplit

import requests
import schemathesis

PUBLIC_URL = os.environ["PUBLIC_URL"]
TOKEN = os.environ["TWILIO_AUTH_TOKEN"].encode()
count = 0


class TwilioSignature(requests.auth.AuthBase):
    """Twilio, "Security": HMAC-SHA1 over the URL and the form's sorted fields; of JSON the body's hash is in the URL."""

    def __call__(self, request):
        parts = urlsplit(request.url)
        body = request.body or b""
        body = body.encode() if isinstance(body, str) else body
        kind = request.headers.get("Content-Type", "")
        if kind.startswith("application/json"):
            digest = "bodySHA256=" + hashlib.sha256(body).hexdigest()
            parts = parts._replace(query=f"{parts.query}&{digest}" if parts.query else digest)
            request.url = urlunsplit(parts)
        base = urlsplit(PUBLIC_URL)
        signed = urlunsplit((base.scheme, base.netloc, parts.path, parts.query, ""))
        if kind.startswith("application/x-www-form-urlencoded"):
            fields = {}
            for name, value in parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True):
                fields.setdefault(name, set()).add(value)
            signed += "".join(name + value for name in sorted(fields) for value in sorted(fields[name]))
        mac = hmac.new(TOKEN, signed.encode("utf-8", "replace"), hashlib.sha1)
        request.headers["X-Twilio-Signature"] = base64.b64encode(mac.digest()).decode()
        return request


@schemathesis.hook
def before_call(context, case, kwargs):
    global count
    security = case.operation.definition.raw.get("security", [])
    signed = any("twilio" in scheme for scheme in security)
    if signed and case.method == "POST" and "checkMap" not in (case.query or {}):
        count += 1
        if count % 4:
            kwargs["auth"] = TwilioSignature()
