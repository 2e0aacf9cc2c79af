"""What made a report, said beside it: hashes of all that went in and came out, its own included."""

from __future__ import annotations

import hashlib
import json
import platform
import re
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from .names import changed
from .normalise import normalised_hash

if TYPE_CHECKING:
    from .job import Job

__all__ = ["manifest", "own_hash", "seal", "sealed"]

_SEAL = re.compile(r'(<meta name="crime-analysis-sha256" content=")([0-9a-f]{64}|)(">)')


def manifest(
    job: Job,
    texts: Mapping[str, str | bytes],
    records: Mapping[str, Any],
    started: datetime,
    finished: datetime,
    seconds: float,
    versions: Mapping[str, str],
    depends_on: Mapping[str, str],
    title: str,
) -> dict[str, Any]:
    """Return what the manifest of a report holds.

    Parameters
    ----------
    job : Job
        The notebook and its parameters.
    texts : mapping of str to str or bytes
        The report's files by name, the executed notebook among them.
    records : mapping
        What the notebook recorded.
    started, finished, seconds
        When it ran, and how long it took.
    versions, depends_on : mapping of str to str
        What ran it; hashes and versions of all that it depends on.
    title : str
        Of the page.

    Returns
    -------
    dict
        As JSON can hold it. ``normalised`` is the hash of the executed notebook less what may
        differ between two runs, ``sha256`` the hash of the manifest without this entry.
    """
    raw = {n: t.encode() if isinstance(t, str) else t for n, t in texts.items()}
    executed = json.loads(raw[f"{job.name}.ipynb"])
    told: dict[str, Any] = {
        "name": job.name,
        "title": title,
        "label": job.label,
        "group": job.group,
        "notebook": {"file": job.shown, "sha256": job.sha256},
        "command": job.command,
        "parameters": dict(job.values),
        "changed": changed(job.parameters, job.values),
        "records": dict(records),
        "headline": _headline(job.settings.get("headline", {})),
        "index": job.settings.get("index", {}),
        "outputs": {name: hashlib.sha256(content).hexdigest() for name, content in raw.items()},
        "normalised": normalised_hash(executed),
        "depends_on": dict(depends_on),
        "versions": dict(versions),
        "platform": {
            "system": platform.system(),
            "release": platform.release(),
            "machine": platform.machine(),
            "python": f"{platform.python_implementation()} {platform.python_version()}",
        },
        "started": started.isoformat(timespec="seconds"),
        "finished": finished.isoformat(timespec="seconds"),
        "seconds": seconds,
    }
    # As it will be read again: what UTF-8 cannot hold is lost on the way to the file.
    told = json.loads(json.dumps(told, ensure_ascii=False).encode(errors="replace"))
    return told | {"sha256": own_hash(told)}


def own_hash(told: Mapping[str, Any]) -> str:
    """Return the hash of a manifest less the entry that holds it."""
    rest = {key: value for key, value in told.items() if key != "sha256"}
    return hashlib.sha256(json.dumps(rest, sort_keys=True).encode()).hexdigest()


def _headline(declared: Any) -> list[dict[str, str]]:
    """Return the records for the index: names, or a mapping to labels, or to label and format."""
    pairs = declared.items() if isinstance(declared, Mapping) else ((n, n) for n in declared)
    entries = []
    for name, told in pairs:
        told = told if isinstance(told, Mapping) else {"label": told}
        entry = {"record": str(name), "label": str(told.get("label", name))}
        entries.append(entry | ({"format": "percent"} if told.get("format") == "percent" else {}))
    return entries


def seal(html: str) -> str:
    """Return a page with its hash in the empty place that its head keeps for it."""
    return _SEAL.sub(rf"\g<1>{_page_hash(html)}\g<3>", html, count=1)


def sealed(html: str) -> bool:
    """Tell whether a page is as it was when it was sealed."""
    found = _SEAL.search(html)
    return found is not None and found[2] == _page_hash(html)


def _page_hash(html: str) -> str:
    return hashlib.sha256(_SEAL.sub(r"\1\3", html, count=1).encode()).hexdigest()
