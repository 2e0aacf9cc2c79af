"""Read a formula, and the columns that it asks for, from a table.

The notation is the field's own, ``y ~ x1 + x2 | fixed effects | endogenous ~ instruments``.
A term is a column or one of

- ``log(x)``: natural logarithm; a zero is refused later by name, never made one;
- ``lag(x, k)``, ``diff(x, k)``: the value `k` periods before, and the change since then, within
  the unit and by the calendar: a period that is not there is missing, not skipped;
- ``i(x, ref=level)``: a dummy for each level of `x` but one (the first if none is named, none
  left out with ``ref=None``);
- ``a:b``: their product; ``a*b``: both and their product.

A fixed effect is a column, or ``a^b`` for one effect of each pair.
"""

from __future__ import annotations

import ast
import itertools
import keyword
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from crime_analysis import periods
from crime_analysis.errors import ModelError, ParameterError, UnknownNameError
from crime_analysis.models.fit import Design

__all__ = ["Parts", "read", "whole_periods"]

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_NO_CONSTANT = re.compile(r"^0$|-\s*1$")
_SHAPE = "write 'y ~ x | fixed effects | endogenous ~ instrument'"
_FUNCTIONS = ("log", "lag", "diff", "i")


@dataclass(frozen=True)
class Parts:
    """A formula taken apart: each side's terms as they are written, products written out."""

    outcome: str
    slopes: list[str]
    effects: list[str]
    endogenous: list[str]
    instruments: list[str]
    constant: bool = True

    @classmethod
    def of(cls, formula: str) -> Parts:
        """Take a formula apart.

        Raises
        ------
        ModelError
            If it has not the shape of one, or a term stands twice.

        Examples
        --------
        >>> Parts.of("y ~ a*b | unit | x ~ z").slopes
        ['a', 'b', 'a:b']
        """
        first, *pieces = (piece.strip() for piece in _split(formula, "|"))
        sides = _split(first, "~")
        last = pieces.pop() if pieces and "~" in pieces[-1] else ""
        between = _split(last, "~") if last else ["", ""]
        if len(sides) != 2 or len(between) != 2 or len(pieces) > 1 or not sides[1].strip():
            raise ModelError(f"{formula!r} is not a formula; {_SHAPE}")
        groups = _terms(pieces[0], formula) if pieces else []
        left, right = _terms(sides[0], formula), _terms(sides[1], formula)
        endogenous, instruments = (_terms(side, formula) for side in between)
        if len(left) != 1 or bool(groups) != bool(pieces) or bool(endogenous) != bool(last):
            raise ModelError(f"{formula!r} is not a formula; {_SHAPE}")
        if len(instruments) < len(endogenous):
            raise ModelError(f"{formula!r} has fewer instruments than endogenous terms")
        every = [*left, *right, *groups, *endogenous, *instruments]
        twice = sorted({name for name in every if every.count(name) > 1})
        if twice:
            raise ModelError(f"{twice} stand twice in {formula!r}; each term has one part to play")
        constant = not any(_NO_CONSTANT.search(part) for part in _split(sides[1], "+"))
        return cls(left[0], right, groups, endogenous, instruments, constant)

    def __str__(self) -> str:
        written = f"{self.outcome} ~ {' + '.join(self.slopes) or ('1' if self.constant else '0')}"
        if self.slopes and not self.constant:
            written += " - 1"
        if self.effects:
            written += f" | {' + '.join(self.effects)}"
        if self.endogenous:
            written += f" | {' + '.join(self.endogenous)} ~ {' + '.join(self.instruments)}"
        return written


def read(
    formula: str, data: pd.DataFrame, unit: str | None = None, time: str | None = None
) -> Design:
    """Return the columns that a formula asks for, for every row of the data.

    Parameters
    ----------
    formula : str
    data : DataFrame
    unit, time : str, optional
        Columns that ``lag`` and ``diff`` go by; ``force`` and ``fy_start`` if the data have
        them, else the two fixed effects.

    Returns
    -------
    Design
        Without weights, clusters and offset; indexed by position; fixed effects as they are.

    Raises
    ------
    ModelError
        If the formula cannot be read, or a term cannot be made from the data.
    UnknownNameError
        If it names a column or function that is not there, with the nearest ones.
    """
    parts = Parts.of(formula)
    left, right, groups = [parts.outcome], parts.slopes, parts.effects
    endogenous, instruments = parts.endogenous, parts.instruments
    if data.empty:
        raise ModelError(f"there are no rows to estimate {formula!r} from")

    effects = {name: _effect(name, data, formula) for name in groups}
    unit, time = _panel(unit, time, data, groups)
    make = _Maker(data, formula, unit, time)
    slopes = make.frame(right)
    if not groups and parts.constant:
        slopes.insert(0, "Intercept", 1.0)
    outcome = make.frame(left)
    if outcome.shape[1] != 1:
        raise ModelError(f"the outcome of {formula!r} is more than one column")
    held = pd.DataFrame(effects, index=pd.RangeIndex(len(data)))
    frames = [slopes, make.frame(endogenous), make.frame(instruments)]
    complete = ~pd.concat([outcome, held, *frames], axis=1).isna().any(axis=1)
    for levels in make.unreferenced.values():
        first = next(
            (n for n in levels for part in frames if n in part and part.loc[complete, n].any()),
            levels[0],
        )
        for part in frames:
            gone = [column for column in part if first in _split(str(column), ":")]
            for column in gone:
                del part[column]
    return Design(
        outcome=outcome.iloc[:, 0],
        slopes=frames[0],
        endogenous=frames[1],
        instruments=frames[2],
        effects=held,
    )


def _split(text: str, mark: str) -> list[str]:
    """Split at a mark that stands outside brackets."""
    parts, depth = [""], 0
    for letter in text:
        depth += (letter in "([") - (letter in ")]")
        if letter == mark and depth == 0:
            parts.append("")
        else:
            parts[-1] += letter
    return [part.strip() for part in parts]


def _terms(text: str, formula: str) -> list[str]:
    """Return the terms of one side, products written out, constants left out."""
    terms: list[str] = []
    for part in _split(text, "+"):
        part = _NO_CONSTANT.sub("", part).strip()
        if part in ("", "0", "1"):
            continue
        factors = _split(part, "*")
        for size in range(1, len(factors) + 1):
            terms += [":".join(some) for some in itertools.combinations(factors, size)]
    for name in ("Intercept", *keyword.kwlist):
        if name in terms:
            raise ModelError(f"{name!r} in {formula!r} is not a column; rename it")
    return terms


def _column(name: str, data: pd.DataFrame, formula: str) -> pd.Series:
    if not _NAME.fullmatch(name):
        raise ModelError(
            f"{name!r} in {formula!r} is not a column or a term; make it a column, or write one of"
            f" {', '.join(f'{f}()' for f in _FUNCTIONS)}, a:b"
        )
    if name not in data.columns:
        raise UnknownNameError("column", name, map(str, data.columns), formula)
    if isinstance(data[name], pd.DataFrame):
        raise ModelError(f"two columns of the data are called {name!r}; rename one")
    return data[name].reset_index(drop=True)


def _effect(name: str, data: pd.DataFrame, formula: str) -> pd.Series:
    """Return a fixed effect's groups; of ``a^b``, one group a pair."""
    parts = [_column(part.strip(), data, formula) for part in name.split("^")]
    if len(parts) == 1:
        return parts[0]
    codes = pd.DataFrame(dict(enumerate(parts))).groupby(list(range(len(parts)))).ngroup()
    return codes.astype("float64").where(codes >= 0)


def _panel(
    unit: str | None, time: str | None, data: pd.DataFrame, effects: Sequence[str]
) -> tuple[str | None, str | None]:
    for name in (unit, time):
        if name is not None and name not in data.columns:
            raise UnknownNameError("column", name, map(str, data.columns))
    if unit is None and time is None:
        if {"force", "fy_start"} <= set(data.columns):
            return "force", "fy_start"
        if len(effects) == 2 and all(name in data.columns for name in effects):
            return effects[0], effects[1]
    return unit, time


class _Maker:
    """Makes the columns of terms from one table."""

    def __init__(
        self, data: pd.DataFrame, formula: str, unit: str | None, time: str | None
    ) -> None:
        self.data, self.formula, self.unit, self.time = data, formula, unit, time
        # Dummies whose reference is not named: the first level that usable rows have.
        self.unreferenced: dict[str, list[str]] = {}

    def frame(self, terms: Sequence[str]) -> pd.DataFrame:
        """Return the columns of several terms; without rows of its own where there are none."""
        made: dict[str, pd.Series] = {}
        for term in terms:
            for name, values in self._term(term).items():
                if name in made:
                    raise ModelError(f"{name!r} stands twice in {self.formula!r}")
                made[name] = values
        return pd.DataFrame(made, index=pd.RangeIndex(len(self.data)))

    def _term(self, term: str) -> dict[str, pd.Series]:
        """Return the columns of one term: the products of its factors' columns."""
        parts = [self._factor(part) for part in _split(term, ":")]
        if len(parts) == 1:
            return parts[0]
        made: dict[str, pd.Series] = {}
        for some in itertools.product(*(part.items() for part in parts)):
            values = self._number(some[0][0], some[0][1])
            for name, other in some[1:]:
                values = values * self._number(name, other)
            made[":".join(name for name, _ in some)] = values
        return made

    def _factor(self, text: str) -> dict[str, pd.Series]:
        if _NAME.fullmatch(text) or "(" not in text:
            return {text: _column(text, self.data, self.formula)}
        try:
            tree = ast.parse(text, mode="eval").body
        except SyntaxError:
            raise ModelError(f"{text!r} in {self.formula!r} cannot be read") from None
        if isinstance(tree, ast.Call) and isinstance(tree.func, ast.Name) and tree.func.id == "i":
            return self._dummies(tree)
        values = self._value(tree)
        return {ast.unparse(tree): values}

    def _value(self, node: ast.expr) -> pd.Series:
        """Return the column of ``x``, ``log(...)``, ``lag(...)`` or ``diff(...)``."""
        if isinstance(node, ast.Name):
            return _column(node.id, self.data, self.formula)
        known: dict[str, Callable[[pd.Series, int], pd.Series]]
        known = {"lag": self._lag, "diff": lambda v, k: v - self._lag(v, k)}
        written = ast.unparse(node)
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.args):
            raise ModelError(f"{written!r} in {self.formula!r} is not a term; make it a column")
        function, inner = node.func.id, node.args[0]
        if function not in (*known, "log"):
            raise UnknownNameError("function", function, _FUNCTIONS, self.formula)
        values = self._number(ast.unparse(inner), self._value(inner))
        extra = [*node.args[1:], *[k.value for k in node.keywords if k.arg == "k"]]
        if function == "log":
            if extra:
                raise ModelError(f"{written!r} in {self.formula!r}: log() takes one column")
            below = values < 0
            if below.any():
                row = self.data.index[below.to_numpy()][0]
                raise ModelError(
                    f"{written!r}: the logarithm of a negative value in {int(below.sum())} rows,"
                    f" the first {row!r}; leave those out, or model the value itself"
                )
            with np.errstate(divide="ignore"):
                return np.log(values)
        steps = extra[0].value if extra and isinstance(extra[0], ast.Constant) else 1
        if extra and isinstance(extra[0], ast.UnaryOp):
            steps = ast.literal_eval(extra[0])
        if len(extra) > 1 or not isinstance(steps, int) or isinstance(steps, bool) or steps == 0:
            raise ModelError(
                f"{written!r} in {self.formula!r}: write {function}(x, k), k whole and not zero"
            )
        return known[function](values, steps)

    def _number(self, name: str, values: pd.Series) -> pd.Series:
        if not pd.api.types.is_numeric_dtype(values) or pd.api.types.is_bool_dtype(values):
            raise ModelError(f"column {name!r} of {self.formula!r} is not numeric")
        return values.astype("float64")

    def _lag(self, values: pd.Series, steps: int) -> pd.Series:
        """Return each unit's value so many periods before, by the calendar."""
        if self.unit is None or self.time is None:
            raise ModelError(
                f"lag() and diff() in {self.formula!r} need to know the panel; give unit= and time="
            )
        units = self.data[self.unit].reset_index(drop=True)
        at = whole_periods(self.data[self.time].reset_index(drop=True), self.time)
        keys = pd.DataFrame({"unit": units, "at": at})
        if keys.duplicated().any():
            first = keys[keys.duplicated()].iloc[0]
            raise ModelError(
                f"{self.unit} {first['unit']} has {self.time} {first['at']:g} twice, so no one lag"
            )
        earlier = keys.assign(value=values, at=keys["at"] + steps)
        return keys.merge(earlier, on=["unit", "at"], how="left")["value"]

    def _dummies(self, tree: ast.Call) -> dict[str, pd.Series]:
        """Return a dummy for each level of a column but the reference."""
        written = ast.unparse(tree)
        options = {k.arg: k.value for k in tree.keywords}
        if len(tree.args) != 1 or not isinstance(tree.args[0], ast.Name) or set(options) - {"ref"}:
            raise ModelError(f"{written!r} in {self.formula!r}: write i(column, ref=level)")
        name = tree.args[0].id
        values = _column(name, self.data, self.formula)
        levels = sorted(values.dropna().unique().tolist())
        left_out: list[object] = []
        if "ref" not in options:
            self.unreferenced[name] = [f"{name}={level}" for level in levels]
        else:
            reference = ast.literal_eval(options["ref"])
            if reference is not None and reference not in levels:
                raise UnknownNameError("level", reference, map(str, levels), written)
            left_out = [level for level in levels if reference is not None and level == reference]
        return {
            f"{name}={level}": (values == level).astype("float64").where(values.notna())
            for level in levels
            if level not in left_out
        }


def whole_periods(values: pd.Series, name: str) -> pd.Series:
    """Return periods as whole numbers: years as they are, financial years by their first."""
    if pd.api.types.is_numeric_dtype(values):
        numbers = values.astype("float64")
        if numbers.dropna().mod(1).eq(0).all():
            return numbers
    else:
        try:
            return values.map(lambda v: float(periods.start(str(v))) if pd.notna(v) else np.nan)
        except (ParameterError, UnknownNameError):
            pass
    raise ModelError(
        f"column {name!r} does not count periods; lag() and diff() need whole numbers (years) or"
        " financial years such as 2010/11"
    )
