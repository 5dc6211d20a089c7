"""Tells the calls to other machines and the files opened for writing, of each process that has this on its path.

Python imports it at its start. The lines go to the file that ``WATCHED_TRACE`` names.
"""

import os
import sys

WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT
CALLS = ("socket.connect", "socket.getaddrinfo", "socket.sendto")
MADE = ("os.symlink", "os.link", "tempfile.mkdtemp", "tempfile.mkstemp", "sqlite3.connect")


def _subject(event, args):
    """What an event is about, if it is one to tell."""
    if event in CALLS:
        return args[-1] if event != "socket.getaddrinfo" else args[0]
    if event == "open" and isinstance(args[2], int) and args[2] & WRITING:
        return args[0]
    return args[0] if event in MADE else None


if "WATCHED_TRACE" in os.environ:
    _handle = os.open(os.environ["WATCHED_TRACE"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def _tell(event, args):
        subject = _subject(event, args)
        if subject is not None:
            os.write(_handle, f"{event}\t{os.fsdecode(subject) if isinstance(subject, bytes) else subject}\n".encode())

    sys.addaudithook(_tell)
