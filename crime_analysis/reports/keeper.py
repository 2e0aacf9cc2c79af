"""The keeper: one process that has imported everything, from which kernels are forked.

``python -m crime_analysis.reports.keeper`` listens on a Unix socket and turns every connection
into a guard (guard.py) with one kernel: warm, a fork of what is imported already, or cold, a
fresh interpreter.

The keeper lives as long as anyone holds the write end of its *lifeline*, a pipe, which the
operating system closes for those who were killed. It then ends its guards and removes what it
was told to. Were the keeper itself killed, its guards would go on without it.

Over a connection go lines of JSON. The first asks for a kernel and brings the descriptors of its
stdout and stderr; ``{"signal": n}`` sends one to the kernel's process group. Back come ``{"pid":
n, "cold": why}``, empty for a warm kernel, and at the end ``{"exit": code}``.
"""

from __future__ import annotations

import atexit
import builtins
import contextlib
import gc
import importlib
import json
import os
import pkgutil
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import NoReturn

from . import guard as _guard

__all__ = ["ADDRESS", "WARM_MODULES", "Keeper", "available", "environment", "start_keeper"]

ADDRESS = "CRIME_ANALYSIS_KEEPER"
"""The environment variable that names the socket of a running keeper."""

WARM_MODULES = (
    "numpy",
    "pandas",
    "pandas.io.formats.csvs",
    "pandas.io.formats.string",
    "pandas.io.formats.style",
    "matplotlib.pyplot",
    "matplotlib.backends.backend_agg",
    "matplotlib.backends.backend_svg",
    "seaborn",
    "scipy.stats",
    "statsmodels.api",
    "statsmodels.formula.api",
    "linearmodels",
    "pyfixest.estimation",
    "pyfixest.report",
    "pandera.pandas",
    "crime_analysis",
    "crime_analysis.warm",
)
"""What a warm kernel has imported. CRIME_ANALYSIS_WARM_MODULES replaces the list, names with
commas between them, of which ``default`` stands for this list."""

_OURS = __package__.partition(".")[0]
_LISTED = "CRIME_ANALYSIS_WARM_MODULES"
# What every kernel imports before its first cell.
_KERNEL_MODULES = (
    "ipykernel.kernelapp",
    "ipykernel.zmqshell",
    "ipykernel.debugger",
    "IPython.core.completerlib",
    "IPython.core.debugger",
    "IPython.core.oinspect",
    "IPython.extensions.storemagic",
    "pdb",
    "sqlite3",
    "tornado.platform.asyncio",
)
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")


# --- for those who want kernels ---------------------------------------------------------------


@dataclass
class Keeper:
    """A keeper that this process started.

    Attributes
    ----------
    address : str
        The path of its socket.
    lifeline : int
        The descriptor that keeps it alive. Processes that use the keeper should inherit it
        (``Popen(pass_fds=[keeper.lifeline])``): it then outlives none of them and fails none.
    """

    address: str
    lifeline: int
    process: subprocess.Popen[bytes] = field(repr=False)
    _owner: int = field(default_factory=os.getpid, repr=False)

    def environment(self) -> dict[str, str]:
        """Return the variables by which other processes find this keeper."""
        return {ADDRESS: self.address}

    @property
    def alive(self) -> bool:
        """Whether the keeper still runs."""
        return self.process.poll() is None

    def close(self) -> None:
        """End the keeper with all its kernels, and wait until they are gone."""
        # A fork of this process has the same object and no business to end anything.
        if os.getpid() != self._owner or self.lifeline < 0:
            return
        os.close(self.lifeline)
        self.lifeline = -1
        if self.alive:
            self.process.terminate()
        try:
            self.process.wait(timeout=15)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(Path(self.address).parent, ignore_errors=True)


def available() -> bool:
    """Whether this system can keep kernels: fork, child subreapers and death signals."""
    return sys.platform == "linux"


def start_keeper(*, warm: bool = True, cleanup_paths: Iterable[str | Path] = ()) -> Keeper:
    """Start a keeper and return at once: who connects is served when its imports are done.

    Parameters
    ----------
    warm : bool
        Whether it imports anything; otherwise all its kernels are cold.
    cleanup_paths : iterable of path
        Folders that it removes when the last holder of its lifeline is gone.

    Returns
    -------
    Keeper
        Its address, and the descriptor that keeps it alive.

    Raises
    ------
    OSError
        The process could not be started.
    """
    home = short_directory()
    address = str(home / "keeper")
    try:
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(address)
            listener.listen(256)
            reading, writing = os.pipe()
            order = {
                "listener": listener.fileno(),
                "lifeline": reading,
                "warm": warm,
                "remove": [str(home), *(os.path.abspath(path) for path in cleanup_paths)],
            }
            with (home / "keeper.log").open("wb") as log:
                process = subprocess.Popen(
                    [sys.executable, "-m", __name__, json.dumps(order)],
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    env=environment(),
                    pass_fds=[listener.fileno(), reading],
                    # Ctrl-C is for those who started it.
                    start_new_session=True,
                )
            os.close(reading)
    except BaseException:
        shutil.rmtree(home, ignore_errors=True)
        raise
    keeper = Keeper(address, writing, process)
    atexit.register(keeper.close)
    return keeper


def environment(home: Path | None = None) -> dict[str, str]:
    """Return a kernel's environment: the user's, less what makes two runs differ.

    Parameters
    ----------
    home : Path, optional
        The kernel's folder; a keeper has none.
    """
    inherited = {
        name: value
        for name, value in os.environ.items()
        # What Jupyter, a test or a batch says to this process it does not say to its kernels.
        if not name.startswith(("JPY_", "PYTEST_")) and name not in (ADDRESS, "IPYTHONDIR")
    }
    own = {"IPYTHONDIR": str(home / "ipython"), "TMPDIR": str(home / "tmp")} if home else {}
    return {
        # Kernels side by side lose more by sharing cores than their threads gain, and sums in
        # several threads are added up in an order that differs from run to run.
        **dict.fromkeys(_THREADS, "1"),
        **inherited,
        **own,
        "MPLBACKEND": "module://matplotlib_inline.backend_inline",
        "PYTHONHASHSEED": "0",
        "PYDEVD_DISABLE_FILE_VALIDATION": "1",
    }


def short_directory() -> Path:
    """Make a private directory whose socket paths fit the 107 characters Unix allows them."""
    for base in (tempfile.gettempdir(), "/tmp"):
        if len(base) < 80 and os.path.isdir(base):
            return Path(tempfile.mkdtemp(prefix="ca-", dir=base))
    return Path(tempfile.mkdtemp(prefix="ca-"))


# --- the keeper -------------------------------------------------------------------------------


class _Ended(BaseException):
    """The lifeline is cut, or this process was told to end."""

    @classmethod
    def at_once(cls, *signalled: object) -> NoReturn:
        raise cls


def _serve(
    listener: int, lifeline: int, warm: bool, remove: Sequence[str], guards: Sequence[int] = ()
) -> None:
    """Turn every connection into a guard until the lifeline is cut."""
    order = {"listener": listener, "lifeline": lifeline, "warm": warm, "remove": remove}
    door = socket.socket(fileno=listener)
    known, served = set(guards), 0
    _guard.adopt_orphans()
    wake = _guard.waker()
    try:
        imported = _import_all(lifeline, wake) if warm else None
        while True:
            ready = _guard.wait([listener, lifeline, wake.fileno()])
            if _heed(lifeline, wake):
                _bury(known)
            if listener not in ready:
                continue
            if imported and served and _guard.file_times(imported.times) != imported.times:
                # The same process, with everything imported anew; who has knocked waits.
                order["guards"] = sorted(known)
                command = [sys.executable, "-m", __spec__.name, json.dumps(order)]
                os.execve(command[0], command, imported.environment)
            connection, _ = door.accept()
            pid = os.fork()
            if pid == 0:
                door.close()
                wake.close()
                os.close(lifeline)
                _guard.guard(connection, imported)
            known.add(pid)
            served += 1
            connection.close()
    except _Ended:
        pass
    finally:
        for pid in known:
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGTERM)
        patience = time.monotonic() + 5
        while known and time.monotonic() < patience:
            _bury(known)
            time.sleep(0.005)
        _guard.kill_descendants()
        for path in remove:
            shutil.rmtree(path, ignore_errors=True)


def _heed(lifeline: int, wake: socket.socket) -> bool:
    """Raise if this process is to end; return whether a child of it has ended."""
    try:
        signals = wake.recv(4096)
    except BlockingIOError:
        signals = b""
    if signal.SIGTERM in signals or _guard.wait([lifeline], timeout=0):
        raise _Ended
    return signal.SIGCHLD in signals


def _import_all(lifeline: int, wake: socket.socket) -> _guard.Imported:
    """Import what kernels need, unless all who wait for it go."""
    before = dict(os.environ)
    # There are no kernels yet to put away first.
    patient = signal.signal(signal.SIGTERM, _Ended.at_once)
    gc.disable()
    # pandas chooses the width of its tables when it is imported, by whether this finds a kernel.
    builtins.get_ipython = lambda: SimpleNamespace(kernel=None)  # type: ignore[attr-defined]
    names = list(_KERNEL_MODULES)
    for name in os.environ.get(_LISTED, "default").split(","):
        names += WARM_MODULES if name.strip() == "default" else [name.strip()]
    if _OURS in names:
        # Its own imports wait until they are needed, which in a notebook they are.
        folder = str(Path(__file__).parents[1])
        found = pkgutil.walk_packages([folder], f"{_OURS}.", onerror=lambda name: None)
        names += [m.name for m in found if not m.name.startswith((__package__, f"{_OURS}.__"))]
    for name in filter(None, names):
        _heed(lifeline, wake)
        try:
            importlib.import_module(name)
        except Exception as error:
            print(f"{name}: {type(error).__name__}: {error}", file=sys.stderr, flush=True)
    del builtins.get_ipython  # type: ignore[attr-defined]
    signal.signal(signal.SIGTERM, patient)
    gc.enable()
    gc.collect()
    # Pages that the collector writes its marks on would no longer be shared with the kernels.
    gc.freeze()
    return _guard.Imported(
        environment=before,
        set={name: value for name, value in os.environ.items() if before.get(name) != value},
        threads=len(os.listdir("/proc/self/task")),
        times=_guard.file_times(_guard.editable_files()),
    )


def _bury(guards: set[int]) -> None:
    """Forget the guards that have ended, and kill what one that was killed has left to us."""
    guards.difference_update(_guard.reap())
    for pid in _guard.children().get(os.getpid(), []):
        if pid not in guards:
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)


if __name__ == "__main__":
    # Python puts the caller's folder first. Kernels have their own folders in that place.
    if not sys.flags.safe_path:
        del sys.path[0]
    _serve(**json.loads(sys.argv[1]))
    # Taking apart all that was imported would take longer than anyone should wait.
    os._exit(0)
