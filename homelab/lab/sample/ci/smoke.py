"""What CI alone runs: start the application as it will run, and ask it."""

import os
import subprocess
import sys
import urllib.request


def main() -> None:
    """End with an error unless the started application says that it is well."""
    server = subprocess.Popen(
        [sys.executable, "hello.py"], stdout=subprocess.PIPE, text=True, env={**os.environ, "PORT": "0"}
    )
    try:
        port = server.stdout.readline().split()[-1]
        print(f"smoke: asking 127.0.0.1:{port}/healthz")
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=10) as answer:
            body = answer.read().decode()
    finally:
        server.terminate()
        server.wait()
    if body != "ok":
        sys.exit(f"smoke: /healthz answered {body!r}, expected 'ok'")
    print("smoke: /healthz answered ok")


main()
