"""Putting a report's files in place, so that it is whole or absent whenever one stops.

Files are written in a folder aside, inside the folder of reports, and renamed out of it, the
manifest last. Several renames are not one: until the manifest is there, there is no report, and
`sweep` takes back what a process that was killed between them had put in place. Renaming is done
under a lock on the folder itself, so that two batches in one folder never mix their files and no
lock file is left behind.
"""

from __future__ import annotations

import contextlib
import errno
import functools
import hashlib
import os
import platform
import shutil
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import ParameterError

if TYPE_CHECKING:
    from .job import Job

__all__ = ["ENDINGS", "aside", "digest", "explained", "keep_failed", "place", "ready", "sweep"]

# A report's files, the one that makes it a report first: it is the first to go, the last to come.
ENDINGS = (".manifest.json", ".html", ".pdf", ".ipynb")
FAILED = ".failed.ipynb"
_ASIDE = ".rendering-"
_DAY = 86_400


def ready(out: str | Path, jobs: Iterable[Job] = ()) -> Path:
    """Return the folder of reports, made if absent, or refuse one that cannot be written to.

    Raises
    ------
    ParameterError
        A file of that name, a folder on a read-only disk or of somebody else, or a folder where
        an executed notebook would take the place of its own source.
    """
    out = Path(out)
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ParameterError(f"{_refusal(out)} ({error.strerror}); {_ELSEWHERE}") from None
    if not os.access(out, os.W_OK | os.X_OK):
        raise ParameterError(f"{_refusal(out)} (it is read-only); {_ELSEWHERE}")
    for job in jobs:
        with contextlib.suppress(FileNotFoundError):
            if os.path.samefile(job.source, out / f"{job.name}.ipynb"):
                raise ParameterError(
                    f"{job.source.name} would be overwritten by its own report; {_ELSEWHERE}"
                )
    return out


def place(out: Path, name: str, folder: Path) -> list[Path]:
    """Move a report from a folder aside to where readers look for it; return its files.

    `folder` holds its files, among them the manifest. While they are moved there is no manifest
    and no page under the name, so that an interruption never leaves a mixture of two reports.
    """
    found = [f"{name}{e}" for e in reversed(ENDINGS) if (folder / f"{name}{e}").exists()]
    with _locked(out):
        for ending in (*ENDINGS, FAILED):
            (out / f"{name}{ending}").unlink(missing_ok=True)
        try:
            for file in found:
                os.replace(folder / file, out / file)
        except BaseException:
            for file in found:
                if not (folder / file).exists():
                    (out / file).unlink(missing_ok=True)
            raise
    return [out / file for file in found]


def keep_failed(out: Path, name: str, content: bytes) -> Path:
    """Keep a failed notebook, marked as such, and remove the older report of that name."""
    kept = out / f"{name}{FAILED}"
    with aside(out) as folder:
        part = folder / kept.name
        part.write_bytes(content)
        with _locked(out):
            for ending in ENDINGS:
                (out / f"{name}{ending}").unlink(missing_ok=True)
            os.replace(part, kept)
    return kept


@contextlib.contextmanager
def aside(out: Path) -> Iterator[Path]:
    """Yield a folder inside `out`, so that renaming out of it stays within one file system."""
    prefix = f"{_ASIDE}{_machine()}-{os.getpid()}-{_started(os.getpid())}-"
    folder = Path(tempfile.mkdtemp(prefix=prefix, dir=out))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def sweep(out: str | Path) -> list[str]:
    """Remove from a folder of reports what processes left that were killed; say what.

    What was caught between two renames is taken back: without its manifest it is no report.
    Folders of processes that live are left alone, and so are those of other machines (a shared
    disk) until a day has passed.
    """
    out = Path(out)
    swept: list[str] = []
    with contextlib.suppress(OSError):
        for folder in sorted(out.glob(f"{_ASIDE}*")):
            if not _abandoned(folder):
                continue
            with _locked(out):
                swept += _take_back(out, folder)
                shutil.rmtree(folder, ignore_errors=True)
            swept.append(folder.name)
    return swept


def digest(path: Path) -> str:
    """Return the SHA-256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def explained(error: OSError, out: Path) -> str:
    """Say what an error while writing means, and the next step."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return (
            f"no space is left for reports in {str(out)!r}; free some space or {_ELSEWHERE}; "
            "what is there is whole, and the next run makes what is missing"
        )
    return f"{_refusal(out)} ({error.strerror or error}); {_ELSEWHERE}"


_ELSEWHERE = "give another folder with --out"


def _refusal(out: Path) -> str:
    return f"cannot write to {str(out)!r}"


def _take_back(out: Path, folder: Path) -> Iterator[str]:
    """Remove what lies under a report's name without a manifest; return the names."""
    for path in folder.iterdir():
        for last in (ENDINGS[0], FAILED):
            name = path.name.removesuffix(last)
            if name == path.name or (out / f"{name}{ENDINGS[0]}").exists():
                continue
            for ending in ENDINGS[1:]:
                file = out / f"{name}{ending}"
                if file.exists():
                    file.unlink()
                    yield file.name


def _abandoned(folder: Path) -> bool:
    """Tell whether the process that made a folder aside is gone."""
    try:
        machine, pid, started = folder.name.removeprefix(_ASIDE).split("-", 3)[:3]
        # Windows has no harmless way to ask after a process; a day must pass there too.
        if machine != _machine() or os.name == "nt":
            return time.time() - folder.stat().st_mtime > _DAY
        return _started(int(pid)) != started
    except (OSError, ValueError):
        return False


@functools.cache
def _machine() -> str:
    """Return a short name of the space in which process numbers mean something."""
    space = platform.node()
    with contextlib.suppress(OSError):
        space += os.readlink("/proc/self/ns/pid")
    return hashlib.sha256(space.encode()).hexdigest()[:8]


def _started(pid: int) -> str:
    """Return when a process began, since numbers are used again; 'gone' if there is none."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
            fields = file.read().rpartition(")")[2].split()
        # A zombie has ended; only its parent has not looked.
        return "gone" if fields[0] in "ZX" else fields[19]
    except FileNotFoundError:
        if os.path.exists("/proc/self/stat"):
            return "gone"
    if os.name != "nt":
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return "gone"
        except OSError:
            pass
    return "unknown"


@contextlib.contextmanager
def _locked(out: Path) -> Iterator[None]:
    """Hold the folder's lock; it ends with the process, whatever ends that."""
    try:
        import fcntl
    except ImportError:
        yield
        return
    descriptor = os.open(out, os.O_RDONLY)
    try:
        # Some network disks have no locks; there, renaming one by one must do.
        with contextlib.suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
