"""What a report is called: file names that are safe, short and differ when the jobs differ."""

from __future__ import annotations

import functools
import hashlib
import json
import re
import shlex
import unicodedata
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from .parameters import Parameter, listed

__all__ = ["as_text", "changed", "render_command", "report_label", "report_name", "slug"]

_LONGEST = 96


@functools.lru_cache(maxsize=4096)
def slug(text: str) -> str:
    """Return `text` in lower-case ASCII letters, digits and single dashes.

    Examples
    --------
    >>> slug("Avon & Somerset, 2010/11")
    'avon-somerset-2010-11'
    """
    ascii_only = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", ascii_only.lower()).strip("-")


def as_text(value: object) -> str:
    """Return a parameter's value as a user would type it after ``-p name``.

    Examples
    --------
    >>> as_text(["Kent", "Surrey"])
    'Kent,Surrey'
    >>> as_text(["Avon, Somerset", "Kent"])
    '["Avon, Somerset", "Kent"]'
    """
    if isinstance(value, list | tuple):
        items = [as_text(item) for item in value]
        plain = ",".join(items)
        # What commas alone would tear apart or swallow is written as JSON, and read as such.
        return plain if listed(plain) == items else json.dumps(list(value), ensure_ascii=False)
    return str(value)


def changed(parameters: Iterable[Parameter], values: Mapping[str, Any]) -> list[str]:
    """Return the names of the parameters whose value is not the notebook's default."""
    return [p.name for p in parameters if values[p.name] != p.default]


def report_name(
    notebook: str | Path,
    parameters: Iterable[Parameter],
    values: Mapping[str, Any],
    name_by: Iterable[str] = (),
) -> str:
    """Return the name, without ending, of the files of one job.

    The notebook's stem, then the values of the parameters in `name_by`, then the name and value
    of every other parameter that differs from its default: two jobs of one notebook never share
    a name, so neither can overwrite the other's report.

    Examples
    --------
    >>> force = Parameter("force", "Kent", "str", choices=("Kent", "Surrey"))
    >>> report_name("force_report.ipynb", [force], {"force": "Surrey"})
    'force-report--force-surrey'
    >>> report_name("force_report.ipynb", [force], {"force": "Kent"}, name_by=["force"])
    'force-report--kent'
    """
    parameters = list(parameters)
    by_name = {p.name: p for p in parameters}
    first = [n for n in name_by if n in by_name]
    rest = [n for n in changed(parameters, values) if n not in first]
    parts = [_stem_slug(Path(notebook).stem)]
    parts += [_value_slug(by_name[n], values[n]) for n in first]
    parts += [_pair_slug(by_name[n], values[n], by_name) for n in rest]
    name = "--".join(parts)
    if len(name) > _LONGEST:
        name = f"{name[: _LONGEST - 9].rstrip('-')}-{_digest(name)}"
    return name


def report_label(
    parameters: Iterable[Parameter], values: Mapping[str, Any], name_by: Iterable[str] = ()
) -> str:
    """Return the values that tell this report from its siblings, for titles and tabs."""
    names = [n for n in name_by if n in values]
    names += [n for n in changed(parameters, values) if n not in names]
    return ", ".join(
        as_text(values[n]) if isinstance(values[n], str) else f"{n} {as_text(values[n])}"
        for n in names
    )


def render_command(notebook: str, values: Mapping[str, Any]) -> str:
    """Return the shell command that makes the report again."""
    words = ["crime-analysis", "render", notebook]
    for name, value in values.items():
        words += ["-p", name, as_text(value)]
    return shlex.join(words)


def _stem_slug(stem: str) -> str:
    """Return a slug of a notebook's name, with a hash where letters were lost from it."""
    letters = unicodedata.normalize("NFKD", stem)
    lost = any(c.isalnum() and not c.isascii() for c in letters)
    short = slug(stem)
    return f"{short or 'report'}-{_digest(stem)}" if lost or not short else short


def _pair_slug(parameter: Parameter, value: Any, names: Iterable[str]) -> str:
    """Return slugs of a name and a value, with a hash where another pair could be read."""
    own, text = slug(parameter.name), _value_slug(parameter, value)
    others = [f"{slug(n)}-" for n in names if n != parameter.name]
    torn = any(o.startswith(f"{own}-") or f"{own}-".startswith(o) for o in others)
    return (
        f"{own}-{text}-{_digest((parameter.name, value))}" if torn or not own else f"{own}-{text}"
    )


def _value_slug(parameter: Parameter, value: Any) -> str:
    """Return a slug of `value`, with a hash where the slug alone could mean another value."""
    if isinstance(value, list | tuple):
        parts = [_value_slug(parameter, item) for item in value]
        return "-".join(parts) if len(parts) == 1 else f"{'-'.join(parts)}-{_digest(value)}"
    if isinstance(value, int | float):
        return slug(str(value).replace("-", "minus "))
    text = str(value)
    short = slug(text)
    if parameter.choices is not None:
        ambiguous = sum(slug(str(c)) == short for c in parameter.choices) > 1
    else:
        ambiguous = text != short
    if ambiguous or not short:
        return f"{short}-{_digest(text)}".strip("-")
    return short


def _digest(value: object) -> str:
    return hashlib.sha256(repr(value).encode()).hexdigest()[:8]
