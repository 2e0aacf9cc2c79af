"""What became of a batch: for people, for programs, and as a file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import RenderError
from .progress import counted, plain

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["FILES", "Batch", "BatchError", "Result", "write_summary"]

FILES = {"html": ".html", "notebook": ".ipynb", "manifest": ".manifest.json", "pdf": ".pdf"}


@dataclass(frozen=True)
class Result:
    """What became of one report.

    Attributes
    ----------
    name : str
        What its files are called, without endings.
    label : str
        The values that tell it from its siblings.
    source : str
        The notebook that it is made from.
    status : str
        ``rendered``, ``fresh`` (nothing it depends on has changed), ``failed`` or ``not run``.
    seconds : float
        How long it took; 0 if it was not rendered.
    error, where : str or None
        Of a failure: what was raised, and in which cell.
    html, notebook, manifest, pdf : Path or None
        The files that there are; of a failure, the notebook as far as it came.
    """

    name: str
    label: str
    source: str
    status: str
    seconds: float = 0.0
    error: str | None = None
    where: str | None = None
    html: Path | None = None
    notebook: Path | None = None
    manifest: Path | None = None
    pdf: Path | None = None

    @property
    def reason(self) -> str:
        """Why it failed, on one line; empty if it did not."""
        return ": ".join(filter(None, [self.where, self.error]))

    @property
    def records(self) -> dict[str, Any]:
        """The values that its notebook recorded, read from the manifest."""
        if self.manifest is None:
            return {}
        return dict(json.loads(self.manifest.read_text(encoding="utf-8"))["records"])


@dataclass(frozen=True)
class Batch:
    """What became of every report of a batch, in the order in which they were asked for.

    Attributes
    ----------
    results : list of Result
        One a report.
    index, summary : Path
        The page that lists the folder's reports, and ``summary.json``.
    seconds : float
        How long the whole took.
    """

    results: list[Result]
    index: Path
    summary: Path
    seconds: float

    @property
    def rendered(self) -> list[Result]:
        """The reports that were made."""
        return [r for r in self.results if r.status == "rendered"]

    @property
    def skipped(self) -> list[Result]:
        """The reports that were up to date already."""
        return [r for r in self.results if r.status == "fresh"]

    @property
    def failed(self) -> list[Result]:
        """The notebooks that failed."""
        return [r for r in self.results if r.status == "failed"]

    def __str__(self) -> str:
        """Return the closing table."""
        from .progress import closing_table

        return closing_table(self)

    def frame(self) -> pd.DataFrame:
        """Return one row a report; the numbers that they recorded are in `collect`."""
        import pandas as pd

        columns = ["name", "label", "status", "seconds", "error", "where", "html"]
        return pd.DataFrame([[getattr(r, c) for c in columns] for r in self.results], None, columns)


class BatchError(RenderError):
    """At least one report failed; ``batch`` tells of all of them."""

    def __init__(self, batch: Batch) -> None:
        super().__init__(_said(batch))
        self.batch = batch


def write_summary(batch: Batch, told: Mapping[str, Any]) -> None:
    """Write ``summary.json`` aside and put it in place.

    Parameters
    ----------
    batch : Batch
        What became of it.
    told : mapping
        What else the file says, first of all.
    """
    from .outputs import aside
    from .rendering import versions

    entries = []
    for result in batch.results:
        entry = asdict(result)
        files = [entry.pop(kind) for kind in FILES]
        entries.append(entry | {"files": [path.name for path in files if path is not None]})
    summary = {
        **told,
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
        "seconds": batch.seconds,
        "counts": counted(batch.results),
        "reports": entries,
        "versions": versions(),
    }
    text = json.dumps(summary, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    with aside(batch.summary.parent) as folder:
        part = folder / batch.summary.name
        part.write_bytes(text.encode())
        part.replace(batch.summary)


def _said(batch: Batch) -> str:
    """Say what failed on one line."""
    first, count = batch.failed[0], len(batch.failed)
    kept = f"; what ran is kept in {first.notebook}" if first.notebook else ""
    if len(batch.results) == 1:
        return f"{Path(first.source).name}, {plain(first.reason)}{kept}"
    return (
        f"{count} of {len(batch.results)} reports failed, first {first.name}: "
        f"{plain(first.reason)}{kept}; {batch.summary} lists all"
    )
