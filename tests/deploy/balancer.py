"""Holds deploy/scaled/nginx.conf to what it promises, with nginx itself and two replicas behind it, of which one hangs.

Docker's name server is not here, so the replicas are named by their addresses, and both are always tried. Times are cut to
a tenth, so that the test does not take long.
"""

import re
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

DEADLINE = 30


class Replica(BaseHTTPRequestHandler):
    """Counts what it is asked, and answers unless it hangs."""

    def asked(self):
        length = int(self.headers.get("Content-Length") or 0)
        self.rfile.read(length)
        self.server.seen.append((self.command, self.path))
        if self.server.hangs:
            self.server.awake.wait(DEADLINE)
            return
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_GET = do_POST = asked

    def log_message(self, *_):
        pass


def replica(hangs):
    server = ThreadingHTTPServer(("127.0.0.1", 0), Replica)
    server.hangs, server.seen, server.awake = hangs, [], threading.Event()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def configuration(text, port, replicas, work):
    """The same, for this machine."""

    def once(pattern, by):
        nonlocal text
        text, count = re.subn(pattern, by, text)
        assert count == 1, f"{pattern} is there {count} times"

    servers = "".join(f"server 127.0.0.1:{one.server_port} max_fails=0; " for one in replicas)
    once(r"resolver [^;]*;", "")
    once(r"server replica:8080 resolve [^;]*;", servers)
    once(r"listen 8080;", f"listen 127.0.0.1:{port};")
    once(r"worker_processes auto;", f"worker_processes 1; daemon off; pid {work}/nginx.pid; error_log {work}/nginx.log;")
    once(r"worker_rlimit_nofile \d+;", "")
    once(r"worker_connections \d+;", "worker_connections 100;")
    text = re.sub(r"proxy_read_timeout (\d+)s;", lambda found: f"proxy_read_timeout {found[1]}00ms;", text)
    paths = "".join(f"{kind}_temp_path {work}/{kind}; " for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    return text.replace("http {", "http { " + paths, 1)


def ask(port, method, path):
    body = b"a=b" if method == "POST" else None
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", data=body, method=method)
    began = time.monotonic()
    try:
        status = urllib.request.urlopen(request, timeout=DEADLINE).status
    except urllib.error.HTTPError as error:
        status = error.code
    return status, time.monotonic() - began


def main():
    text, work = Path(sys.argv[1]).read_text(), Path(sys.argv[2]).resolve() / "balancer"
    work.mkdir(exist_ok=True)
    hung, well = replica(True), replica(False)
    port = free_port()
    file = work / "nginx.conf"
    file.write_text(configuration(text, port, [hung, well], work))
    command = ["nginx", "-e", f"{work}/nginx.log", "-c", str(file)]
    subprocess.run([*command, "-t", "-q"], check=True)
    nginx = subprocess.Popen(command)
    try:
        while True:
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                break
            except ConnectionRefusedError:
                assert nginx.poll() is None, "nginx ended"
                time.sleep(0.02)
        promises(port, hung, well)
    finally:
        hung.awake.set()
        nginx.terminate()
        nginx.wait(DEADLINE)


def promises(port, hung, well):
    # Twice each, so that the one that hangs is asked first once: the balancer takes the one with fewer requests, in turn.
    for method, path in [
        ("POST", "/taskrouter/events"),
        ("POST", "/prefix/taskrouter/events?x=y"),
        ("POST", "/dashboardStats"),
        ("GET", "/"),
        ("GET", "/api/definitions"),
        ("GET", "/healthz"),
    ]:
        hung.seen.clear()
        answers = [ask(port, method, path) for _ in range(2)]
        assert [status for status, _ in answers] == [200, 200], f"{method} {path}: {answers}"
        assert (method, path) in hung.seen, f"{method} {path} was never put to the one that hangs"
    # A request that may not be done twice goes to no second replica.
    for method, path in [("POST", "/api/save"), ("GET", "/taskrouter/events?checkMap=true"), ("POST", "/dashboardStats?checkMap=true")]:
        hung.seen.clear()
        well.seen.clear()
        if "checkMap" in path:
            # It may take long, so the test waits only for the answer of the one that is well.
            waiting = [threading.Thread(target=ask, args=(port, method, path), daemon=True) for _ in range(2)]
            for one in waiting:
                one.start()
            until(lambda: len(hung.seen) == 1 and len(well.seen) == 1, f"{method} {path}")
            # Longer than anything else waits.
            waiting[0].join(4)
            waiting[1].join(1)
            assert sum(one.is_alive() for one in waiting) == 1, f"{method} {path}: the bootstrap is cut short"
            assert len(well.seen) == 1, f"{method} {path}: done twice"
            # Else the next one is put to who has less to do.
            hung.awake.set()
            for one in waiting:
                one.join(DEADLINE)
            hung.awake = threading.Event()
            continue
        answers = [ask(port, method, path) for _ in range(2)]
        assert sorted(status for status, _ in answers) == [200, 504], f"{method} {path}: {answers}"
        assert len(hung.seen) == 1 and len(well.seen) == 1, f"{method} {path}: done twice"
        assert max(took for _, took in answers) >= 3, f"{method} {path}: the answer was not waited for"


def until(condition, what):
    end = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < end, f"never came true: {what}"
        time.sleep(0.02)


main()
