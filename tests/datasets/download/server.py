"""Local HTTP server that can interrupt transfers, ignore ranges and return errors."""

import http.server
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass
class Site:
    """Files and behaviour of a server.

    Args:
        files: Bytes by path.
        ranges: Whether it supports the Range header.
        break_after: Bytes after which each of the next transfers is interrupted, in order.
        errors: Status codes of the next answers, in order.
        with_length: Whether it sends the Content-Length header.
        ranges_requested: Range header of each request so far, or None.
        sent: Bytes of bodies sent so far.
    """

    files: dict[str, bytes] = field(default_factory=dict)
    ranges: bool = True
    break_after: list[int] = field(default_factory=list)
    errors: list[int] = field(default_factory=list)
    with_length: bool = True
    ranges_requested: list[str | None] = field(default_factory=list)
    sent: int = 0
    url: str = ""


@contextmanager
def serving(site: Site) -> Iterator[Site]:
    """Serve a site on a free port."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            requested = self.headers.get("Range")
            site.ranges_requested.append(requested)
            data = site.files.get(self.path)
            if site.errors:
                return self.send_error(site.errors.pop(0))
            if data is None:
                return self.send_error(404)
            start = 0
            if requested and site.ranges:
                match = re.fullmatch(r"bytes=(\d+)-", requested)
                assert match is not None
                start = int(match[1])
                if start >= len(data):
                    self.send_response(416)
                    self.send_header("Content-Range", f"bytes */{len(data)}")
                    return self.end_headers()
                self.send_response(206)
                self.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
            else:
                self.send_response(200)
            body = data[start:]
            if site.with_length:
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if site.break_after:
                body = body[: site.break_after.pop(0)]
            self.wfile.write(body)
            site.sent += len(body)
            return None

        def log_message(self, *_: object) -> None:
            pass

    class Server(http.server.ThreadingHTTPServer):
        def handle_error(self, *_: object) -> None:
            """Print nothing about interrupted connections."""

    server = Server(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    site.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield site
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
