"""The same jobs on a Dask cluster, instead of on this computer's own processes."""

from __future__ import annotations

import contextlib
import hashlib
import os
import queue
import secrets
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ..errors import ParameterError, RenderError
from .worker import failure, run_job

__all__ = ["Cluster"]

_INSTALL = "pip install 'crime-analysis[cluster]'"


class Cluster:
    """Workers of a Dask cluster, with the methods of `Pool`.

    Each Dask worker writes its reports itself: `out` and the notebooks must lie on a file
    system that every worker sees under the same absolute path, and so must the folder where
    the batch is asked for, from which the notebooks run. Every worker needs this package
    installed, and has its own environment variables. Each worker process keeps one warm
    interpreter. A job whose worker dies goes to another worker; Dask gives up after it has
    killed several (its setting ``distributed.scheduler.allowed-failures``).

    Parameters
    ----------
    address : str
        Of the scheduler, such as ``tcp://10.0.0.5:8786``.
    out : Path
        The absolute folder of the reports.
    sources : iterable of Path
        The notebooks' absolute paths.
    patience : float
        Seconds to wait for the scheduler and for a first worker.

    Raises
    ------
    ParameterError
        `distributed` is not installed, nobody answers at `address`, or a worker does not see
        the folder, the notebooks or this package.
    """

    def __init__(
        self, address: str, out: Path, sources: Iterable[Path], patience: float = 10
    ) -> None:
        try:
            from distributed import Client
        except ImportError:
            raise ParameterError(
                f"a scheduler needs the package 'distributed'; install it: {_INSTALL}"
            ) from None
        try:
            self._client = Client(address, timeout=patience, set_as_default=False)
        except (OSError, ValueError) as error:
            raise ParameterError(
                f"no Dask scheduler answers at {address!r} ({type(error).__name__}); start one "
                "with 'dask scheduler', or leave out the scheduler to render here"
            ) from None
        self._address = address
        self._names: dict[int, str] = {}
        self._futures: dict[int, Any] = {}
        self._ended: queue.SimpleQueue[int] = queue.SimpleQueue()
        try:
            self._check(out, sources, patience)
        except BaseException:
            self._client.close()
            raise

    def free(self) -> bool:
        """Return whether a job handed out now would start at once."""
        return len(self._futures) < self.at_a_time()

    def at_a_time(self) -> int:
        """Return how many reports the cluster renders at a time; workers come and go."""
        try:
            return max(1, sum(self._client.nthreads().values()))
        except OSError:
            raise RenderError(
                f"the Dask scheduler at {self._address} is gone; what is rendered stays, and the "
                "same command renders the rest when there is a scheduler again"
            ) from None

    def hand_out(self, key: int, task: Mapping[str, Any]) -> None:
        """Submit a job."""
        self._names[key] = task["name"]
        future = self._client.submit(
            _run_there, {**task, "folder": os.getcwd()}, retries=1, pure=False,
            key=f"{task['name']}-{secrets.token_hex(4)}",
        )  # fmt: skip
        self._futures[key] = future
        future.add_done_callback(lambda done: self._ended.put(key))

    def wait(self, timeout: float) -> tuple[int, dict[str, Any]] | None:
        """Return the next job that ended and its result; None if there is none in time."""
        try:
            key = self._ended.get(timeout=timeout)
        except queue.Empty:
            return None
        future = self._futures.pop(key)
        try:
            return key, future.result()
        except Exception as error:
            said = f"{type(error).__name__}: {error}"
            return key, failure(self._names[key], said, "on the Dask cluster")

    def close(self) -> None:
        """Take back what has not begun, and leave the cluster as it was."""
        with contextlib.suppress(Exception):
            self._client.cancel(list(self._futures.values()))
        self._client.close()

    def __enter__(self) -> Cluster:
        return self

    def __exit__(self, *ignored: object) -> None:
        self.close()

    def _check(self, out: Path, sources: Iterable[Path], patience: float) -> None:
        """Refuse early what no worker could do."""
        try:
            self._client.wait_for_workers(1, timeout=patience)
        except TimeoutError:
            raise ParameterError(
                f"the Dask scheduler at {self._address} has no workers; start one with "
                f"'dask worker {self._address}'"
            ) from None
        probe = out / f".probe-{secrets.token_hex(8)}"
        probe.write_bytes(secrets.token_bytes(16))
        try:
            wanted = {str(path): _digest(path) for path in [probe, *sources]}
            seen = self._client.run(_unseen, wanted, os.getcwd(), on_error="return")
        finally:
            probe.unlink(missing_ok=True)
        for worker, answer in seen.items():
            if isinstance(answer, Exception):
                raise ParameterError(
                    f"the Dask worker {worker} cannot run this package ({answer}); install the "
                    "same version of crime-analysis there"
                )
            if answer is not None:
                lost = out if answer == str(probe) else Path(answer)
                raise ParameterError(
                    f"the Dask worker {worker} does not see {lost} as this computer does; give "
                    "a folder on a file system that all workers share"
                )


def _run_there(task: Mapping[str, Any]) -> dict[str, Any]:
    """Render a report on a Dask worker, from the folder where the batch was asked for."""
    os.chdir(task["folder"])
    return run_job(task)


def _unseen(wanted: Mapping[str, str], folder: str) -> str | None:
    """Return what is not here as it should be, if anything; runs on a Dask worker."""
    if not Path(folder).is_dir():
        return folder
    return next((name for name, digest in wanted.items() if _digest(Path(name)) != digest), None)


def _digest(path: Path) -> str | None:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return None
