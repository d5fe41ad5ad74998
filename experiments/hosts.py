"""Supervises one process of a group, so that whatever ends it is one line.

XLA ends a process by itself, under pages of its log, when another process of the group is gone or can't be
reached. So the command starts itself again as a worker, whose file descriptors 1 and 2 lead to a log and
whose Python writes to the real streams, and waits for it. A worker ends with its supervisor.
"""

import contextlib
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import traceback
from collections.abc import Callable

from attention_lab.storage.device_errors import DeviceError, device_errors
from experiments import flags, streams

STREAMS = "ATTENTION_LAB_STREAMS"  # of a worker: descriptors of stdout, stderr and its supervisor
JOINED, SAID = b"j", b"s"  # what a worker reports: the group is complete; it has said why it ends
LOST_STATUS = flags.DEVICE_ERROR
PATIENCE = 10  # seconds in which a worker ends after a signal
AGAIN = "repeat the command in every process: it goes on from the last checkpoint"
TAIL, LONGEST = 2**16, 300  # characters of XLA's log that are read, and that are shown
PEER = "JAX distributed service detected fatal errors"  # XLA's last words where another process is gone
LOST = f"another process of the run has ended, or can't be reached: {AGAIN}"
TWICE = "different incarnation"
# What XLA writes where the group can't be formed, and what it means.
REASONS = {
    "Address already in use": "the port of JAX_COORDINATOR_ADDRESS is in use here: give a free one",
    TWICE: "two processes have the same JAX_PROCESS_ID, or one was started twice",
    "DEADLINE_EXCEEDED": "not all processes of the group came in time (--wait): start this command "
                         "JAX_NUM_PROCESSES times, with the JAX_COORDINATOR_ADDRESS of the first process and "
                         "a JAX_PROCESS_ID each",
}


def supervised() -> bool:
    """Whether this process is a worker."""
    return STREAMS in os.environ


def supervise(command: str) -> int:
    """Runs the command (the line after `python`) as a worker, passes signals on, and returns its exit status.

    Raises:
      ValueError: XLA has ended the worker before the group was complete.
      DeviceError: it has ended it later, or the system has.
      KeyboardInterrupt: a signal has ended the worker before it could say so.
    """
    debug = os.environ.get("ATTENTION_LAB_DEBUG") == "1"
    ours, theirs = socket.socketpair()
    with tempfile.TemporaryFile() as log, ours:
        passed = [os.dup(1), os.dup(2), theirs.fileno()]
        worker = subprocess.Popen(
            [sys.executable, *shlex.split(command)[1:]], pass_fds=passed, process_group=0,
            env=os.environ | {STREAMS: ",".join(map(str, passed))},
            **{} if debug else {"stdout": log, "stderr": log})
        theirs.close()
        os.close(passed[0]), os.close(passed[1])
        status, stop = _ended(worker)
        reports = b"".join(iter(lambda: ours.recv(64), b""))
        log.seek(max(0, log.seek(0, os.SEEK_END) - TAIL))
        written = log.read().decode("utf-8", "replace")
    if SAID in reports:
        return status
    if stop is not None:
        raise stop
    if JOINED not in reports or TWICE in written:
        raise ValueError(next((meaning for words, meaning in REASONS.items() if words in written),
                              f"the group of processes was not formed: {_why(written, status)}"))
    if status == LOST_STATUS or PEER in written:
        raise DeviceError(LOST)
    raise DeviceError(f"the process was ended ({_why(written, status)}): {AGAIN}")


def work(main: Callable[[Callable[[], None]], int], lost: Callable[[BaseException], bool]) -> int:
    """Calls `main(joined)` in a worker and returns its status; an error ends the process, as JAX would wait.

    Args:
      main: calls `joined`, which tells the supervisor, when the group is complete.
      lost: whether an error says that another process is gone.
    """
    out, err, descriptor = map(int, os.environ.pop(STREAMS).split(","))
    if os.environ.get("ATTENTION_LAB_DEBUG") != "1":
        sys.stdout, sys.stderr = open(out, "w"), open(err, "w")
        streams.write_utf8()
    supervisor = socket.socket(fileno=descriptor)
    threading.Thread(target=_end_with, args=(supervisor,), daemon=True).start()
    try:
        with device_errors():
            status = main(lambda: supervisor.send(JOINED))
        sys.stdout.flush()
        supervisor.send(SAID)
        return status
    except BaseException as error:
        if lost(error):
            _exit(LOST_STATUS)  # the supervisor says it, as it does where XLA was faster
        for number in (signal.SIGINT, *flags.STOPS):
            signal.signal(number, signal.SIG_IGN)
        supervisor.send(SAID)
        status = flags.report(error) if isinstance(error, flags.ENDS) else traceback.print_exc() or 1
        _exit(status)


def _exit(status: int) -> None:
    """Ends the process without JAX's wait for the others; what was printed reaches its reader."""
    streams.drop_unwritable_output()
    with contextlib.suppress(OSError):
        sys.stderr.flush()
    os._exit(status)


def _ended(worker: subprocess.Popen) -> tuple[int, KeyboardInterrupt | None]:
    """The exit status of the worker, and the signal that was passed on to it.

    A worker that waits inside XLA and hears no signal is killed.
    """
    try:
        return worker.wait(), None
    except KeyboardInterrupt as stop:
        worker.send_signal(getattr(stop, "signal", signal.SIGINT))
        try:
            return worker.wait(PATIENCE), stop
        except subprocess.TimeoutExpired:
            worker.kill()
            raise stop from None


def _end_with(supervisor: socket.socket) -> None:
    """Ends the process when its supervisor's end of the socket closes."""
    with contextlib.suppress(OSError):  # reset, where the supervisor has not read all
        supervisor.recv(1)
    os._exit(128 + signal.SIGKILL)


def _why(log: str, status: int) -> str:
    """The last error in XLA's log, or else the exit status."""
    errors = re.findall(r"^[EF]\d{4} [^\]]*\] (.*)$", log, re.MULTILINE)
    ended = signal.Signals(-status).name if status < 0 else f"status {status}"
    return f"{ended}: {errors[-1][:LONGEST]}" if errors else ended
