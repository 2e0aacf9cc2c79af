"""One page that lists the reports of a folder, from their manifests."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

from .names import as_text

__all__ = ["write_index"]


def write_index(out: str | Path = "reports", title: str = "Reports") -> Path:
    """Write ``index.html`` in a folder of reports.

    Parameters
    ----------
    out : str or Path
        The folder that `render` wrote to.
    title : str
        The page's title.

    Returns
    -------
    Path
        The page. It lists every report that has a manifest and a page, with the numbers its
        notebook declares as ``headline``, and every notebook that failed.
    """
    from jinja2 import Environment, FileSystemLoader
    from markupsafe import Markup

    from .html import TEMPLATES, style

    out = Path(out)
    out.mkdir(parents=True, exist_ok=True)
    reports = [r for r in map(_report, sorted(out.glob("*.manifest.json"))) if r]
    failures = [_failure(path) for path in sorted(out.glob("*.failed.ipynb"))]
    columns = list(dict.fromkeys(label for report in reports for label in report["numbers"]))
    environment = Environment(loader=FileSystemLoader(TEMPLATES / "report"), autoescape=True)
    page = {
        "title": title,
        "full_title": title,
        "style": Markup(style()),
        "script": "",
        # With no script of its own the page allows none.
        "script_hash": "none",
        "summary": _summary(len(reports), len(failures)),
        "reports": sorted(reports, key=lambda r: (r["title"].casefold(), r["name"])),
        "failures": failures,
        "columns": columns,
    }
    html = environment.get_template("listing.html.j2").render(page=page)
    target = out / "index.html"
    handle, part = tempfile.mkstemp(prefix=".index-", suffix=".html", dir=out)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(html)
        # mkstemp makes files that only their owner may read; a page is for everyone.
        os.chmod(part, 0o644)
        os.replace(part, target)
    finally:
        Path(part).unlink(missing_ok=True)
    return target


def _report(path: Path) -> dict[str, Any] | None:
    """Return one row, or nothing where the manifest is not of a whole report."""
    from .html import spoken_time

    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
        name, records = manifest["name"], manifest["records"]
        row = {
            "name": name,
            "title": _titled(manifest["title"], manifest["label"]),
            "parameters": _listed(manifest["parameters"]),
            "numbers": {
                entry["label"]: _number(records[entry["record"]], entry.get("format"))
                for entry in manifest["headline"]
                if entry["record"] in records
            },
            "finished": manifest["finished"],
            "rendered": spoken_time(datetime.fromisoformat(manifest["finished"])),
            "html": quote(f"{name}.html"),
            "notebook": quote(f"{name}.ipynb"),
            "manifest": quote(path.name),
        }
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return row if path.with_name(f"{name}.html").is_file() else None


def _failure(path: Path) -> dict[str, str]:
    row = {"file": quote(path.name), "title": path.name, "parameters": "", "error": ""}
    try:
        notebook = json.loads(path.read_text(encoding="utf-8"))
        told = notebook["metadata"]["crime_analysis_report"]
        row["title"] = _titled(told["notebook"], told["label"])
        row["parameters"], row["error"] = _listed(told["parameters"]), told["error"]
    except (OSError, ValueError, KeyError, TypeError):
        row["error"] = "the notebook cannot be read"
    return row


def _titled(title: str, label: str) -> str:
    return title if not label or label in title else f"{title} – {label}"


def _listed(parameters: Mapping[str, Any]) -> str:
    return "; ".join(f"{n.replace('_', ' ')} {as_text(v)}" for n, v in parameters.items())


def _number(value: Any, format: str | None = None) -> str:
    """Return a recorded value for a table: separators in large numbers, three digits in small."""
    if value is None:
        return "–"
    if format == "percent" and isinstance(value, (int, float)):
        return f"{value:+.1%}".replace("-", "−")
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        # Four digits are as likely a year as a count, and a year takes no separator.
        return f"{value:,}" if abs(value) >= 10_000 else str(value)
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}".replace("-", "−")
    return as_text(value)


def _summary(reports: int, failures: int) -> str:
    text = f"{reports} report{'' if reports == 1 else 's'}"
    return text if not failures else f"{text}, {failures} failed"
