"""A drawing in fewer bytes, with every mark where it was."""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

__all__ = ["compact"]

_TAG = re.compile(r"(<[^<>]+>)")
_ID = re.compile(r' id="([^"]*)"')
_REFERENCE = re.compile(r'(url\(#|href="#)([^)"]+)')
_LOOK = re.compile(r' (style|clip-path)="([^"]*)"')
_RULES = re.compile(r"(<style[^>]*>)([^<]*)")
# A class costs its rule; below this, telling the style at each mark is as short.
_OFTEN = 3


def compact(svg: str) -> str:
    """Return a drawing of matplotlib's without what no reader sees.

    Notes on itself, blanks, far decimals, names that nothing refers to and groups that hold
    nothing together go; names that are referred to become short; a look that several marks
    share is told once, as a class.

    Parameters
    ----------
    svg : str
        The drawing, as `matplotlib.backends.backend_svg` writes it.

    Returns
    -------
    str
        A drawing of the same picture and the same words.

    Examples
    --------
    >>> compact('<svg><g id="a"><path d="M 1.23456 2 L 3 4"/></g></svg>')
    '<svg><path d="M1.23 2L3 4"/></svg>'
    """
    svg = re.sub(r"<!DOCTYPE[^>]*>\s*|<metadata>.*?</metadata>\s*|<!--.*?-->", "", svg, flags=re.S)
    svg = re.sub(r">\n\s*<", "><", svg)
    parts = _TAG.split(svg)
    parts[1::2] = [_plain(tag) for tag in parts[1::2]]
    parts[1::2] = _renamed(parts[1::2])
    parts[1::2], rules = _classed(parts[1::2])
    drawn = "".join(_joined(_without_idle_groups(filter(None, parts)), rules))
    told = "".join(f".{name}{{{look}}}" for name, look in rules.items())
    return _RULES.sub(lambda style: style[1] + style[2] + told, drawn, count=1)


def _plain(tag: str) -> str:
    """Return a tag with short numbers, and without turns by nothing."""
    text = re.sub(r' transform="rotate\(-?0 [^"]*\)"', "", tag)
    return re.sub(r' (d|x|y)="([^"]*)"', _rounded, text)


def _rounded(attribute: re.Match[str]) -> str:
    """Return coordinates to a hundredth of a point, finer than any screen or press."""

    def short(number: re.Match[str]) -> str:
        return f"{float(number[0]):.2f}".rstrip("0").rstrip(".")

    text = re.sub(r"-?\d+\.\d{3,}", short, attribute[2])
    text = re.sub(r"\s*([A-Za-z])\s*", r"\1", text) if attribute[1] == "d" else text
    return f' {attribute[1]}="{text.strip()}"'


def _renamed(tags: list[str]) -> list[str]:
    """Return tags with short names where something refers to them, and no others."""
    wanted = dict.fromkeys(name for tag in tags for _, name in _REFERENCE.findall(tag))
    names = dict(zip(wanted, _short_names("r"), strict=False))

    def named(found: re.Match[str]) -> str:
        return f' id="{names[found[1]]}"' if found[1] in names else ""

    return [
        _REFERENCE.sub(lambda found: found[1] + names[found[2]], _ID.sub(named, tag))
        for tag in tags
    ]


def _classed(tags: list[str]) -> tuple[list[str], dict[str, str]]:
    """Return tags with a class for a look that is shared, and the look of each class.

    What is drawn elsewhere by reference keeps its own words: not every program looks for rules
    of what it has copied.
    """
    looks = ["" if _ID.search(tag) else _look(tag) for tag in tags]
    shared = [look for look, count in Counter(filter(None, looks)).items() if count >= _OFTEN]
    classes = dict(zip(shared, _short_names("c"), strict=False))
    made = [
        re.sub(r"^<([\w:]+)", rf'<\1 class="{classes[look]}"', _LOOK.sub("", tag))
        if look in classes
        else tag
        for tag, look in zip(tags, looks, strict=True)
    ]
    return made, {name: look for look, name in classes.items()}


def _look(tag: str) -> str:
    """Return how a mark looks and where it is cut off, as declarations."""
    found = dict(_LOOK.findall(tag))
    cut = [f"clip-path: {found['clip-path']}"] if "clip-path" in found else []
    return "; ".join([*filter(None, [found.get("style", "")]), *cut])


def _without_idle_groups(parts: Iterable[str]) -> Iterator[str]:
    """Yield parts without the groups that say nothing of what they hold."""
    kept: list[bool] = []
    for part in parts:
        if part == "<g/>":
            continue
        if _opens_group(part):
            kept.append(part != "<g>")
            if not kept[-1]:
                continue
        elif part == "</g>" and not kept.pop():
            continue
        yield part


def _joined(parts: Iterable[str], rules: Mapping[str, str]) -> Iterator[str]:
    """Yield parts with neighbouring groups made one, where all they say is where to cut off."""
    cutting = {
        f'<g class="{name}">' for name, look in rules.items() if look.startswith("clip-path")
    }
    held: list[str] = []
    closed = ""  # the tag of the group whose end was held back
    for part in parts:
        if closed and part == closed:
            held.append(closed)
            closed = ""
            continue
        if closed:
            yield "</g>"
            closed = ""
        if _opens_group(part):
            held.append(part)
        elif part == "</g>" and (tag := held.pop()) in cutting:
            closed = tag
            continue
        yield part
    if closed:
        yield "</g>"


def _opens_group(part: str) -> bool:
    return re.match(r"<g[\s>]", part) is not None and not part.endswith("/>")


def _short_names(letter: str) -> Iterator[str]:
    return (f"{letter}{number}" for number in itertools.count(1))
