"""What a person sees while a batch is rendered: one bar, or plain lines, and a closing table."""

from __future__ import annotations

import math
import os
import sys
import unicodedata
from collections.abc import Iterable
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from .summary import Batch, Result

__all__ = ["Progress", "bar", "closing_table", "counted", "plain", "spoken"]


class Progress:
    """Tells of a batch on a stream: a line redrawn on a terminal, a line a report elsewhere.

    Parameters
    ----------
    total : int
        How many reports the batch has.
    stream : text stream, optional
        Where to write; otherwise standard error.
    silent : bool
        Write nothing.

    Attributes
    ----------
    workers : int
        How many reports are rendered at a time.
    """

    def __init__(self, total: int, stream: TextIO | None = None, silent: bool = False) -> None:
        self._total, self._silent, self.workers = total, silent, 1
        self._stream = sys.stderr if stream is None else stream
        self._redraws = self._stream.isatty() and os.environ.get("TERM") != "dumb"
        self._done = self._failed = 0
        self._seconds: list[float] = []
        self._current: dict[str, str] = {}

    def began(self, name: str, label: str) -> None:
        """Say that a report is being rendered."""
        self._current[name] = label or name
        self.tick()

    def ended(self, result: Result) -> None:
        """Say what became of a report."""
        self._current.pop(result.name, None)
        self._done += 1
        self._failed += result.status == "failed"
        if result.status in ("rendered", "failed"):
            self._seconds.append(result.seconds)
        if not self._redraws and not self._silent:
            self._write(line(self._done, self._total, result) + "\n")
        self.tick()

    def tick(self) -> None:
        """Draw the bar again, as wide as the terminal now is."""
        if self._redraws and not self._silent:
            width = self._columns() - 1  # a terminal wraps when its last column is written
            text = bar(
                self._done, self._total, self._failed, self._left(),
                list(self._current.values()), width,
            )  # fmt: skip
            self._write("\r" + text + " " * (width - _width(text)))

    def close(self) -> None:
        """Take the bar away."""
        if self._redraws and not self._silent:
            self._write("\r" + " " * (self._columns() - 1) + "\r")

    def _left(self) -> float | None:
        if len(self._seconds) < 2:
            return None
        each = sum(self._seconds) / len(self._seconds)
        return each * (self._total - self._done) / self.workers

    def _columns(self) -> int:
        try:
            return os.get_terminal_size(self._stream.fileno()).columns or 80
        except OSError:
            return 80

    def _write(self, text: str) -> None:
        # What the stream cannot show becomes one "?", whose width is known.
        encoding = self._stream.encoding or "utf-8"
        try:
            self._stream.write(text.encode(encoding, "replace").decode(encoding))
            self._stream.flush()
        except OSError:
            # Whoever watched has left; the batch goes on.
            self._silent = True


def bar(
    done: int, total: int, failed: int, left: float | None, current: Iterable[str], width: int
) -> str:
    """Return one line of at most `width` columns.

    Examples
    --------
    >>> bar(12, 43, 1, 31.2, ["Kent", "Surrey"], 70)
    '[#####...............] 12/43, 1 failed, 32 s left: Kent, Surrey'
    >>> bar(12, 43, 1, 31.2, ["Kent", "Surrey"], 30)
    '12/43, 1 failed, 32 s left: K…'
    """
    size = min(20, width // 3 if width >= 36 else 0)
    filled = size * done // max(total, 1)
    text = f"[{'#' * filled}{'.' * (size - filled)}] " if size else ""
    text += f"{done}/{total}"
    text += f", {failed} failed" if failed else ""
    text += f", {spoken(math.ceil(left), 0)} left" if left is not None and done < total else ""
    names = ", ".join(map(plain, current))
    return _cut(f"{text}: {names}" if names else text, width)


def line(done: int, total: int, result: Result) -> str:
    """Return what a pipe or a log is told of one report."""
    told = f"{done}/{total} {result.status} {result.name}"
    if result.status in ("rendered", "failed"):
        told += f" {spoken(result.seconds)}"
    return told + (f": {plain(result.reason)}" if result.reason else "")


def closing_table(batch: Batch) -> str:
    """Return the counts, the time, the slowest reports and every failure, for people."""
    rows = [(word, str(count)) for word, count in counted(batch.results).items() if count]
    rows.append(("time", spoken(batch.seconds)))
    timed = sorted(batch.rendered, key=lambda r: -r.seconds)[:3]
    if len(timed) > 1:
        rows.append(("slowest", ", ".join(f"{r.name} {spoken(r.seconds)}" for r in timed)))
    for result in batch.failed:
        rows.append(("failure", f"{result.name}: {plain(result.reason)}"))
        if result.notebook is not None:
            rows.append(("", f"kept in {result.notebook}"))
    rows += [("index", str(batch.index)), ("summary", str(batch.summary))]
    return "\n".join(f"{word:<10}{told}".rstrip() for word, told in rows)


def counted(results: Iterable[Result]) -> dict[str, int]:
    """Return how many reports there are of each status, in a fixed order."""
    results = list(results)
    words = ("rendered", "fresh", "failed", "not run")
    return {"reports": len(results)} | {w: sum(r.status == w for r in results) for w in words}


def spoken(seconds: float, digits: int = 1) -> str:
    """Return a length of time as people say it.

    Examples
    --------
    >>> spoken(0.94), spoken(95.2)
    ('0.9 s', '1 min 35 s')
    """
    if seconds < 60:
        return f"{seconds:.{digits}f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def plain(text: str) -> str:
    """Return `text` on one line, without what a terminal would obey instead of show."""
    return "".join(c if c.isprintable() else "?" for c in " ".join(text.split()))


def _width(text: str) -> int:
    """Return how many columns a terminal gives to `text`."""
    return sum(map(_columns_of, text))


def _columns_of(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def _cut(text: str, width: int) -> str:
    if _width(text) <= width:
        return text
    kept, used = "", 0
    for character in text:
        used += _columns_of(character)
        if used > width - 1:
            break
        kept += character
    return f"{kept}…"[: max(width, 0)]
