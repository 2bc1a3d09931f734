"""Serves the status page from the source tree, with scripted snapshots or those of a real node."""

import http.server
import json
import os
import socket
import threading
import urllib.parse
import urllib.request

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PAGE = os.path.join(ROOT, "kv/monitor/page")
CHART = "/usr/share/javascript/chart.js/chart.min.js"
POLICY = "default-src 'self'; frame-ancestors 'none'"
FILES = {
    "/": (f"{PAGE}/index.html", "text/html; charset=utf-8"),
    "/page.js": (f"{PAGE}/page.js", "text/javascript; charset=utf-8"),
    "/figures.js": (f"{PAGE}/figures.js", "text/javascript; charset=utf-8"),
    "/page.css": (f"{PAGE}/page.css", "text/css; charset=utf-8"),
    "/favicon.svg": (f"{PAGE}/favicon.svg", "image/svg+xml"),
    "/chart.js": (CHART, "text/javascript; charset=utf-8"),
}
REPEAT_SECONDS = 1


class _Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):  # pylint: disable=invalid-name
        try:
            self._answer(self.server.owner)
        except OSError:
            pass  # the page or the node went away

    def _answer(self, owner):
        path = urllib.parse.urlsplit(self.path).path
        if path in FILES:
            name, kind = FILES[path]
            with open(name, "rb") as file:
                self._send(200, kind, file.read())
        elif path == "/api/v1/status":
            self._send(*owner.status())
        elif path == "/api/v1/events":
            owner.serve_events(self)
        else:
            self._send(404, "text/plain", b"no such page\n")

    def _send(self, code, kind, body):
        self.start(code, kind)
        self.wfile.write(body)

    def start(self, code, kind):
        self.send_response(code)
        self.send_header("Content-Type", kind)
        self.send_header("Cache-Control", "no-store")
        self.send_header("Content-Security-Policy", POLICY)
        self.send_header("X-Content-Type-Options", "nosniff")
        self.end_headers()

    def log_message(self, format, *_):  # pylint: disable=redefined-builtin
        pass


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, address, owner):
        self.owner = owner
        self.connections = set()
        super().__init__(address, _Handler)

    def process_request(self, request, client_address):
        self.connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request):
        self.connections.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request, client_address):
        pass  # connections break on purpose

    def break_connections(self):
        for connection in list(self.connections):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


class PageServer:
    """Listens on one port of loopback from `start` to `stop`, again and again if wanted."""

    def __init__(self):
        self._server = None
        self._address = ("127.0.0.1", 0)
        self.start()
        self.url = f"http://127.0.0.1:{self._address[1]}"

    def start(self):
        self._server = _Server(self._address, self)
        self._address = self._server.server_address
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def start_if_stopped(self):
        if not self._server:
            self.start()

    def stop(self):
        """As a process that is killed: nothing listens, and all connections break."""
        if self._server:
            self._server.shutdown()
            self._server.server_close()
            self._server.break_connections()
            self._server = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


class ScriptedServer(PageServer):
    """Serves the snapshots that it is given."""

    def __init__(self, snapshot):
        self._changed = threading.Condition()
        self._snapshots = [snapshot]
        self._refuses = False
        self._silent = False
        self.streams = 0  # how many were asked for
        super().__init__()

    def publish(self, snapshot):
        with self._changed:
            self._snapshots.append(snapshot)
            self._changed.notify_all()

    def refuse_streams(self, refuses):
        self._refuses = refuses

    def silence_streams(self, silent):
        """Streams stay open and bring nothing, as when the network drops everything."""
        self._silent = silent

    def status(self):
        with self._changed:
            return 200, "application/json", json.dumps(self._snapshots[-1]).encode()

    def serve_events(self, handler):
        self.streams += 1
        if self._refuses:
            handler.start(503, "text/plain")
            handler.wfile.write(b"7 others listen already\n")
            return
        handler.start(200, "text/event-stream")
        with self._changed:
            sent = len(self._snapshots) - 1
        while True:
            with self._changed:
                # A node sends one every second, also when nothing is new.
                sent = min(sent, len(self._snapshots) - 1)
                news = self._snapshots[sent:]
                sent = len(self._snapshots)
            for snapshot in [] if self._silent else news:
                handler.wfile.write(f"event: status\ndata: {json.dumps(snapshot)}\n\n".encode())
            handler.wfile.flush()
            with self._changed:
                self._changed.wait_for(lambda count=sent: len(self._snapshots) > count, REPEAT_SECONDS)


class ForwardingServer(PageServer):
    """Serves the page of the source tree with what a real node says, so that the page can be tried
    without a build."""

    def __init__(self, node_port):
        self._node_port = node_port
        super().__init__()

    def _ask(self, path):
        return urllib.request.urlopen(f"http://127.0.0.1:{self._node_port}{path}", timeout=10)

    def status(self):
        with self._ask("/api/v1/status") as answer:
            return answer.status, answer.headers["Content-Type"], answer.read()

    def serve_events(self, handler):
        with self._ask("/api/v1/events") as answer:
            handler.start(answer.status, answer.headers["Content-Type"])
            while data := answer.read1():
                handler.wfile.write(data)
                handler.wfile.flush()
