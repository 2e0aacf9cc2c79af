"""Put a finished folder in the place of another at one stroke, whenever the program is stopped.

The new folder is filled beside the old, and the two then change names in a single step of the
kernel. Killed before that step, the old folder is whole; killed after it, the new one is. What a
killed program left beside is cleared by the next. Where the system has no such step, the old
folder is first set aside under a name that `standing` knows, so no moment is without one.
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

__all__ = ["replace_folder", "standing"]

_AT_FDCWD, _RENAME_EXCHANGE = -100, 2


def standing(folder: Path) -> Path:
    """Return the folder, or where it was set aside if a program was killed in replacing it."""
    if folder.exists():
        return folder
    aside = _aside(folder.resolve())
    return aside if aside.is_dir() else folder


def replace_folder(folder: Path, contents: Mapping[str, bytes]) -> None:
    """Make `folder` hold these files and no other: all of them, or whatever it held before.

    Parameters
    ----------
    folder : path
        What to replace, or to make.
    contents : mapping
        Bytes by name within the folder.

    Raises
    ------
    OSError
        If the disk is full or may not be written to; `folder` is as it was.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    with _workroom(folder) as new:
        for name, content in contents.items():
            path = new / name
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(content)
            _flush(path)
        new.chmod(0o755)
        _flush(new)
        with _locked(folder.parent):
            _swap(new, folder)
        _flush(folder.parent)


@contextlib.contextmanager
def _workroom(folder: Path) -> Iterator[Path]:
    """Give a new folder beside `folder`, locked while in use; clear those no program uses."""
    prefix = f".{folder.name}-build-"
    with _locked(folder.parent):
        if standing(folder) != folder:
            os.rename(standing(folder), folder)
        shutil.rmtree(_aside(folder), ignore_errors=True)
        for left in sorted(folder.parent.glob(f"{prefix}*")):
            unused = contextlib.suppress(BlockingIOError, NotADirectoryError)
            with unused, _locked(left, wait=False):
                shutil.rmtree(left, ignore_errors=True)
        new = Path(tempfile.mkdtemp(prefix=prefix, dir=folder.parent))
        lock = contextlib.ExitStack()
        lock.enter_context(_locked(new))
    with lock:
        try:
            yield new
        finally:
            # After the swap, this is the old folder.
            shutil.rmtree(new, ignore_errors=True)


@contextlib.contextmanager
def _locked(folder: Path, *, wait: bool = True) -> Iterator[None]:
    """Hold a folder's lock, which the kernel takes back from a program that dies."""
    import fcntl  # here, as reading tables needs no lock and other systems have none

    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        yield
    finally:
        os.close(handle)


def _swap(new: Path, folder: Path) -> None:
    """Put `new` in the place of `folder`; on failure `folder` is as it was."""
    if not folder.exists():
        os.rename(new, folder)
    elif not _exchange(new, folder):
        aside = _aside(folder)
        shutil.rmtree(aside, ignore_errors=True)
        os.rename(folder, aside)
        try:
            os.rename(new, folder)
        except BaseException:
            os.rename(aside, folder)
            raise
        shutil.rmtree(aside, ignore_errors=True)


def _aside(folder: Path) -> Path:
    return folder.with_name(f".{folder.name}.before")


def _exchange(one: Path, other: Path) -> bool:
    """Let two folders change names in one step; False where the system cannot."""
    import ctypes

    rename = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if rename is None:
        return False
    rename.argtypes = [ctypes.c_int, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_uint]
    names = os.fsencode(one), os.fsencode(other)
    if rename(_AT_FDCWD, names[0], _AT_FDCWD, names[1], _RENAME_EXCHANGE) == 0:
        return True
    problem = ctypes.get_errno()
    if problem in (errno.ENOSYS, errno.EINVAL, errno.ENOTSUP):
        return False
    raise OSError(problem, os.strerror(problem), str(other))


def _flush(path: Path) -> None:
    """Have a file or folder written to the disk itself, where its system can."""
    handle = os.open(path, os.O_RDONLY)
    try:
        with contextlib.suppress(OSError):
            os.fsync(handle)
    finally:
        os.close(handle)
