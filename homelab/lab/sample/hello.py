"""A web application small enough to read: one greeting, one health check."""

import http.server
import os
import sys

GREETING = "hello"


def greeting(name: str) -> str:
    """Return the greeting for a name; the world when there is none."""
    return f"{GREETING}, {name or 'world'}"


class Pages(http.server.BaseHTTPRequestHandler):
    """``/healthz`` answers ok; every other path greets its own name."""

    routes = {"/healthz": lambda: "ok"}

    def do_GET(self) -> None:
        page = self.routes.get(self.path, lambda: greeting(self.path.strip("/")))()
        self.send_response(200)
        self.end_headers()
        self.wfile.write(page.encode())

    def log_message(self, format: str, *args: object) -> None:
        print(format % args, file=sys.stderr)


def main() -> None:
    address = ("127.0.0.1", int(os.environ.get("PORT", "8080")))
    server = http.server.ThreadingHTTPServer(address, Pages)
    print(f"listening on {server.server_port}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
