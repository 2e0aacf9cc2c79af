"""One notebook, one private kernel: started, used and gone.

What differs from papermill's default. The kernel is always the interpreter that runs this
package, whatever kernelspecs a machine has (a stale ``python3`` spec of another environment is
the commonest way for a notebook to fail on a colleague's computer). It talks over sockets in a
directory of its own, because kernels started side by side race for TCP ports. It ignores the
user's IPython profile, so that start-up files do not change results. And where the system allows
it, it is forked from a keeper that has imported what notebooks need, and nothing that it starts
outlives it.
"""

from __future__ import annotations

import contextlib
import logging
import math
import os
import queue
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from . import keeper

__all__ = ["Run", "execute"]

_ENGINE = "crime-analysis"

# What the kernel's machinery would log is said in the error that `render` raises.
_quiet = logging.getLogger("crime_analysis.reports.kernel")
_quiet.addHandler(logging.NullHandler())
_quiet.propagate = False

_own_keepers: dict[tuple[int, bool], keeper.Keeper] = {}


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


def execute(
    nb: Any,
    *,
    timeout: float | None = None,
    startup_timeout: float = 120,
    memory_gb: float | None = None,
    warm: bool = True,
) -> Run:
    """Execute a notebook in a kernel of its own, through papermill.

    The work is done in a thread, whose event loop no interruption can tear: on Ctrl-C the
    kernel is killed, the thread sees it die and puts everything away, and only then does the
    interruption go on.

    When the last cell is done the kernel is asked to end, so that a notebook's exit handlers run
    and the files that it left open are written; what still runs after two seconds is killed.

    Parameters
    ----------
    nb : NotebookNode
        With its parameters injected. It is not changed.
    timeout : float, optional
        Seconds that one cell may take.
    startup_timeout : float
        Seconds that the kernel may take to answer.
    memory_gb : float, optional
        The data, in GB, that the kernel and each process it starts may hold; beyond, Python
        raises MemoryError.
    warm : bool
        Whether to fork the kernel from one that has imported what most notebooks need. The
        keeper of such kernels is the one that CRIME_ANALYSIS_KEEPER names, or else one that this
        process starts and keeps.

    Returns
    -------
    Run
        The executed notebook and, if a cell failed, which and how.
    """
    run = Run(nb)
    raised: list[BaseException] = []
    provisioner = {
        "address": _keeper_address(warm),
        "warm": warm,
        "memory_gb": memory_gb or 0,
        "patience": startup_timeout,
    }
    # Not `thread.join`: interrupted, it takes a running thread for a finished one (bpo-45274).
    done = threading.Event()

    def work() -> None:
        try:
            _execute_here(run, timeout, startup_timeout, provisioner)
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


def _keeper_address(warm: bool) -> str:
    """Return the socket of the keeper to ask; none where there can be no keeper."""
    named = os.environ.get(keeper.ADDRESS, "")
    if named or not keeper.available():
        return named
    # A fork of this process is another process.
    key = (os.getpid(), warm)
    if key not in _own_keepers or not _own_keepers[key].alive:
        try:
            _own_keepers[key] = keeper.start_keeper(warm=warm)
        except OSError:
            return ""
    return _own_keepers[key].address


def _execute_here(
    run: Run, timeout: float | None, startup_timeout: float, provisioner: dict[str, Any]
) -> None:
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
            provisioner=provisioner,
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
        for cell in run.nb.cells:
            _join_streams(cell)


@cache
def _engine() -> type:
    """Return papermill's engine with our kernel; built late, since papermill imports slowly."""
    from papermill.clientwrap import PapermillNotebookClient
    from papermill.engines import Engine

    class InterruptingClient(PapermillNotebookClient):
        """Interrupts a cell that takes too long, so that its traceback says where it was."""

        async def _async_handle_timeout(self, timeout: int, cell: Any = None) -> Any:
            await self.km.interrupt_kernel()
            with contextlib.suppress(queue.Empty):
                await self.kc.shell_channel.get_msg(timeout=1)
            return await super()._async_handle_timeout(timeout, cell)

    class PrivateKernelEngine(Engine):
        """Executes in a private kernel and remembers the notebook even when it fails."""

        @classmethod
        def execute_managed_notebook(
            cls,
            nb_man: Any,
            kernel_name: str,
            *,
            run: Run,
            provisioner: dict[str, Any],
            start_timeout: float = 120,
            execution_timeout: float | None = None,
            **ignored: Any,
        ) -> None:
            run.nb = nb_man.nb
            with _private_kernel(provisioner) as (manager, streams):
                run._kernel.append(manager)
                client = InterruptingClient(
                    nb_man,
                    km=manager,
                    kernel_name=kernel_name,
                    # nbclient counts in whole seconds.
                    timeout=math.ceil(execution_timeout) if execution_timeout else None,
                    startup_timeout=start_timeout,
                    log=_quiet,
                    record_timing=False,
                    # How long what was printed may take to arrive once a cell is done.
                    iopub_timeout=60,
                )
                try:
                    client.execute(cleanup_kc=True, **streams)
                except Exception as error:
                    ended = getattr(manager.provisioner, "exit_code", None)
                    run.error = _explained(error, execution_timeout, ended, streams["stderr"])
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
def _private_kernel(provisioner: dict[str, Any]) -> Iterator[tuple[Any, dict[str, Any]]]:
    """Yield a kernel manager and the arguments to start it with; leave nothing behind."""
    from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
    from jupyter_client.manager import AsyncKernelManager

    from .provisioner import NAME, PromptClient, register

    home = keeper.short_directory()
    register()

    class OwnInterpreter(KernelSpecManager):
        """Knows one kernel, whatever it is asked for."""

        def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
            argv = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
            config = {**provisioner, "home": str(home)}
            return KernelSpec(
                argv=argv,
                display_name="Python 3",
                language="python",
                metadata={"kernel_provisioner": {"provisioner_name": NAME, "config": config}},
            )

    try:
        (home / "tmp").mkdir()
        address = {"transport": "ipc", "ip": str(home / "k")} if os.name != "nt" else {}
        manager = AsyncKernelManager(
            kernel_name="python3",
            kernel_spec_manager=OwnInterpreter(log=_quiet),
            client_factory=PromptClient,
            connection_file=str(home / "kernel.json"),
            log=_quiet,
            **address,
        )
        # Never the terminal: what the kernel says outside cells goes where an error can quote it.
        with (home / "kernel.log").open("wb+") as log, open(os.devnull, "wb") as nothing:
            streams = {"stdout": nothing, "stderr": log}
            try:
                yield manager, {"env": keeper.environment(home), **streams}
            finally:
                _kill_process(manager)
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _explained(
    error: Exception, timeout: float | None, ended: int | None, log: Any
) -> tuple[str, str]:
    """Say what an error of the kernel's machinery means to the notebook's author."""
    kind = type(error).__name__
    if kind == "CellTimeoutError":
        return "TimeoutError", f"the cell took longer than {timeout:g} s"
    if kind == "DeadKernelError" or "Kernel died" in str(error):
        how = f" with exit code {ended}" if ended else ""
        if ended is not None and ended < 0:
            with contextlib.suppress(ValueError):
                how = f" of {signal.Signals(-ended).name}"
        log.seek(max(0, log.seek(0, os.SEEK_END) - 4096))
        lines = log.read().decode(errors="replace").splitlines()
        last = next((line.strip() for line in reversed(lines) if line.strip()), "")
        return "DeadKernelError", f"the kernel died{how}{': ' + last if last else ''}"
    return kind, str(error)


def _unfinished(nb: Any) -> int | None:
    """Return the index of the last cell that was begun."""
    # papermill marks a cell completed even when the kernel died under it, so the last one that
    # has a start time is the one that failed.
    begun = [i for i, c in enumerate(nb.cells) if c.metadata.get("papermill", {}).get("start_time")]
    return begun[-1] if begun else None


def _join_streams(cell: Any) -> None:
    """Join what a cell printed between two displays, stdout apart from stderr.

    In what pieces it arrives is chance. nbclient's own ``coalesce_streams`` moves all that a cell
    printed to where it began to, and takes hours for a line of 500,000 characters.
    """
    joined: list[Any] = []
    printed: dict[str, Any] = {}
    for output in [*cell.get("outputs", []), None]:
        if output is not None and output.output_type == "stream":
            if output.name in printed:
                printed[output.name].text += output.text
            else:
                printed[output.name] = output
            continue
        for name in sorted(printed, reverse=True):  # stdout, then stderr
            lines = printed[name].text.split("\n")
            printed[name].text = "\n".join(map(_overwritten, lines))
            joined.append(printed[name])
        printed = {}
        joined += [output] if output is not None else []
    if cell.get("outputs"):
        cell.outputs = joined


def _overwritten(line: str) -> str:
    """Return what is seen of a line that returned to its beginning and was written over."""
    return line[line.rfind("\r", 0, len(line) - 1) + 1 :]


def _kill_process(manager: Any) -> None:
    """Kill a kernel that outlived its shutdown, and whatever it started."""
    process = getattr(manager.provisioner, "process", None)
    if process is None or process.poll() is not None:
        return
    with contextlib.suppress(OSError):
        if isinstance(process, subprocess.Popen) and hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
    process.wait()
