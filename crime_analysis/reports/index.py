"""One page that lists the reports of a folder, from their manifests."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

from ..errors import ParameterError
from .glance import chart, chart_range, number
from .labels import relabel
from .manifest import seal
from .names import as_text
from .tiles import checked_settings, tiles_of

__all__ = ["write_index"]

_TEMPLATES = Path(__file__).parent / "templates" / "report"
_SEAL = '<meta name="crime-analysis-sha256" content="">\n</head>'
# A choice among more values than this is a search.
_MOST_CHOICES = 120


def write_index(
    out: str | Path = "reports",
    title: str = "Reports",
    settings: Mapping[str, Any] | None = None,
) -> Path:
    """Write ``index.html`` in a folder of reports.

    The page lists every report that has a manifest and a page, and every notebook that was
    kept as failed. Where it may run its script one can search, filter and sort; without, it is
    a list. It asks the network for nothing.

    Parameters
    ----------
    out : str or Path
        The folder that `render` wrote to.
    title : str
        The page's title.
    settings : mapping, optional
        ``tiles`` and ``chart``, in place of what the notebooks declare under ``index`` in their
        metadata (see `checked_settings`), and ``order``: names of reports in the order to list
        them; others follow, by the number that their notebook's name begins with, then by title.

    Returns
    -------
    Path
        The page.

    Raises
    ------
    ParameterError
        If `settings` are given that the page cannot use, before anything is written.
    """
    from jinja2 import Environment, FileSystemLoader
    from markupsafe import Markup

    told = checked_settings(settings or {}, "the index")
    out = Path(out)
    out.mkdir(parents=True, exist_ok=True)
    order = {name: place for place, name in enumerate(told.get("order", []))}
    reports = [r for r in map(_report, sorted(out.glob("*.manifest.json"))) if r]
    reports.sort(key=lambda r: (order.get(r["name"], len(order)), _place(r)))
    failures = [_failure(path) for path in sorted(out.glob("*.failed.ipynb"))]
    sections = _sections(reports)
    for section in sections:
        _furnish(section, told, failures)
    for failure in failures:
        failure["section"] = _section_of(failure, sections)
    # One report leaves nothing to search or sort.
    script = _read("listing.js") if len(reports) + len(failures) > 1 else ""
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    page = {
        "title": title,
        "full_title": title,
        "style": Markup(_read("style.css") + _read("listing.css")),
        "script": Markup(script),
        "script_hash": f"sha256-{digest}" if script else "none",
        "summary": f"{len(reports)} report{'' if len(reports) == 1 else 's'}",
        "reports": reports,
        "sections": sections,
        "lead": _lead(reports, told.get("lead")),
        "failures": failures,
        "choices": _choices([*reports, *failures]),
    }
    html = environment.get_template("listing.html.j2").render(page=page)
    html = seal(html.replace("</head>", _SEAL, 1))
    target = out / "index.html"
    part = out / f".index-{os.getpid()}.html"
    try:
        part.write_text(html, encoding="utf-8", errors="replace", newline="\n")
        os.replace(part, target)
    finally:
        part.unlink(missing_ok=True)
    return target


def _place(report: Mapping[str, Any]) -> tuple[float, str, str]:
    """Return what reports are sorted by that nobody has put in order."""
    number = re.match(r"\d+", Path(report["notebook"]).name)
    return float(number[0]) if number else float("inf"), report["title"].casefold(), report["name"]


def _lead(reports: list[dict[str, Any]], told: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Return the sentences that open the page, which one of the reports recorded."""
    for report in reports if told else []:
        found = report["records"].get(told["record"]) if told else None
        if told and Path(report["notebook"]).name == told["notebook"] and isinstance(found, list):
            # A question that opens a sentence stands out, as a heading would.
            parts = [re.fullmatch(r"(?:([^.?!]+\?) )?(.+)", str(s), re.DOTALL) for s in found if s]
            sentences = [(part[1], part[2]) for part in parts if part]
            return {"sentences": sentences, "html": report["html"], "title": report["shared"][0]}
    return None


def _read(name: str) -> str:
    return (_TEMPLATES / name).read_text(encoding="utf-8")


# --- what the folder holds --------------------------------------------------------------------


def _report(path: Path) -> dict[str, Any] | None:
    """Return what a row needs, or nothing where the manifest is not of a whole report."""
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        name, parameters, records = told["name"], told["parameters"], told["records"]
        moment = datetime.fromisoformat(told["finished"])
        row = {
            "name": name,
            "title": _titled(told["title"], told["label"]),
            "shared": (told["title"], told["label"]),
            "group": told.get("group"),
            "notebook": told["notebook"]["file"],
            "parameters": {n: as_text(v) for n, v in parameters.items()},
            "records": dict(records),
            "headline": [dict(e) for e in told["headline"] if e["record"] in records],
            "settings": told.get("index") or {},
            "finished": told["finished"],
            "stamp": moment.timestamp(),
            "rendered": f"{moment.day} {moment:%b %Y, %H:%M}",
        }
        endings = {"notebook": ".ipynb", "manifest": ".manifest.json", "PDF": ".pdf"}
        files = {kind: path.with_name(f"{name}{end}") for kind, end in endings.items()}
        row["files"] = [(kind, quote(p.name)) for kind, p in files.items() if p.is_file()]
        row["html"] = quote(f"{name}.html")
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    return row if path.with_name(f"{name}.html").is_file() else None


def _failure(path: Path) -> dict[str, Any]:
    row: dict[str, Any] = {
        "html": quote(path.name),
        "title": path.name,
        "parameters": {},
        "error": "",
    }
    row |= {"notebook": "", "group": None}
    try:
        notebook = json.loads(path.read_text(encoding="utf-8"))
        told = notebook["metadata"]["crime_analysis_report"]
        row["title"] = _titled(told.get("title") or told["notebook"], told["label"])
        row["parameters"] = {n: as_text(v) for n, v in told["parameters"].items()}
        row["error"], row["group"] = told["error"], told.get("group")
        row["notebook"] = told["notebook"]
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        row["error"] = "the notebook cannot be read"
    return row


def _titled(title: str, label: str) -> str:
    return title if not label or label in title else f"{title} – {label}"


def _sections(reports: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the reports under the headings that the set gives, else under their notebooks."""
    sections: dict[str, dict[str, Any]] = {}
    for report in reports:
        stem = Path(report["notebook"]).stem.replace("-", " ").replace("_", " ")
        heading = report["group"] or stem[:1].upper() + stem[1:]
        section = sections.setdefault(heading, {"heading": heading, "reports": []})
        section["reports"].append(report)
    for place, section in enumerate(sections.values(), start=1):
        section["id"] = f"group-{place}"
    return list(sections.values())


def _section_of(failure: Mapping[str, Any], sections: list[dict[str, Any]]) -> str:
    """Return the id of the section that a failed notebook would be in."""
    for section in sections:
        names = {Path(r["notebook"]).name for r in section["reports"]}
        if failure["group"] == section["heading"] or failure["notebook"] in names:
            return str(section["id"])
    return "failed"


def _choices(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the parameters that take more than one value, with their values in order."""
    names = dict.fromkeys(name for row in rows for name in row["parameters"])
    found = []
    for name in names:
        values = {row["parameters"][name] for row in rows if name in row["parameters"]}
        if 1 < len(values) <= _MOST_CHOICES and _varies(rows, name):
            found.append(
                {"name": name, "label": _label(name), "values": sorted(values, key=_order)}
            )
    return found


def _order(text: str) -> tuple[int, float, str]:
    """Sort numbers as numbers, and before words."""
    try:
        return 0, float(text), text
    except ValueError:
        return 1, 0.0, text.casefold()


def _label(name: str) -> str:
    return name.replace("_", " ").capitalize()


# --- what a section shows ---------------------------------------------------------------------


@dataclass
class Cell:
    """One recorded number of one report: as data, in words, and its colour if it has a tile."""

    label: str
    value: float | None
    text: str
    form: str | None = None
    unsure: bool = False
    colour: str = ""

    @property
    def sort(self) -> str:
        """What the page's script sorts by; empty for text and what is missing."""
        return "" if self.value is None else repr(float(self.value))


def _furnish(
    section: dict[str, Any], told: Mapping[str, Any], failures: list[dict[str, Any]]
) -> None:
    """Add columns, charts and tiles to a section of reports."""
    reports = section["reports"]
    names = dict.fromkeys(name for r in reports for name in r["parameters"])
    relabel(reports, [n for n in names if _varies(reports, n)])
    tiles, charts = (told.get(part) or _declared(reports, part) for part in ("tiles", "chart"))
    if tiles and not any(tiles["parameter"] in r["parameters"] for r in reports):
        tiles = None
    if tiles:
        _show_record(reports, tiles)
    labels = dict.fromkeys(e["label"] for r in reports for e in r["headline"])
    for report in reports:
        report["cells"] = {label: _cell(report, label) for label in labels}
    # Reports of several notebooks hardly share a number: columns of blanks would be no table.
    section["mixed"] = len({r["notebook"] for r in reports}) > 1
    section["columns"] = [
        {"label": x, "numeric": any(r["cells"][x].value is not None for r in reports)}
        for x in ({} if section["mixed"] else labels)
    ]
    section["title"] = _shared_title(reports)
    if section["mixed"]:
        _drop_labels_of_only_children(reports)
    section["common"], section["varying"] = _parameters(reports)
    section["chart"] = _charts(reports, charts) if charts else None
    section["tiles"] = tiles_of(section, tiles, failures) if tiles else None


def _declared(reports: list[dict[str, Any]], part: str) -> dict[str, Any] | None:
    """Return what the section's notebooks declare.

    What one of them declares wrongly costs the page a picture, and not the batch its page.
    """
    for report in reports:
        try:
            found = checked_settings(report["settings"], report["notebook"]).get(part)
        except ParameterError:
            continue
        if found:
            return dict(found)
    return None


def _show_record(reports: list[dict[str, Any]], tiles: dict[str, Any]) -> None:
    """Give the number that colours the tiles a column, and the tiles that column's label."""
    shown = {e["record"]: e for r in reports for e in r["headline"]}
    entry = shown.get(tiles["record"])
    if entry is None:
        entry = {"record": tiles["record"], "label": str(tiles.get("label", tiles["record"]))}
        entry |= {"format": tiles["format"]} if "format" in tiles else {}
        for report in reports:
            if tiles["record"] in report["records"]:
                report["headline"].append(entry)
    tiles["column"] = entry["label"]


def _cell(report: Mapping[str, Any], label: str) -> Cell:
    entry = next((e for e in report["headline"] if e["label"] == label), None)
    if entry is None:
        return Cell(label, None, "–")
    value, form = report["records"][entry["record"]], entry.get("format")
    if isinstance(value, Mapping) and isinstance(value.get("effect"), Mapping):
        row: Mapping[str, Any] = next(iter(value["effect"].get("table") or []), {})
        estimate, low, high = (row.get(key) for key in ("estimate", "ci_low", "ci_high"))
        said = number(estimate, form)
        if low is None or high is None:
            return Cell(label, estimate, said, form)
        said += f" ({number(low, form)} to {number(high, form)})"
        return Cell(label, estimate, said, form, unsure=low <= 0 <= high)
    # A list or a mapping is for `collect`; whole, it would not fit a table.
    said = "…" if isinstance(value, list | Mapping) else number(value, form)
    numeric = isinstance(value, int | float) and not isinstance(value, bool)
    return Cell(label, value if numeric else None, said, form)


def _shared_title(reports: list[dict[str, Any]]) -> str | None:
    """Return the title that all reports have, to be said once; rows are left with their labels."""
    titles, labels = ({r["shared"][part] for r in reports} for part in (0, 1))
    shared = len(titles) == 1 and len(labels) == len(reports) > 1
    if not shared or any(not label or label in title for title in titles for label in labels):
        return None
    for report in reports:
        report["link"] = report["shared"][1]
    return str(titles.pop())


def _drop_labels_of_only_children(reports: list[dict[str, Any]]) -> None:
    """Give the one report of a notebook its title alone: it has no siblings to be told from."""
    for report in reports:
        if sum(r["notebook"] == report["notebook"] for r in reports) == 1:
            report["link"] = report["shared"][0]


def _parameters(reports: list[dict[str, Any]]) -> tuple[list[str], list[dict[str, str]]]:
    """Return the parameters that all reports share, as text, and those that need a column."""
    names = dict.fromkeys(name for r in reports for name in r["parameters"])
    common, varying = [], []
    mixed = len({r["notebook"] for r in reports}) > 1
    for name in names:
        having = [r for r in reports if not mixed or name in r["parameters"]]
        values = {r["parameters"].get(name) for r in having}
        told = all(r["parameters"].get(name, "") in r["title"] for r in reports)
        if mixed and not _varies(reports, name):
            # What a series is about is said if most of it is about that.
            if len(values) == 1 and len(having) > len(reports) / 2:
                common.append(f"{_label(name).lower()} {values.pop()}")
        elif len(values) == 1 and not (told and len(reports) == 1):
            common.append(f"{_label(name).lower()} {values.pop()}")
        elif not told:
            varying.append({"name": name, "label": _label(name)})
    return common, varying


def _varies(reports: Iterable[Mapping[str, Any]], name: str) -> bool:
    """Tell whether some notebook has reports that differ by this parameter."""
    values: dict[str, set[str]] = {}
    for report in reports:
        if name in report["parameters"]:
            values.setdefault(report["notebook"], set()).add(report["parameters"][name])
    return any(len(found) > 1 for found in values.values())


def _charts(reports: list[dict[str, Any]], told: Mapping[str, Any]) -> dict[str, Any] | None:
    """Give each report its chart; return what is to be said of all of them."""
    label, form = str(told.get("label", told["record"])), told.get("format")
    recorded = [r["records"].get(told["record"]) for r in reports]
    limits = chart_range(recorded) if told.get("scale", "shared") == "shared" else None
    for report, series in zip(reports, recorded, strict=True):
        report["chart"] = chart(series, label, form, limits)
    if not any(r["chart"] for r in reports):
        return None
    spans = {(next(iter(s)), next(reversed(s))) for s in recorded if s and isinstance(s, Mapping)}
    span = ", {} to {}".format(*spans.pop()) if len(spans) == 1 else ""
    if limits is None:
        return {"label": label, "span": span, "scale": "each on a scale of its own"}
    low, high = (number(float(end), form) for end in limits)
    return {"label": label, "span": span, "scale": f"all on one scale, from {low} to {high}"}
