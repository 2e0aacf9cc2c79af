"""What two honest runs of one job must have in common.

Two runs differ in what no reader of a report would call a result: when they ran, what ran them,
random ids, where Python kept an object, how output was cut into chunks. `normalised` takes that
away and nothing else. It is the one definition of "the same notebook" for plain papermill,
nbclient, one job, two jobs and a cluster.
"""

from __future__ import annotations

import ast
import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from .executed import without_paths
from .records import collect_records

__all__ = ["difference", "figures_data", "normalised", "normalised_hash"]

# Where the parameters in force are kept once the cell that papermill injects is gone.
_IN_FORCE = "parameters_in_force"
_NOTEBOOK_KEPT = ("crime_analysis", _IN_FORCE)
_CELL_DROPPED = ("papermill", "execution", "ExecuteTime", "collapsed", "scrolled")
_PUT_IN = ("injected-parameters", "papermill-error-cell-tag")
_TEXTS = ("text/", "image/svg+xml")

# A repr says where an object lives: " at 0x7f3a...". Any other hexadecimal number is a result.
_ADDRESS = re.compile(r"(?<=\bat )0x[0-9a-fA-F]{6,16}\b")
# pandas gives every styled table a random name.
_STYLED = re.compile(r"\bT_[0-9a-f]{5,32}(?=_|\b)")
_SHOWN = 60
_MOST = 20


def normalised(nb: Mapping[str, Any]) -> dict[str, Any]:
    """Return an executed notebook less what may differ between two honest runs.

    Gone are ids, times, the names of kernel and Python, papermill's notes and the cells that it
    puts in; the parameters in force stay, whoever set them. Kept are every source, tag and
    output. The text of an output loses memory addresses and this machine's folders. What a cell
    prints is joined, standard output apart from standard error, since both reach the notebook
    in chunks whose order is chance. An execution count becomes the cell's rank in the order of
    running, so that cells run out of order still differ.

    Parameters
    ----------
    nb : NotebookNode or mapping
        The executed notebook. It is not changed.

    Returns
    -------
    dict
        ``cells`` and ``metadata``, in a form that JSON can hold. Normalising it again changes
        nothing.

    Examples
    --------
    >>> cell = {"cell_type": "code", "source": "f", "execution_count": 7, "id": "a", "outputs": [
    ...     {"output_type": "execute_result", "execution_count": 7, "metadata": {},
    ...      "data": {"text/plain": "<function f at 0x7f30c0ffee00>"}}]}
    >>> normalised({"cells": [cell]})["cells"][0]["outputs"][0]["data"]
    {'text/plain': '<function f at 0x…>'}
    """
    cells = [c for c in nb.get("cells", []) if not set(_PUT_IN) & set(_tags(c))]
    metadata = {k: nb["metadata"][k] for k in _NOTEBOOK_KEPT if k in nb.get("metadata", {})}
    metadata[_IN_FORCE] = _parameters(nb)
    counts = sorted({c["execution_count"] for c in cells if c.get("execution_count")})
    rank = {count: place for place, count in enumerate(counts, start=1)}
    # Through JSON: plain dicts and lists in place of nodes and tuples, and nothing shared.
    plain = {"cells": [_cell(c, rank) for c in cells], "metadata": metadata}
    return json.loads(json.dumps(plain, sort_keys=True))


def normalised_hash(nb: Mapping[str, Any]) -> str:
    """Return the SHA-256 of a normalised notebook."""
    text = json.dumps(normalised(nb), sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def figures_data(nb: Mapping[str, Any]) -> list[list[list[str]]]:
    """Return the numbers behind each figure of an executed notebook, as its page shows them.

    One list of rows for each HTML ``figure`` that an output shows, in order; the rows are those
    of the tables within it.
    """
    found = []
    for cell in nb.get("cells", []):
        for output in cell.get("outputs", []):
            html = _joined(output.get("data", {}).get("text/html", ""))
            for figure in re.findall(r"<figure\b.*?</figure>", html, re.DOTALL):
                rows = re.findall(r"<tr\b.*?</tr>", figure, re.DOTALL)
                cut = [re.findall(r"<t[hd]\b[^>]*>(.*?)</t[hd]>", r, re.DOTALL) for r in rows]
                found.append([[_words(c) for c in row] for row in cut])
    return found


def difference(a: Mapping[str, Any], b: Mapping[str, Any]) -> str:
    """Say how two runs differ, a line a difference; nothing if they do not.

    Parameters
    ----------
    a, b : NotebookNode or mapping
        Executed notebooks, normalised or not.

    Returns
    -------
    str
        Parameters and recorded numbers first, then cells and their outputs in order, each with
        what `a` and `b` say there. At most 20 lines.

    Examples
    --------
    >>> cell = {"cell_type": "code", "source": "x", "outputs": []}
    >>> said = {"output_type": "stream", "name": "stdout", "text": "fell by 9%"}
    >>> other = dict(said, text="fell by 10%")
    >>> print(difference({"cells": [cell | {"outputs": [said]}]},
    ...                  {"cells": [cell | {"outputs": [other]}]}))
    cell 1, output 1 (stdout): 'fell by 9%' against 'fell by 10%'
    """
    a, b = normalised(a), normalised(b)
    if a == b:
        return ""
    lines = list(_lines(a, b)) or ["metadata differ"]
    more = len(lines) - _MOST
    return "\n".join(lines[:_MOST] + ([f"and {more} more"] if more > 0 else []))


def _cell(cell: Mapping[str, Any], rank: Mapping[int, int]) -> dict[str, Any]:
    metadata = {k: v for k, v in cell.get("metadata", {}).items() if k not in _CELL_DROPPED}
    if not metadata.get("tags", True):
        del metadata["tags"]
    kept: dict[str, Any] = {
        "cell_type": cell.get("cell_type"),
        "source": _joined(cell.get("source", "")),
        "metadata": metadata,
    }
    if cell.get("attachments"):
        kept["attachments"] = cell["attachments"]
    if cell.get("cell_type") == "code":
        kept["execution_count"] = rank.get(cell.get("execution_count") or 0)
        kept["outputs"] = list(_outputs(cell.get("outputs", []), rank))
    return kept


def _outputs(
    outputs: Iterable[Mapping[str, Any]], rank: Mapping[int, int]
) -> Iterator[dict[str, Any]]:
    """Yield a cell's outputs, with all that was printed between two others as one."""
    printed: dict[str, str] = {}
    for output in outputs:
        if output.get("output_type") == "stream":
            name = str(output.get("name", "stdout"))
            printed[name] = printed.get(name, "") + _joined(output.get("text", ""))
            continue
        yield from _printed(printed)
        printed = {}
        yield _output(output, rank)
    yield from _printed(printed)


def _printed(texts: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    for name in sorted(texts, reverse=True):  # stdout, then stderr
        if texts[name]:
            # A line drawn over itself, as progress bars are, is what it was in the end.
            lines = [line[line.rfind("\r", 0, -1) + 1 :] for line in texts[name].split("\n")]
            yield {"output_type": "stream", "name": name, "text": _text("\n".join(lines))}


def _output(output: Mapping[str, Any], rank: Mapping[int, int]) -> dict[str, Any]:
    kept = {k: v for k, v in output.items() if k != "transient"}
    if "execution_count" in kept:
        kept["execution_count"] = rank.get(kept["execution_count"] or 0)
    if kept.get("output_type") == "error":
        kept["evalue"] = _text(_joined(kept.get("evalue", "")))
        kept["traceback"] = [_text(line) for line in kept.get("traceback", [])]
    if "data" in kept:
        kept["data"] = {kind: _content(kind, value) for kind, value in kept["data"].items()}
    return kept


def _content(kind: str, value: Any) -> Any:
    if kind.startswith(_TEXTS):
        return _text(_joined(value))
    if "jupyter.widget" in kind and isinstance(value, Mapping):
        # A widget lives in its kernel, under a random name.
        return {k: v for k, v in value.items() if k != "model_id"}
    if isinstance(value, list) and all(isinstance(v, str) for v in value):
        return _joined(value)
    return value


def _text(text: str) -> str:
    """Return text without addresses, random names and what tells of this machine."""
    text = without_paths(_ADDRESS.sub("0x…", text))
    names = dict.fromkeys(_STYLED.findall(text))
    numbers = {name: f"T_{place}" for place, name in enumerate(names, start=1)}
    return _STYLED.sub(lambda found: numbers[found.group()], text) if names else text


def _parameters(nb: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters in force: the notebook's own, then those that were given."""
    values: dict[str, Any] = {}
    for tag in ("parameters", "injected-parameters"):
        if tag == "injected-parameters":
            values |= nb.get("metadata", {}).get(_IN_FORCE, {})
        for cell in nb.get("cells", []):
            if tag in _tags(cell):
                values |= _assigned(_joined(cell.get("source", "")))
    return values


def _assigned(source: str) -> dict[str, Any]:
    """Return what a cell assigns: values where they are written out, else the code."""
    try:
        statements = ast.parse(source).body
    except (SyntaxError, ValueError):
        return {}
    found: dict[str, Any] = {}
    for statement in statements:
        if isinstance(statement, ast.Assign):
            targets = statement.targets
        elif isinstance(statement, ast.AnnAssign) and statement.value is not None:
            targets = [statement.target]
        else:
            continue
        assert statement.value is not None
        for target in targets:
            if isinstance(target, ast.Name):
                found[target.id] = _literal(statement.value)
    return found


def _literal(node: ast.expr) -> Any:
    try:
        value = ast.literal_eval(node)
        # 1 and 1.0 are one value of a parameter, however it was typed.
        value = int(value) if isinstance(value, float) and value.is_integer() else value
        json.dumps(value, allow_nan=False)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return ast.unparse(node)
    return value


def _tags(cell: Mapping[str, Any]) -> list[str]:
    tags = cell.get("metadata", {}).get("tags", [])
    return [str(tag) for tag in tags] if isinstance(tags, list | tuple) else []


def _joined(text: Any) -> str:
    return "".join(map(str, text)) if isinstance(text, list | tuple) else str(text)


# --- what differs -----------------------------------------------------------------------------


def _lines(a: Mapping[str, Any], b: Mapping[str, Any]) -> Iterator[str]:
    both = (a["metadata"][_IN_FORCE], b["metadata"][_IN_FORCE])
    yield from unequal("parameter", *both)
    yield from unequal("record", collect_records(a), collect_records(b))
    if a["metadata"].get("crime_analysis") != b["metadata"].get("crime_analysis"):
        yield "what the notebook declares under crime_analysis differs"
    if len(a["cells"]) != len(b["cells"]):
        yield f"{len(a['cells'])} cells against {len(b['cells'])}"
    for number, (one, two) in enumerate(zip(a["cells"], b["cells"], strict=False), start=1):
        place = f"cell {number}"
        if one["source"] != two["source"] or one["cell_type"] != two["cell_type"]:
            yield f"{place}, source: {_apart(one['source'], two['source'])}"
        if one["metadata"] != two["metadata"]:
            yield f"{place}: its tags or other metadata differ"
        if one.get("execution_count") != two.get("execution_count"):
            ran = [_order(cell.get("execution_count")) for cell in (one, two)]
            yield f"{place}: {ran[0]} against {ran[1]}"
        yield from _unlike(place, one.get("outputs", []), two.get("outputs", []))


def _order(count: int | None) -> str:
    return "was not run" if count is None else f"ran as number {count}"


def _unlike(place: str, one: list[dict[str, Any]], two: list[dict[str, Any]]) -> Iterator[str]:
    if len(one) != len(two):
        yield f"{place}: {len(one)} outputs against {len(two)}"
    for number, (left, right) in enumerate(zip(one, two, strict=False), start=1):
        if left == right:
            continue
        here = f"{place}, output {number}"
        kinds = [o.get("name", o["output_type"]) for o in (left, right)]
        if kinds[0] != kinds[1]:
            yield f"{here}: {kinds[0]} against {kinds[1]}"
        elif "data" not in left:
            said = [o.get("text", o.get("evalue", "")) for o in (left, right)]
            yield f"{here} ({kinds[0]}): {_apart(*said)}"
        else:
            for kind in sorted({*left["data"], *right["data"]}):
                pair = [o["data"].get(kind, "") for o in (left, right)]
                if pair[0] != pair[1] and not kind.endswith(".record+json"):
                    yield f"{here} ({kind}): {_unlike_content(kind, *pair)}"
            if left.get("metadata") != right.get("metadata"):
                yield f"{here}: its metadata differ"


def _unlike_content(kind: str, one: Any, two: Any) -> str:
    if not kind.startswith(_TEXTS):
        return "the pictures or data differ"
    words = [_words(text) if kind == "text/html" else text for text in (one, two)]
    return _apart(*words) if words[0] != words[1] else "same words; the drawing or markup differs"


def unequal(kind: str, a: Any, b: Any, name: str = "") -> Iterator[str]:
    """Yield a line for every value in which two nested records differ."""
    if isinstance(a, Mapping) and isinstance(b, Mapping):
        for key in dict.fromkeys([*a, *b]):
            here = f"{name}.{key}" if name else str(key)
            yield from unequal(kind, a.get(key, _ABSENT), b.get(key, _ABSENT), here)
    elif isinstance(a, list) and isinstance(b, list) and len(a) == len(b):
        for place, (one, two) in enumerate(zip(a, b, strict=True), start=1):
            yield from unequal(kind, one, two, f"{name}[{place}]")
    elif a != b or type(a) is not type(b):
        yield f"{kind} {name}: {_value(a)} against {_value(b)}"


_ABSENT = object()


def _value(value: Any) -> str:
    if value is _ABSENT:
        return "absent"
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"


def _apart(a: str, b: str) -> str:
    """Return the two texts around the first place in which they differ."""
    shorter = min(len(a), len(b))
    at = next((i for i in range(shorter) if a[i] != b[i]), shorter)
    start = max(0, at - _SHOWN // 2)
    shown = [t[start : start + _SHOWN] for t in (a, b)]
    lead = "…" if start else ""
    ends = ["…" if len(t) > start + _SHOWN else "" for t in (a, b)]
    return f"'{lead}{shown[0]}{ends[0]}' against '{lead}{shown[1]}{ends[1]}'".replace("\n", "⏎")


def _words(html: str) -> str:
    """Return what a reader sees of a piece of HTML."""
    return " ".join(re.sub(r"<[^>]*>", " ", html).split())
