"""A PostgreSQL server of a test's own, where its programs are installed."""

import contextlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path


def programs() -> Path | None:
    """The folder of initdb and postgres; None where they are not installed."""
    # Debian keeps them off the path.
    found = [Path(os.path.realpath(path)).parent for path in (shutil.which("initdb"),) if path]
    found += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next((folder for folder in found if (folder / "postgres").exists()), None)


@contextlib.contextmanager
def server() -> Iterator[str]:
    """The URL of a database that is gone when the block ends; it runs as nobody if we are root."""
    folder = programs()
    user = "nobody" if os.geteuid() == 0 else None
    name = user or pwd.getpwuid(os.geteuid()).pw_name
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory(prefix="postgres-") as home:
        if user:
            os.chown(home, pwd.getpwnam(user).pw_uid, pwd.getpwnam(user).pw_gid)
        data = f"{home}/data"
        quiet = {"user": user, "cwd": home, "stdout": subprocess.DEVNULL}
        subprocess.run([folder / "initdb", "-D", data, "-A", "trust", "-U", name, "--no-sync"], check=True,
                       **quiet)
        with open(f"{home}/log", "w", encoding="utf-8") as log:
            quiet["stdout"] = log
            process = subprocess.Popen([folder / "postgres", "-D", data, "-h", "127.0.0.1", "-p", str(port),
                                        "-k", home, "-c", "fsync=off"], stderr=log, **quiet)
        try:
            ready = [folder / "pg_isready", "-h", "127.0.0.1", "-p", str(port), "-t", "30"]
            for _ in range(100):
                if subprocess.run(ready, stdout=subprocess.DEVNULL).returncode == 0:
                    break
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(0.2)
            yield f"postgresql://{name}@127.0.0.1:{port}/postgres"
        finally:
            process.send_signal(signal.SIGINT)  # the fast way: it does not wait for clients to leave
            process.wait(30)
