"""A command on a terminal, as a person runs it."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
from pathlib import Path

#: Makes the terminal on standard input the one whose Ctrl-C the command gets, and becomes the command.
CONTROLLED = (
    "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execvp(sys.argv[1], sys.argv[1:])"
)
CTRL_C = "\x03"


def on_terminal(*command: str | Path, cwd: Path, asked: str = "", typed: str = "", **env: str) -> tuple[int, str]:
    """Run `command` on a terminal of 120 columns; return its status, and what the terminal got.

    `typed` is typed once the terminal shows `asked`. Ctrl-C is pressed again each second until the program answers, as
    Python overlooks it between the prompt and the wait for input.
    """
    ours, theirs = pty.openpty()
    environ = {**os.environ, "TERM": "xterm", "COLUMNS": "120", **env}
    process = subprocess.Popen(
        [sys.executable, "-c", CONTROLLED, *command],
        cwd=cwd,
        env=environ,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    got, pressed = b"", False
    try:
        while True:
            if pressed and not select.select([ours], [], [], 1)[0]:
                os.write(ours, CTRL_C.encode())
                continue
            block = os.read(ours, 4096)
            if not block:
                break
            got += block
            pressed = pressed and not block.replace(b"^C", b"").strip()  # that is the terminal's echo
            if typed and asked in got.decode(errors="replace"):
                os.write(ours, typed.encode())
                typed, pressed = "", typed == CTRL_C
    except OSError:  # nobody has the other end open any more
        pass
    os.close(ours)
    return process.wait(), got.decode()
