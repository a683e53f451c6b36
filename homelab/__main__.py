"""``homelab`` and ``python -m homelab``. Layer: top.

Until the command line is loaded, Ctrl-C ends the process quietly, by the signal itself: Python's own
handler would print a traceback out of the imports.
"""

import signal

if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def main() -> None:
    """Load the command line and run this process's."""
    from homelab.cli import main as run  # noqa: PLC0415 -- only after the line above

    run()


if __name__ == "__main__":
    main()
