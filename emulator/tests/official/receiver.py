"""A small HTTP server that receives callbacks and checks each with Twilio's own validator."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

from twilio.request_validator import RequestValidator


class Receiver:
    def __init__(self, auth_token: str) -> None:
        self.validator = RequestValidator(auth_token)
        self.seen: list[tuple[bool, dict[str, str], str]] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                url = f"http://{self.headers['Host']}{self.path}"
                signature = self.headers["X-Twilio-Signature"]
                if self.headers["Content-Type"].startswith("application/json"):
                    params, checked = {}, body
                else:
                    pairs = parse_qs(body, keep_blank_values=True)
                    params = checked = {name: values[0] for name, values in pairs.items()}
                valid = receiver.validator.validate(url, checked, signature)
                receiver.seen.append((valid, params, body))
                self.send_response(204)
                self.send_header("Content-Type", "application/json")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/taskrouter/events"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()
