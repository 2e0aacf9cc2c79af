"""A guard: the process that starts one kernel, watches it, and leaves nothing of it.

It is a fork of the keeper and owns one connection. Whatever its kernel starts and leaves behind
becomes its child (Linux calls that a child subreaper). When the kernel has ended, or its client
has hung up or died, the guard kills all its descendants, removes the kernel's folder, says how
the kernel ended and ends itself.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import shutil
import signal
import socket
import sys
import sysconfig
import tempfile
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import launch

__all__ = [
    "Imported",
    "adopt_orphans",
    "children",
    "editable_files",
    "file_times",
    "guard",
    "kill_descendants",
    "reap",
    "wait",
    "waker",
]

_PR_SET_CHILD_SUBREAPER = 36
# What a kernel's environment may have of its own: nothing reads these while it is imported.
_OWN = {"IPYTHONDIR", "TMPDIR"}


def guard(connection: socket.socket, imported: Imported | None) -> None:
    """Start the kernel that a client asks for and see to its end. Never returns.

    Parameters
    ----------
    connection : socket
        To the client.
    imported : Imported, optional
        What this process has imported for warm kernels.
    """
    code, home = 1, None
    try:
        adopt_orphans()
        wake = waker()
        request, streams, unread = _request(connection)
        home = request["home"]
        cold = "" if request["warm"] else "it is to be cold"
        cold = cold or (_unlike(request, imported) if imported else "nothing is imported")
        if imported and not cold:
            request["env"] |= imported.set
        kernel = _start(request, streams, warm=not cold)
        for stream in streams:
            os.close(stream)
        _say(connection, {"pid": kernel, "cold": cold})
        code = _watch(kernel, connection, wake, unread)
    except Exception as error:
        print(f"guard: {type(error).__name__}: {error}", file=sys.stderr, flush=True)
    finally:
        kill_descendants()
        if home:
            shutil.rmtree(home, ignore_errors=True)
        _say(connection, {"exit": code})
        os._exit(0)


def _request(connection: socket.socket) -> tuple[dict[str, Any], list[int], bytes]:
    """Return what the client asks for, its descriptors, and what it has sent since."""
    connection.settimeout(30)
    text, streams, _, _ = socket.recv_fds(connection, 1 << 16, 2)
    while b"\n" not in text:
        more = connection.recv(1 << 16)
        if not more:
            raise EOFError("the client hung up before it had asked for a kernel")
        text += more
    connection.settimeout(None)
    line, _, unread = text.partition(b"\n")
    return json.loads(line), list(streams), unread


def _watch(kernel: int, connection: socket.socket, wake: socket.socket, unread: bytes) -> int:
    """Pass on signals until the kernel has ended or nobody wants it; return its exit code."""
    while True:
        while b"\n" in unread:
            line, _, unread = unread.partition(b"\n")
            with contextlib.suppress(OSError):
                os.killpg(kernel, int(json.loads(line)["signal"]))
        ready = wait([connection.fileno(), wake.fileno()])
        if wake.fileno() in ready:
            if signal.SIGTERM in wake.recv(4096):
                return -signal.SIGKILL
            code = reap().get(kernel)
            if code is not None:
                return code
        if connection.fileno() in ready:
            try:
                said = connection.recv(4096)
            except OSError:
                said = b""
            if not said:
                return -signal.SIGKILL
            unread += said


def _say(connection: socket.socket, message: dict[str, Any]) -> None:
    with contextlib.suppress(OSError):
        connection.sendall(json.dumps(message).encode() + b"\n")


# --- the kernel -------------------------------------------------------------------------------


def _unlike(request: dict[str, Any], imported: Imported) -> str:
    """Say what this kernel would import otherwise than it was imported here; mostly nothing."""
    theirs, ours = request["env"], imported.environment
    for name in sorted({*theirs, *ours} - _OWN):
        if theirs.get(name) != ours.get(name):
            return f"its environment differs in {name}"
    if imported.threads > 1:
        return "an import has started threads, which a fork does not have"
    # In the kernel's folder a file `pandas.py` is what a notebook imports as pandas.
    with contextlib.suppress(OSError):
        for entry in os.scandir(request["cwd"]):
            found = getattr(sys.modules.get(entry.name.removesuffix(".py")), "__file__", None)
            here = os.path.realpath(entry.path)
            code = here if entry.name.endswith(".py") else os.path.join(here, "__init__.py")
            if found and os.path.realpath(found) != code and os.path.exists(code):
                return f"{entry.name} in its folder is imported in place of {found}"
    return ""


@dataclass(frozen=True)
class Imported:
    """What a process has imported, and under which circumstances.

    Attributes
    ----------
    environment : dict
        The variables that were set before.
    set : dict
        The variables that the imports set.
    threads : int
        How many there are.
    times : dict
        When files that may be edited while the process lives were last changed.
    """

    environment: dict[str, str]
    set: dict[str, str]
    threads: int
    times: dict[str, int]


def editable_files() -> list[str]:
    """Return the files of what is imported; of installed packages, the folder they are in."""
    # Installing something changes that folder.
    installed = {sysconfig.get_path(kind) for kind in ("stdlib", "purelib", "platlib")}
    files = {getattr(module, "__file__", None) for module in list(sys.modules.values())}
    within = tuple(f"{folder}{os.sep}" for folder in installed)
    return sorted(installed | {file for file in files if file and not file.startswith(within)})


def file_times(files: Iterable[str]) -> dict[str, int]:
    """Return when each file was last changed."""
    return {file: os.stat(file).st_mtime_ns for file in files if os.path.exists(file)}


def _start(request: dict[str, Any], streams: list[int], warm: bool) -> int:
    """Start the kernel in a session of its own and return its process."""
    parent = os.getpid()
    pid = os.fork()
    if pid:
        return pid
    try:
        env = {**request["env"], "JPY_PARENT_PID": str(parent)}
        _become_fresh(request["cwd"], env, streams)
        arguments, memory = request["arguments"], request["memory"]
        if not warm:
            command = [sys.executable, launch.__file__, str(parent), str(memory or 0), *arguments]
            os.execve(command[0], command, env)
        launch.bind(parent, memory)
        launch.run_kernel(arguments)
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        os._exit(1)


def _become_fresh(cwd: str, env: dict[str, str], streams: list[int]) -> None:
    """Undo in a fork what tells it from a process that has just been started."""
    os.setsid()
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number, stream in enumerate(streams, start=1):
        os.dup2(stream, number)
    for name in os.listdir("/proc/self/fd"):
        if int(name) > 2:
            with contextlib.suppress(OSError):
                os.close(int(name))
    os.chdir(cwd)
    for name in set(os.environ) - set(env):
        del os.environ[name]
    os.environ.update(env)
    tempfile.tempdir = None
    # Python reseeds `random` after a fork, numpy does not.
    if "numpy.random" in sys.modules:
        sys.modules["numpy.random"].seed()


# --- processes --------------------------------------------------------------------------------


def adopt_orphans() -> None:
    """Make the descendants of this process its children when their parents die."""
    import ctypes

    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def waker() -> socket.socket:
    """Return a socket that tells of this process's SIGCHLD and SIGTERM, to be waited for."""
    reading, writing = socket.socketpair()
    reading.setblocking(False)
    writing.setblocking(False)
    for number in (signal.SIGCHLD, signal.SIGTERM):
        signal.signal(number, lambda *_: None)
    signal.set_wakeup_fd(writing.detach(), warn_on_full_buffer=False)
    return reading


def wait(descriptors: list[int], timeout: float | None = None) -> list[int]:
    """Return those of the descriptors that have something to say, or have been hung up."""
    poll = select.poll()
    for descriptor in descriptors:
        poll.register(descriptor, select.POLLIN)
    return [found for found, _ in poll.poll(None if timeout is None else timeout * 1000)]


def children() -> dict[int, list[int]]:
    """Return the children of every process of this system."""
    found: dict[int, list[int]] = {}
    for name in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError):
            stat = Path("/proc", name, "stat").read_text(errors="replace")
            # A command's name, in brackets, may hold anything, brackets too.
            found.setdefault(int(stat.rpartition(")")[2].split()[1]), []).append(int(name))
    return found


def kill_descendants() -> None:
    """Kill everything that descends from this process, and whatever that goes on to start."""
    patience = time.monotonic() + 10
    while time.monotonic() < patience:
        reap()
        try:
            os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        except ChildProcessError:
            return
        of = children()
        doomed = list(of.get(os.getpid(), []))
        for pid in doomed:
            doomed += of.get(pid, [])
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.002)


def reap() -> dict[int, int]:
    """Return the exit codes of the children that have ended since the last call."""
    codes = {}
    with contextlib.suppress(ChildProcessError):
        while True:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                break
            codes[pid] = os.waitstatus_to_exitcode(status)
    return codes
