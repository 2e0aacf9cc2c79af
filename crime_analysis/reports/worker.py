"""Processes that render one report at a time, and the pool that feeds them.

The two ends of one pipe: `Pool` in the batch's process writes a job a line, a worker
(``python -m crime_analysis.reports.worker``) writes a result a line. A worker is an ordinary
program and not a `multiprocessing` child, which would import the user's script anew.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, NoReturn, TextIO

__all__ = ["Pool", "failure", "main", "run_job"]

# An interrupted batch is to be gone within two seconds.
_PATIENCE = 1.0


def run_job(task: Mapping[str, Any]) -> dict[str, Any]:
    """Render one report and return a result that JSON can hold.

    Parameters
    ----------
    task : mapping
        ``job`` as `Job.as_dict` returns it, ``out``, and ``options`` as of `Options`.
    """
    from .job import job_from_dict
    from .rendering import Options, render_job

    clock = time.perf_counter()
    try:
        job = job_from_dict(task["job"])
        return render_job(job, Path(task["out"]), Options(**task["options"]))
    except Exception as error:
        # A notebook's own failure is a result; this is a full disk, or a fault of ours.
        said = f"{type(error).__name__}: {error}"
        return failure(task["name"], said, "outside the notebook", time.perf_counter() - clock)


def failure(name: str, error: str, where: str, seconds: float = 0.0) -> dict[str, Any]:
    """Return the result of a job of which nothing is left."""
    return {
        "name": name, "status": "failed", "seconds": round(seconds, 2), "error": error,
        "where": where, "html": None, "notebook": None, "manifest": None,
    }  # fmt: skip


# --- the batch's end --------------------------------------------------------------------------


@dataclass(eq=False)
class _Worker:
    process: subprocess.Popen[bytes]
    log: IO[bytes]
    key: int | None = None


class Pool:
    """Worker processes on this computer, started when there is work for them.

    Parameters
    ----------
    count : int
        The most workers there may be.
    environment : mapping
        What to add to this process's environment for the workers.
    descriptors : tuple of int
        Open file descriptors that every worker holds too.
    """

    def __init__(
        self, count: int, environment: Mapping[str, str], descriptors: tuple[int, ...] = ()
    ) -> None:
        self._count, self._descriptors = count, descriptors
        self._environment = {**os.environ, **environment}
        self._workers: list[_Worker] = []
        self._tasks: dict[int, Mapping[str, Any]] = {}
        self._retried: set[int] = set()
        self._answers: queue.SimpleQueue[tuple[_Worker, dict[str, Any] | None]]
        self._answers = queue.SimpleQueue()

    def at_a_time(self) -> int:
        """Return how many reports are rendered at a time."""
        return self._count

    def free(self) -> bool:
        """Return whether a job handed out now would start at once."""
        return len(self._tasks) < self._count

    def hand_out(self, key: int, task: Mapping[str, Any]) -> None:
        """Give a job to an idle worker, or to a new one."""
        self._tasks[key] = task
        worker = next((w for w in self._workers if w.key is None), None) or self._start()
        worker.key = key
        # A worker that died while idle is found by its end of file, like any other.
        with contextlib.suppress(OSError):
            assert worker.process.stdin is not None
            worker.process.stdin.write(json.dumps(task).encode() + b"\n")
            worker.process.stdin.flush()

    def wait(self, timeout: float) -> tuple[int, dict[str, Any]] | None:
        """Return the next job that ended and its result; None if there is none in time."""
        try:
            worker, result = self._answers.get(timeout=timeout)
        except queue.Empty:
            return None
        if result is None:
            return self._bury(worker)
        assert worker.key is not None
        key, worker.key = worker.key, None
        del self._tasks[key]
        return key, result

    def close(self) -> None:
        """End the workers: those at rest by hanging up, those at work by signal."""
        busy = [w.process for w in self._workers if w.key is not None]
        for worker in self._workers:
            with contextlib.suppress(OSError):
                assert worker.process.stdin is not None
                worker.process.stdin.close()
        for process in busy:
            process.terminate()
        deadline = time.monotonic() + (_PATIENCE if busy else 10)
        for worker in self._workers:
            try:
                worker.process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                _kill(worker.process)
                worker.process.wait()
            worker.log.close()
        self._workers.clear()

    def __enter__(self) -> Pool:
        return self

    def __exit__(self, *ignored: object) -> None:
        self.close()

    def _start(self) -> _Worker:
        log = tempfile.TemporaryFile()  # noqa: SIM115 - it lives as long as the worker
        process = subprocess.Popen(
            [sys.executable, "-m", "crime_analysis.reports.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            env=self._environment,
            pass_fds=self._descriptors,
            # Ctrl-C at a terminal goes to its whole group; the batch alone decides what to end.
            start_new_session=True,
        )
        worker = _Worker(process, log)
        self._workers.append(worker)
        threading.Thread(target=self._listen, args=(worker,), daemon=True).start()
        return worker

    def _listen(self, worker: _Worker) -> None:
        """Pass on what a worker says, and at last that it is gone."""
        assert worker.process.stdout is not None
        with worker.process.stdout as lines:
            for line in lines:
                # A worker killed while it wrote leaves half a line.
                with contextlib.suppress(ValueError):
                    self._answers.put((worker, json.loads(line)))
        self._answers.put((worker, None))

    def _bury(self, worker: _Worker) -> tuple[int, dict[str, Any]] | None:
        """Give a dead worker's job to a new one, or say that it kills workers."""
        self._workers.remove(worker)
        _kill(worker.process)
        reason = _last_words(worker, worker.process.wait())
        worker.log.close()
        if worker.key is None:
            return None
        task = self._tasks.pop(worker.key)
        if worker.key not in self._retried:
            self._retried.add(worker.key)
            self.hand_out(worker.key, task)
            return None
        said = f"the process that rendered it died, and the next one too: {reason}"
        return worker.key, failure(task["name"], said, "outside the notebook")


def _kill(process: subprocess.Popen[bytes]) -> None:
    """Kill a worker and what it left in its session."""
    with contextlib.suppress(OSError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()


def _last_words(worker: _Worker, code: int) -> str:
    """Say how a worker ended, with the last line it wrote."""
    try:
        how = f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
    except ValueError:
        how = f"killed by signal {-code}"
    worker.log.seek(0, os.SEEK_END)
    worker.log.seek(max(0, worker.log.tell() - 4000))
    lines = worker.log.read().decode(errors="replace").split("\n")
    said = [line.strip() for line in lines if line.strip()]
    return f"{how}, {said[-1]}" if said else how


# --- the worker's end -------------------------------------------------------------------------


def main() -> int:
    """Render the jobs that standard input names until it ends."""
    signal.signal(signal.SIGTERM, _stop)
    # jsonschema, which nbformat imports, builds a grammar of web addresses with this where it is
    # installed. That is most of a worker's start, and no notebook's schema asks for it.
    sys.modules["rfc3987_syntax"] = None  # type: ignore[assignment]
    jobs, results = _private_streams()
    waiting: queue.SimpleQueue[str] = queue.SimpleQueue()
    busy, ended = threading.Event(), threading.Event()
    threading.Thread(target=_listen, args=(jobs, waiting, busy, ended), daemon=True).start()
    while text := waiting.get():
        busy.set()
        if ended.is_set():
            break
        result = run_job(json.loads(text))
        # Before the batch can know that this worker is at rest and hang up on it.
        busy.clear()
        results.write(json.dumps(result) + "\n")
        results.flush()
    return 0


def _private_streams() -> tuple[TextIO, TextIO]:
    """Take standard input and output away from whatever else might read or print."""
    jobs = os.fdopen(os.dup(0), encoding="utf-8")
    results = os.fdopen(os.dup(1), "w", encoding="utf-8")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    return jobs, results


def _listen(
    jobs: TextIO,
    waiting: queue.SimpleQueue[str],
    busy: threading.Event,
    ended: threading.Event,
) -> None:
    """Queue the jobs; when the batch hangs up in the middle of one, it is dead: follow it."""
    for text in jobs:
        waiting.put(text)
    ended.set()
    waiting.put("")
    if busy.is_set():
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(_PATIENCE)
        os._exit(1)


def _stop(number: int, frame: object) -> NoReturn:
    # Once: what is being put away must not be interrupted in turn.
    signal.signal(number, signal.SIG_IGN)
    raise SystemExit(128 + number)


if __name__ == "__main__":
    sys.exit(main())
