"""Sets of reports: which notebooks, with which parameters, under which titles.

A set is a YAML file::

    title: Police funding, officers and violence
    reports:
      - notebook: force-report.ipynb     # relative to the set's folder
        group: Forces                    # the heading it is listed under
        title: One force                 # otherwise the notebook's first heading
        parameters: {start: 2009/10}     # for every report of this entry
        over: {force: all}               # one report each: all, or a list of values
    index: {}                            # what the list of reports may be told
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..errors import ParameterError, nearest

__all__ = ["Entry", "ReportSet", "read_set"]


class _Mapping(dict[Any, Any]):
    """What one mapping of the file holds, and the line of each key."""

    def __init__(self, told: Mapping[Any, Any] = {}, lines: Mapping[Any, int] = {}) -> None:
        super().__init__(told)
        self.lines = dict(lines)


@dataclass(frozen=True)
class Entry:
    """One notebook of a set, and what to make of it."""

    notebook: Path
    where: str
    title: str | None = None
    group: str | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)
    over: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class ReportSet:
    """A set file that was read: its title, its entries and what it tells the index."""

    title: str | None
    entries: list[Entry]
    index: Mapping[str, Any]


def read_set(path: str | Path) -> ReportSet:
    """Read and check a set of reports; the notebooks themselves are not opened.

    Raises
    ------
    ParameterError
        No such file, invalid YAML, a key that is not known or is given twice, or a value of the
        wrong type: with the file, the line, the key and what to write.
    """
    path = Path(path)
    whole = _Section(_loaded(path), path.name, "the file")
    whole.only("title", "reports", "index")
    told = whole.get("reports", list, "a list of entries", required=True)
    if not told:
        raise whole.error("reports", "is empty; list at least one entry with its notebook")
    entries = [
        _entry(_Section(item, path.name, f"entry {n} of 'reports'"), path.parent)
        for n, item in enumerate(told, start=1)
    ]
    return ReportSet(
        title=whole.get("title", str, "text"),
        entries=entries,
        index=whole.mapping("index"),
    )


def _entry(section: _Section, folder: Path) -> Entry:
    section.only("notebook", "title", "group", "parameters", "over")
    notebook = section.get("notebook", str, "a notebook's path", required=True)
    over = section.mapping("over")
    for name, values in over.items():
        if not isinstance(values, str | list):
            raise section.error(name, f"is {values!r}; give all, or a list of values", within=over)
    return Entry(
        notebook=folder / notebook,
        where=section.place("notebook"),
        title=section.get("title", str, "text"),
        group=section.get("group", str, "text"),
        parameters=section.mapping("parameters"),
        over=over,
    )


class _Section:
    """One mapping of a set file, which knows where its keys stand."""

    def __init__(self, told: Any, file: str, what: str) -> None:
        self.file, self.what = file, what
        if not isinstance(told, _Mapping):
            raise ParameterError(f"{file}: {what} is {_brief(told)}; write keys with values")
        self.told = told

    def only(self, *known: str) -> None:
        """Refuse keys that nobody reads: a misspelt one would be ignored in silence."""
        for key in self.told:
            if key not in known:
                near = nearest(str(key), known) or sorted(known)
                raise self.error(key, f"is not known; nearest: {', '.join(near)}")

    def get(self, key: str, kind: type, wanted: str, *, required: bool = False) -> Any:
        value = self.told.get(key)
        if value is None and not required:
            return None
        if not isinstance(value, kind) or value == "":
            if key not in self.told:
                raise ParameterError(f"{self.file}: {self.what} has no {key!r}; give {wanted}")
            raise self.error(key, f"is {_brief(value)}; give {wanted}")
        return value

    def mapping(self, key: str) -> _Mapping:
        told = self.get(key, _Mapping, "a mapping such as {name: value}") or _Mapping()
        for name in told:
            if not isinstance(name, str):
                raise self.error(name, "is no name; write names as text", within=told)
        return told

    def place(self, key: Any, within: _Mapping | None = None) -> str:
        line = (self.told if within is None else within).lines.get(key)
        return f"{self.file}, line {line}" if line else self.file

    def error(self, key: Any, problem: str, within: _Mapping | None = None) -> ParameterError:
        return ParameterError(f"{self.place(key, within)}: {key!r} in {self.what} {problem}")


def _loaded(path: Path) -> Any:
    """Return what a YAML file holds; each mapping holds the lines of its keys as well."""
    import yaml  # type: ignore[import-untyped]

    class Loader(yaml.SafeLoader):
        """Reads plain values only; a key that is given twice is an error."""

    def mapping(loader: Any, node: Any) -> _Mapping:
        lines: dict[Any, int] = {}
        for key_node, _ in node.value:
            if key_node.tag == "tag:yaml.org,2002:merge":
                continue
            line, key = key_node.start_mark.line + 1, loader.construct_object(key_node, deep=True)
            if isinstance(key, list | dict):
                raise ParameterError(f"{path.name}, line {line}: a key must be a name")
            if key in lines:
                raise ParameterError(
                    f"{path.name}, line {line}: {key!r} was given on line {lines[key]} already; "
                    "give it once"
                )
            lines[key] = line
        return _Mapping(loader.construct_mapping(node, deep=True), lines)

    Loader.add_constructor("tag:yaml.org,2002:map", mapping)
    try:
        return yaml.load(path.read_text(encoding="utf-8"), Loader)
    except OSError:
        known = [p.name for p in path.parent.glob("*.y*ml")] if path.parent.is_dir() else []
        near = nearest(path.name, known)
        hint = f"nearest: {', '.join(near)}" if near else "check the path"
        raise ParameterError(
            f"no set of reports {path.name!r} in {path.parent.name or '.'!r}; {hint}"
        ) from None
    except UnicodeDecodeError:
        raise ParameterError(f"{path.name}: not text in UTF-8; save it so") from None
    except ParameterError:
        raise
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        place = f", line {mark.line + 1}" if mark else ""
        problem = getattr(error, "problem", None) or "it cannot be read"
        raise ParameterError(f"{path.name}{place}: not valid YAML ({problem})") from None


def _brief(value: Any) -> str:
    kinds = {_Mapping: "a mapping", list: "a list", type(None): "empty"}
    return kinds.get(type(value)) or repr(value)
