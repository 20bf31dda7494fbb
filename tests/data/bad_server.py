"""A real web server on this machine that behaves badly on request."""

import http.server
import random
import threading
from dataclasses import dataclass, field

CONTENT = random.Random(5).randbytes(300_000)


@dataclass
class Host:
    """How one address behaves; `asked` collects the Range header of each request."""

    content: bytes = CONTENT
    status: int = 200
    ranges: bool = True
    stall_after: int | None = None
    die_after: int | None = None
    drip: float = 0.0
    shift: int = 0
    announce: bool = True
    asked: list[str | None] = field(default_factory=list)


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        host = self.server.hosts[self.path.split("/")[1]]
        wanted = self.headers["Range"]
        host.asked.append(wanted)
        if host.status != 200:
            return self.send_error(host.status)
        start = int(wanted.removeprefix("bytes=").removesuffix("-")) if wanted and host.ranges else 0
        if start and start >= len(host.content):
            return self.send_error(416)
        body = host.content[start:]
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start + host.shift}-{len(host.content) - 1}/{len(host.content)}")
        if host.announce:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.deliver(host, body)

    def deliver(self, host, body):
        limit = min(host.stall_after or len(body), host.die_after or len(body))
        try:
            if host.drip:
                for k in range(0, limit, 500):
                    self.wfile.write(body[k : k + 500])
                    if self.server.over.wait(host.drip):
                        return
            else:
                self.wfile.write(body[:limit])
            if host.stall_after is not None:
                self.server.over.wait(30)
        except OSError:
            pass
        self.close_connection = True

    def log_message(self, *_):
        pass


class Server:
    """Serves named hosts, each below its own path, until `stop`."""

    def __init__(self, hosts: dict[str, Host]) -> None:
        self.web = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.web.hosts, self.web.over = hosts, threading.Event()
        self.thread = threading.Thread(target=self.web.serve_forever, kwargs={"poll_interval": 0.01})
        self.thread.start()
        self.urls = [f"http://127.0.0.1:{self.web.server_port}/{name}/file.bin" for name in hosts]

    def stop(self) -> None:
        self.web.over.set()
        self.web.shutdown()
        self.web.server_close()
        self.thread.join()
