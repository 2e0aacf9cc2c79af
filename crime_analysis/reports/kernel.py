"""One notebook, one private kernel: started, used and gone.

Three things differ from papermill's default. The kernel is always the interpreter that runs
this package, whatever kernelspecs a machine has (a stale ``python3`` spec of another
environment is the commonest way for a notebook to fail on a colleague's computer). It talks
over sockets in a directory of its own, because kernels started side by side race for TCP ports.
And it ignores the user's IPython profile, so that start-up files do not change results.
"""

from __future__ import annotations

import contextlib
import logging
import math
import os
import shutil
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

__all__ = ["Run", "execute"]

_ENGINE = "crime-analysis"

# What the kernel's machinery would log is said in the error that `render` raises.
_quiet = logging.getLogger("crime_analysis.reports.kernel")
_quiet.addHandler(logging.NullHandler())
_quiet.propagate = False


@dataclass
class Run:
    """What became of a notebook's execution.

    Attributes
    ----------
    nb : NotebookNode
        The notebook with the outputs of every cell that ran.
    cell : int or None
        Index in `nb` of the cell that failed.
    error : tuple of str or None
        The failing error's type and message.
    """

    nb: Any
    cell: int | None = None
    error: tuple[str, str] | None = None
    _kernel: list[Any] = field(default_factory=list, repr=False)


def execute(nb: Any, *, timeout: float | None = None, startup_timeout: float = 120) -> Run:
    """Execute a notebook in a kernel of its own, through papermill.

    The work is done in a thread, whose event loop no interruption can tear: on Ctrl-C the
    kernel is killed, the thread sees it die and puts everything away, and only then does the
    interruption go on.

    Parameters
    ----------
    nb : NotebookNode
        With its parameters injected. It is not changed.
    timeout : float, optional
        Seconds that one cell may take.
    startup_timeout : float
        Seconds that the kernel may take to answer.

    Returns
    -------
    Run
        The executed notebook and, if a cell failed, which and how.
    """
    run = Run(nb)
    raised: list[BaseException] = []
    # Not `thread.join`: interrupted, it takes a running thread for a finished one (bpo-45274).
    done = threading.Event()

    def work() -> None:
        try:
            _execute_here(run, timeout, startup_timeout)
        except BaseException as error:
            raised.append(error)
        finally:
            done.set()

    thread = threading.Thread(target=work, name="notebook", daemon=True)
    thread.start()
    try:
        while not done.wait(timeout=1):
            pass
    finally:
        # Again and again, because an interruption may come before the kernel has a process.
        patience = time.monotonic() + 30
        while not done.wait(timeout=0.2) and time.monotonic() < patience:
            for manager in run._kernel:
                _kill_process(manager)
    if raised and not isinstance(raised[0], Exception):
        raise raised[0]
    if raised and run.error is None:
        error = raised[0]
        run.error = (type(error).__name__, str(error))
    return run


def _execute_here(run: Run, timeout: float | None, startup_timeout: float) -> None:
    """Run papermill with our engine in this thread, on an event loop closed afterwards."""
    import papermill
    from jupyter_core.utils import ensure_event_loop
    from papermill.engines import papermill_engines
    from papermill.execute import ERROR_MARKER_TAG

    papermill_engines.register(_ENGINE, _engine())
    loop = ensure_event_loop()
    try:
        papermill.execute_notebook(
            run.nb,
            None,
            engine_name=_ENGINE,
            kernel_name="python3",
            progress_bar=False,
            request_save_on_cell_execute=False,
            autosave_cell_every=0,
            start_timeout=startup_timeout,
            execution_timeout=timeout,
            run=run,
        )
    except papermill.PapermillExecutionError as error:
        run.cell = error.cell_index if run.cell is None else run.cell
        run.error = (error.ename, error.evalue)
        # papermill has put its own two cells about the error among the notebook's.
        run.nb.cells = [
            c for c in run.nb.cells if ERROR_MARKER_TAG not in c.metadata.get("tags", [])
        ]
    finally:
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()


def _engine() -> type:
    """Return papermill's engine with our kernel; built late, since papermill imports slowly."""
    from papermill.clientwrap import PapermillNotebookClient
    from papermill.engines import Engine

    class PrivateKernelEngine(Engine):
        """Executes in a private kernel and remembers the notebook even when it fails."""

        @classmethod
        def execute_managed_notebook(
            cls,
            nb_man: Any,
            kernel_name: str,
            *,
            run: Run,
            start_timeout: float = 120,
            execution_timeout: float | None = None,
            **ignored: Any,
        ) -> None:
            run.nb = nb_man.nb
            with _private_kernel() as (manager, streams):
                run._kernel.append(manager)
                client = PapermillNotebookClient(
                    nb_man,
                    km=manager,
                    kernel_name=kernel_name,
                    # nbclient counts in whole seconds.
                    timeout=math.ceil(execution_timeout) if execution_timeout else None,
                    startup_timeout=start_timeout,
                    log=_quiet,
                    record_timing=False,
                    # When a stream is flushed depends on timing; joined, it does not.
                    coalesce_streams=True,
                )
                try:
                    client.execute(cleanup_kc=True, **streams)
                except Exception as error:
                    run.error = _explained(error, execution_timeout, streams["stderr"])
                    run.cell = _unfinished(run.nb)
                    raise
            # papermill takes sys.exit(0) for success, though the cells after it never ran.
            stopped = [i for i, c in enumerate(run.nb.cells) if c.metadata.papermill.exception]
            if stopped:
                run.cell = stopped[0]
                outputs = run.nb.cells[run.cell].get("outputs", [])
                for output in (o for o in outputs if o.output_type == "error"):
                    run.error = (output.ename, output.evalue)
                run.error = run.error or ("CellExecutionError", "the cell failed")

    return PrivateKernelEngine


@contextlib.contextmanager
def _private_kernel() -> Iterator[tuple[Any, dict[str, Any]]]:
    """Yield a kernel manager and the arguments to start it with; leave nothing behind."""
    from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
    from jupyter_client.manager import AsyncKernelManager

    class OwnInterpreter(KernelSpecManager):
        """Knows one kernel, whatever it is asked for."""

        def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
            argv = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
            return KernelSpec(argv=argv, display_name="Python 3", language="python")

    home = _short_directory()
    try:
        address = {"transport": "ipc", "ip": str(home / "k")} if os.name != "nt" else {}
        manager = AsyncKernelManager(
            kernel_name="python3",
            kernel_spec_manager=OwnInterpreter(log=_quiet),
            connection_file=str(home / "kernel.json"),
            log=_quiet,
            **address,
        )
        # Never the terminal: what the kernel says outside cells goes where an error can quote it.
        with (home / "kernel.log").open("w+") as log:
            try:
                yield manager, {"env": _environment(home), "stdout": log, "stderr": log}
            finally:
                _kill_process(manager)
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _short_directory() -> Path:
    """Make a private directory whose socket paths fit the 107 characters Unix allows them."""
    for base in (tempfile.gettempdir(), "/tmp"):
        if len(base) < 80 and os.path.isdir(base):
            return Path(tempfile.mkdtemp(prefix="ca-", dir=base))
    return Path(tempfile.mkdtemp(prefix="ca-"))


def _environment(home: Path) -> dict[str, str]:
    """Return the kernel's environment: the user's, less what makes two runs differ."""
    return {
        **os.environ,
        "IPYTHONDIR": str(home / "ipython"),
        "MPLBACKEND": "module://matplotlib_inline.backend_inline",
        "PYTHONHASHSEED": "0",
        "PYDEVD_DISABLE_FILE_VALIDATION": "1",
    }


def _explained(error: Exception, timeout: float | None, log: Any) -> tuple[str, str]:
    """Say what an error of the kernel's machinery means to the notebook's author."""
    kind = type(error).__name__
    if kind == "CellTimeoutError":
        return "TimeoutError", f"the cell took longer than {timeout:g} s"
    if kind == "DeadKernelError" or "Kernel died" in str(error):
        log.flush()
        log.seek(0)
        said = [line.strip() for line in log.read().splitlines() if line.strip()]
        return "DeadKernelError", f"the kernel died{': ' + said[-1] if said else ''}"
    return kind, str(error)


def _unfinished(nb: Any) -> int | None:
    """Return the index of the last cell that was begun."""
    # papermill marks a cell completed even when the kernel died under it, so the last one that
    # has a start time is the one that failed.
    begun = [i for i, c in enumerate(nb.cells) if c.metadata.get("papermill", {}).get("start_time")]
    return begun[-1] if begun else None


def _kill_process(manager: Any) -> None:
    """Kill a kernel that outlived its shutdown, and whatever it started."""
    process = getattr(manager.provisioner, "process", None)
    if process is None or process.poll() is not None:
        return
    with contextlib.suppress(OSError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
    process.wait()
