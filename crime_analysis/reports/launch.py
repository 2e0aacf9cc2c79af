"""How a kernel's process begins: bound in memory, in life and in what it prints; then ipykernel.

A cold kernel runs this file by its path, ``python launch.py PARENT BYTES -f FILE``, and a warm
one calls `bind` and `run_kernel` after its fork. The file imports nothing of the package, so that
a notebook's own first import finds the package exactly where it would without us.
"""

from __future__ import annotations

import contextlib
import os
import sys
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    CappedStream: type

__all__ = ["CELL_LIMIT", "bind", "run_kernel"]

CELL_LIMIT = 500_000
"""Characters of stdout, and as many of stderr, that a cell may leave in its notebook."""

_PR_SET_PDEATHSIG = 1
_SIGKILL = 9


def bind(parent: int, memory: int | None = None) -> None:
    """Tie this process's life to its parent's and limit its memory, where the system can.

    Parameters
    ----------
    parent : int
        The process that started this one; if it is gone already, so is this one.
    memory : int, optional
        Bytes of data that the process may hold. Beyond, Python raises MemoryError.
    """
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, _SIGKILL, 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)
    if memory and os.name == "posix":
        import resource

        ceiling = resource.getrlimit(resource.RLIMIT_DATA)[1]
        if ceiling != resource.RLIM_INFINITY:
            memory = min(memory, ceiling)
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_DATA, (memory, ceiling))


def run_kernel(arguments: list[str]) -> NoReturn:
    """Be an IPython kernel until a client says to stop, and end the process.

    Parameters
    ----------
    arguments : list of str
        What ``python -m ipykernel_launcher`` would be given.
    """
    import importlib.util

    from ipykernel.kernelapp import IPKernelApp

    globals()["CappedStream"] = _capped_stream()
    launcher = importlib.util.find_spec("ipykernel_launcher")
    # As the notebook would find it in a kernel of anybody else's.
    sys.argv = [str(launcher and launcher.origin), *arguments]
    sys.orig_argv = [sys.executable, "-m", "ipykernel_launcher", *arguments]
    app = IPKernelApp.instance(
        # ipykernel reads it when it is imported, which for a warm kernel was too early.
        parent_handle=int(os.environ.get("JPY_PARENT_PID") or 0),
        outstream_class=f"{__name__}.CappedStream",
    )
    try:
        app.initialize(list(arguments))
        app.start()
        code: object = 0
    except SystemExit as exit_:
        code = exit_.code
    except BaseException:
        sys.excepthook(*sys.exc_info())
        code = 1
    _leave(app, code)


def _leave(app: Any, code: object) -> NoReturn:
    """End as Python ends, less what keeps a kernel from it."""
    import atexit
    import gc
    import io
    import threading

    # ipykernel takes its own channels apart while its control thread still writes to them, and
    # one kernel in ten hangs over that.
    atexit.unregister(app.close)
    if app.iopub_thread is not None:
        atexit.unregister(app.iopub_thread.stop)
    with contextlib.suppress(BaseException):
        threading._shutdown()  # type: ignore[attr-defined]
        atexit._run_exitfuncs()
    # What a notebook wrote to a file and did not close.
    for one in gc.get_objects():
        if isinstance(one, io.TextIOWrapper | io.BufferedWriter):
            with contextlib.suppress(OSError, ValueError):
                one.flush()
    # Modules are not taken apart one by one: it costs a warm kernel more than its start.
    os._exit(code if isinstance(code, int) else int(code is not None))


def _capped_stream() -> type:
    """Return ipykernel's stream with an end; built late, since ipykernel imports slowly."""
    from ipykernel.iostream import OutStream

    class CappedStream(OutStream):
        """Sends the beginning of what a cell prints, and says once that the rest is left out.

        It is cut here, in the kernel, because a flood fills the memory of all it passes, and
        because the sockets drop messages under it, the one that says the cell is done too.
        """

        def __init__(self, *args: Any, **kwargs: Any) -> None:
            self._sent: dict[object, int] = {}
            super().__init__(*args, **kwargs)

        def write(self, string: str) -> int:
            cell = self.parent_header.get("msg_id")
            sent = self._sent.get(cell, 0)
            # ipykernel's own says what is wrong with anything but text.
            if not isinstance(string, str) or sent + len(string) <= CELL_LIMIT:
                super().write(string)
            elif sent <= CELL_LIMIT:
                notice = f"[{self.name} beyond {CELL_LIMIT:,} characters of this cell is left out]"
                super().write(f"{string[: CELL_LIMIT - sent]}\n{notice}\n")
            self._sent[cell] = sent + len(string)
            return len(string)

    # A notebook that looks at `sys.stdout` finds what it finds elsewhere.
    for name in ("__module__", "__name__", "__qualname__"):
        setattr(CappedStream, name, getattr(OutStream, name))
    return CappedStream


if __name__ == "__main__":
    # Python puts this file's folder first; no notebook may find `html` or `names` there.
    if not sys.flags.safe_path:
        del sys.path[0]
    bind(int(sys.argv[1]), int(sys.argv[2]) or None)
    run_kernel(sys.argv[3:])
