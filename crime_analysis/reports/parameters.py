"""What a notebook may be asked: its parameters, read from its own cell and checked early."""

from __future__ import annotations

import ast
import io
import json
import math
import tokenize
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ..errors import ParameterError, UnknownNameError
from .notebook import notebook_settings, read_notebook

__all__ = [
    "Parameter",
    "checked",
    "declared_parameters",
    "listed",
    "read_parameters",
    "validate",
]

_SCALARS = ("str", "int", "float", "bool")
_TYPES = (*_SCALARS, *(f"list[{t}]" for t in _SCALARS))
_WORDS = {"true": True, "yes": True, "on": True, "1": True}
_WORDS |= {"false": False, "no": False, "off": False, "0": False}
_RULES = ("choices", "help", "maximum", "minimum")
_SPOKEN = {"int": "a whole number", "float": "a number", "bool": "true or false", "str": "text"}


@dataclass(frozen=True)
class Parameter:
    """One parameter of a notebook, as its cell and its metadata declare it.

    Attributes
    ----------
    name, default, help
        The assigned name, its value in the notebook, and the comment at the line's end.
    type : str
        ``int``, ``float``, ``bool``, ``str`` or a ``list[...]`` of one of them.
    choices : tuple or None
        The only values accepted, in their own order.
    minimum, maximum : float or None
        Inclusive bounds.
    optional : bool
        Whether None is a value.
    before : tuple of str
        Parameters whose value must come after this one's.
    """

    name: str
    default: Any
    type: str
    help: str = ""
    choices: tuple[Any, ...] | None = None
    minimum: float | None = None
    maximum: float | None = None
    optional: bool = False
    before: tuple[str, ...] = ()


def read_parameters(notebook_path: str | Path) -> list[Parameter]:
    """Read the parameters of a notebook from its cell tagged ``parameters``.

    papermill's own inspection matches lines with a regular expression and misses what spans
    lines, shares one or holds a ``#``; this parses the cell as Python.

    Parameters
    ----------
    notebook_path : str or Path
        The notebook.

    Returns
    -------
    list of Parameter
        In the order of the cell.

    Raises
    ------
    ParameterError
        No readable notebook, no tagged cell, or a declaration that cannot be understood.
    """
    path = Path(notebook_path)
    return declared_parameters(read_notebook(path), path.name)


def declared_parameters(notebook: Mapping[str, Any], name: str) -> list[Parameter]:
    """Return the parameters of a notebook that was read; `name` is for the messages."""
    for number, cell in enumerate(notebook["cells"], start=1):
        tags = cell.get("metadata", {}).get("tags", [])
        if cell["cell_type"] == "code" and "parameters" in tags:
            source = "".join(cell.get("source", ""))
            parameters = _from_source(source, f"{name}, cell {number}")
            return _with_settings(parameters, notebook_settings(notebook, name), name)
    raise ParameterError(
        f"{name}: no parameters; add the tag 'parameters' to the code cell that assigns them"
    )


def validate(
    parameters: Iterable[Parameter],
    given: Mapping[str, object],
    notebook: str | Path,
) -> dict[str, Any]:
    """Check and complete what a user gave, before anything runs.

    Parameters
    ----------
    parameters : iterable of Parameter
        As `read_parameters` returns them.
    given : mapping of str to object
        What the user asks for; text is turned into each parameter's type (lists by comma), and
        a choice may be written in any case.
    notebook : str or Path
        Its name, for the messages.

    Returns
    -------
    dict
        Every parameter's value, in the notebook's order.

    Raises
    ------
    UnknownNameError
        A parameter, or a choice of one, that does not exist.
    ParameterError
        A value of the wrong type, out of range or out of order.
    """
    where = Path(notebook).name
    by_name = {p.name: p for p in parameters}
    for name in given:
        if name not in by_name:
            raise UnknownNameError("parameter", name, by_name, where)
    values = {
        name: checked(parameter, given.get(name, parameter.default), where)
        for name, parameter in by_name.items()
    }
    for parameter in by_name.values():
        for later in parameter.before:
            _check_order(parameter, by_name[later], values, where)
    return values


def checked(parameter: Parameter, value: object, where: str) -> Any:
    """Return one value in its parameter's type and, among choices, in its canonical form.

    Raises
    ------
    UnknownNameError, ParameterError
        As `validate`; `where` is the notebook's name.
    """
    return _within(parameter, _coerced(parameter, value, where), where)


def listed(text: str) -> list[Any]:
    """Return the values that a text lists: separated by commas, or as a JSON list.

    JSON is for values that hold a comma, are empty, or begin or end with a space.

    Examples
    --------
    >>> listed("Kent, Surrey")
    ['Kent', 'Surrey']
    >>> listed('["Avon, Somerset", "Kent"]')
    ['Avon, Somerset', 'Kent']
    """
    if text.strip().startswith("["):
        try:
            found = json.loads(text)
        except (ValueError, RecursionError):
            found = None
        if isinstance(found, list):
            return found
    return [part.strip() for part in text.split(",") if part.strip()]


def _from_source(source: str, where: str) -> list[Parameter]:
    """Parse assignments of literals; refuse what has no fixed value or type."""
    try:
        tree = ast.parse(source)
    except SyntaxError as error:
        raise ParameterError(
            f"{where}, line {error.lineno}: not valid Python; correct the parameters cell"
        ) from None
    comments = {}
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            comments[token.start[0]] = token.string.lstrip("#: ").strip()

    found: dict[str, Parameter] = {}
    for node in tree.body:
        annotation: ast.expr | None = None
        targets: Sequence[ast.expr]
        if isinstance(node, ast.AnnAssign) and node.value is not None:
            targets, annotation, value = [node.target], node.annotation, node.value
        elif isinstance(node, ast.Assign):
            targets, value = node.targets, node.value
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            continue  # a docstring
        else:
            raise ParameterError(
                f"{where}, line {node.lineno}: parameters are assignments such as 'year = 2018'; "
                "move anything else to another cell"
            )
        comment = comments.get(node.end_lineno or node.lineno, comments.get(node.lineno, ""))
        for target, part in _pairs(targets, value):
            if not isinstance(target, ast.Name):
                raise ParameterError(f"{where}, line {node.lineno}: assign to plain names only")
            try:
                default = ast.literal_eval(part)
            except (ValueError, TypeError):
                raise ParameterError(
                    f"{where}, line {node.lineno}: the default of {target.id!r} is computed; "
                    "write it out as a number, text, true or false, or a list"
                ) from None
            default = list(default) if isinstance(default, tuple) else default
            kind, optional = _type_of(annotation, default, f"{where}, parameter {target.id!r}")
            found[target.id] = Parameter(target.id, default, kind, comment, optional=optional)
    return list(found.values())


def _pairs(targets: Sequence[ast.expr], value: ast.expr) -> list[tuple[ast.expr, ast.expr]]:
    """Split ``a = b = 1`` and ``a, b = 1, 2`` into single assignments."""
    pairs: list[tuple[ast.expr, ast.expr]] = []
    for target in targets:
        sequences = (
            isinstance(target, ast.Tuple | ast.List),
            isinstance(value, ast.Tuple | ast.List),
        )
        if all(sequences) and len(target.elts) == len(value.elts):  # type: ignore[attr-defined]
            pairs += zip(target.elts, value.elts, strict=True)  # type: ignore[attr-defined]
        else:
            pairs.append((target, value))
    return pairs


def _type_of(annotation: ast.expr | None, default: object, where: str) -> tuple[str, bool]:
    """Return the type's name and whether None is allowed."""
    optional = default is None
    if annotation is not None:
        is_text = isinstance(annotation, ast.Constant) and isinstance(annotation.value, str)
        written = annotation.value if is_text else ast.unparse(annotation)  # type: ignore[attr-defined]
        written = str(written).replace(" ", "").replace("typing.", "").replace("List[", "list[")
        if written.startswith("Optional[") and written.endswith("]"):
            written, optional = written.removeprefix("Optional[").removesuffix("]"), True
        parts = written.split("|")
        optional = optional or "None" in parts
        kind = "|".join(p for p in parts if p != "None")
        kind = "list[str]" if kind == "list" else kind
    elif isinstance(default, list | tuple):
        kinds = {type(item).__name__ for item in default} or {"str"}
        kind = "float" if kinds == {"int", "float"} else "/".join(sorted(kinds))
        kind = f"list[{kind}]"
    else:
        kind = "str" if default is None else type(default).__name__
    if kind not in _TYPES:
        raise ParameterError(f"{where}: type {kind} is not supported; use {', '.join(_TYPES)}")
    return kind, optional


def _with_settings(
    parameters: list[Parameter], settings: Mapping[str, Any], where: str
) -> list[Parameter]:
    """Add choices, bounds and order from the metadata; a rule for no parameter is an error."""
    by_name = {p.name: p for p in parameters}

    def known(name: object) -> Parameter:
        if name not in by_name:
            raise UnknownNameError("parameter", name, by_name, f"the metadata of {where}")
        return by_name[str(name)]

    for name in settings.get("name_by", []):
        known(name)
    for name, rule in settings.get("parameters", {}).items():
        by_name[name] = _with_rule(known(name), rule, f"the metadata of {where}")
    for first, second in settings.get("ordered", []):
        known(second)
        by_name[first] = replace(known(first), before=(*known(first).before, second))
    return list(by_name.values())


def _with_rule(parameter: Parameter, rule: Any, where: str) -> Parameter:
    """Add one parameter's choices or bounds, which must be of its own type."""
    name = parameter.name
    if not isinstance(rule, Mapping):
        raise ParameterError(
            f"{where}: the rule for {name!r} is {rule!r}; "
            'give {"choices": [...]} or {"minimum": .., "maximum": ..}'
        )
    for key in rule:
        if key not in _RULES:
            raise UnknownNameError(f"rule for {name!r}", key, _RULES, where)

    def typed(value: Any) -> Any:
        base = parameter.type.removeprefix("list[").removesuffix("]")
        return _scalar(f"a rule for {name}", base, value, where)

    choices = rule.get("choices")
    if choices is not None:
        if not isinstance(choices, list) or not choices:
            raise ParameterError(f"{where}: the choices of {name!r} are {choices!r}; give a list")
        choices = tuple(None if c is None and parameter.optional else typed(c) for c in choices)
        if len({_folded(choice) for choice in choices}) < len(choices):
            raise ParameterError(f"{where}: two choices of {name!r} differ in case or spaces only")
    low, high = (None if (b := rule.get(k)) is None else typed(b) for k in ("minimum", "maximum"))
    if low is not None and high is not None and low > high:
        raise ParameterError(f"{where}: the minimum of {name!r} is above its maximum")
    return replace(
        parameter,
        choices=choices,
        minimum=low,
        maximum=high,
        help=parameter.help or str(rule.get("help", "")),
    )


def _coerced(parameter: Parameter, value: object, where: str) -> Any:
    """Return `value` in the parameter's type, or say what it should have been."""
    name, kind = parameter.name, parameter.type
    if parameter.optional and (value is None or value in ("None", "none")):
        return None
    if kind.startswith("list["):
        item = kind.removeprefix("list[").removesuffix("]")
        if isinstance(value, str):
            value = listed(value)
        elif hasattr(value, "tolist"):  # an array, or a table's column
            value = value.tolist()
        if not isinstance(value, list | tuple):
            raise _mistyped(name, value, f"a list of {item}, separated by commas", where)
        return [_scalar(name, item, part, where) for part in value]
    return _scalar(name, kind, value, where)


def _scalar(name: str, kind: str, value: Any, where: str) -> Any:
    # numpy scalars are what a loop over a table's columns gives.
    if hasattr(value, "item") and not isinstance(value, str):
        value = value.item()
    text = value.strip() if isinstance(value, str) else None
    try:
        if kind == "str" and text is not None:
            return value
        if kind == "bool":
            return value if isinstance(value, bool) else _WORDS[text.lower()]  # type: ignore[union-attr]
        if kind == "int" and not isinstance(value, bool | float):
            return int(value)
        if kind == "float" and not isinstance(value, bool) and math.isfinite(float(value)):
            return float(value)
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError):
        pass
    raise _mistyped(name, value, _SPOKEN[kind], where)


def _mistyped(name: str, value: object, wanted: str, where: str) -> ParameterError:
    return ParameterError(f"parameter {name!r} of {where} is {value!r}; give {wanted}")


def _within(parameter: Parameter, value: Any, where: str) -> Any:
    """Return the canonical choice, or the value if it keeps to the bounds."""
    if value is None:
        return None
    if isinstance(value, list):
        return [_within(parameter, item, where) for item in value]
    if parameter.choices is not None:
        if value in parameter.choices:
            return parameter.choices[parameter.choices.index(value)]
        folded = {_folded(choice): choice for choice in parameter.choices}
        if _folded(value) in folded:
            return folded[_folded(value)]
        raise UnknownNameError(parameter.name, value, map(str, parameter.choices), where)
    low, high = parameter.minimum, parameter.maximum
    if (low is not None and value < low) or (high is not None and value > high):
        span = (
            f"from {low} to {high}"
            if None not in (low, high)
            else (f"of at least {low}" if low is not None else f"of at most {high}")
        )
        base = parameter.type.removeprefix("list[").removesuffix("]")
        raise _mistyped(parameter.name, value, f"{_SPOKEN[base]} {span}", where)
    return value


def _folded(value: object) -> str:
    return " ".join(str(value).split()).casefold()


def _check_order(
    first: Parameter, second: Parameter, values: Mapping[str, Any], where: str
) -> None:
    """Raise unless the first value comes before the second: by choices, else by size."""
    a, b = values[first.name], values[second.name]
    if a is None or b is None:
        return
    if first.choices and b in first.choices:
        in_order = first.choices.index(a) < first.choices.index(b)
    else:
        in_order = a < b
    if not in_order:
        raise ParameterError(
            f"parameter {first.name!r} of {where} is {a!r} and {second.name!r} is {b!r}; "
            f"{first.name} must come before {second.name}"
        )
