"""A declared universe of specifications, and the columns that it asks of a table."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from crime_analysis.errors import ModelError, ParameterError, UnknownNameError
from crime_analysis.models.formula import whole_periods

__all__ = ["CHOICES", "Columns", "Universe", "read_columns"]

#: The choices of a specification, in the order of the columns that hold them.
CHOICES = ("outcome", "measure", "lag", "sample", "controls", "fixed_effects", "weights")
_TREND = re.compile(r"(.+)\[(.+)\]")
Sample = str | Callable[[pd.DataFrame], pd.Series] | None


@dataclass(frozen=True)
class Universe:
    """Every specification that could be defended, declared before any is run.

    Attributes
    ----------
    outcomes, measures : sequence of str
        Columns: what is explained, and the versions of the cause whose coefficient is sought.
        Let the outcomes share a unit (all logarithms, say): medians over the universe mean
        nothing otherwise.
    unit, time : str
        Columns that name a row: ``force`` and ``fy_start``.
    samples : mapping of str to str, callable or None
        By name: a condition in the words of ``DataFrame.query``, a function from the data to a
        column of booleans, or None for all rows.
    controls : mapping of str to sequence of str
        By name: the columns held constant.
    fixed_effects : mapping of str to sequence of str
        By name: the columns absorbed. ``force[fy_start]``, beside ``force``, adds a straight
        line in time for every force. Unit and time if not given.
    weights : sequence of str or None
        Columns of analytic weights; None weighs all rows alike.
    lags : sequence of int
        Periods by which the measure is moved back (a negative one leads: a placebo). Lags are
        taken by the calendar from the whole table, before samples are cut from it.
    cluster : str, optional
        Column within whose groups errors may be correlated; the unit if not given.

    Raises
    ------
    ParameterError
        If a part is empty, says the same thing twice or is not of these kinds.

    Examples
    --------
    >>> universe = Universe(
    ...     outcomes=["robbery"], measures=["officers"], unit="force", time="year",
    ...     controls={"none": [], "population": ["people"], "officers": ["officers"]},
    ... )
    >>> universe.specifications()["reason"].tolist()
    ['', '', "measure 'officers' is also one of the controls"]
    """

    outcomes: Sequence[str]
    measures: Sequence[str]
    unit: str
    time: str
    samples: Mapping[str, Sample] = field(default_factory=lambda: {"all": None})
    controls: Mapping[str, Sequence[str]] = field(default_factory=lambda: {"none": ()})
    fixed_effects: Mapping[str, Sequence[str]] = field(default_factory=dict)
    weights: Sequence[str | None] = (None,)
    lags: Sequence[int] = (0,)
    cluster: str | None = None

    def __post_init__(self) -> None:
        def put(name: str, value: object) -> None:
            object.__setattr__(self, name, value)

        put("cluster", self.cluster or self.unit)
        if not self.fixed_effects:
            put("fixed_effects", {f"{self.unit} + {self.time}": (self.unit, self.time)})
        for name in ("outcomes", "measures", "weights", "lags"):
            put(name, _listed(name, getattr(self, name)))
        for name in ("outcomes", "measures"):
            if not all(isinstance(value, str) for value in getattr(self, name)):
                raise ParameterError(f"{name} are names of columns, not {getattr(self, name)!r}")
        if any(isinstance(lag, bool) or not isinstance(lag, int | np.integer) for lag in self.lags):
            raise ParameterError(f"lags are whole numbers of periods, not {self.lags!r}")
        for name in ("samples", "controls", "fixed_effects"):
            given = getattr(self, name)
            if not isinstance(given, Mapping) or not given:
                raise ParameterError(f"{name} must be a mapping from a name to what it stands for")
            if name != "samples":
                given = {key: _listed(f"{name} {key!r}", part, True) for key, part in given.items()}
                _distinct(name, [frozenset(part) for part in given.values()])
            put(name, dict(given))
        for name, parts in self.fixed_effects.items():
            for effect, _ in trends(parts):
                if effect not in parts:
                    raise ParameterError(
                        f"fixed effects {name!r} have a trend for each {effect!r}; add {effect!r}"
                    )

    def specifications(self) -> pd.DataFrame:
        """Return every combination of the choices, a row each.

        Returns
        -------
        DataFrame
            Indexed by ``specification`` from 1: ``outcome``, ``measure``, ``lag``, ``sample``,
            ``controls``, ``fixed_effects``, ``weights`` (names; ``none`` for no weights) and
            ``reason``: why the combination makes no regression, empty where it does.
        """
        weights = ["none" if name is None else name for name in self.weights]
        parts = (
            self.outcomes, self.measures, self.lags, self.samples, self.controls,
            self.fixed_effects, weights,
        )  # fmt: skip
        table = pd.DataFrame(list(itertools.product(*parts)), columns=list(CHOICES))
        why = {
            key: self._clash(*key)
            for key in itertools.product(
                self.outcomes, self.measures, self.controls, self.fixed_effects
            )
        }
        four = table[["outcome", "measure", "controls", "fixed_effects"]]
        table["reason"] = [why[key] for key in four.itertuples(index=False, name=None)]
        table.index = pd.RangeIndex(1, len(table) + 1, name="specification")
        return table

    def _clash(self, outcome: str, measure: str, controls: str, effects: str) -> str:
        """Return why some columns can have no part in one regression, if so."""
        held, absorbed = self.controls[controls], self.fixed_effects[effects]
        if outcome == measure:
            return f"{outcome!r} is both outcome and measure"
        for name, part in ((outcome, "outcome"), (measure, "measure")):
            if name in held:
                return f"{part} {name!r} is also one of the controls"
            if name in absorbed:
                return f"{part} {name!r} is also a fixed effect"
        both = [name for name in held if name in absorbed]
        return f"control {both[0]!r} is also a fixed effect" if both else ""


def trends(effects: Sequence[str]) -> list[tuple[str, str]]:
    """Return the trends among fixed effects, as (effect, time)."""
    found = (_TREND.fullmatch(effect) for effect in effects)
    return [(match[1], match[2]) for match in found if match]


def _listed(name: str, value: object, may_be_empty: bool = False) -> tuple:
    if isinstance(value, str) or not isinstance(value, Sequence):
        raise ParameterError(f"{name} must be a list, not {value!r}")
    if not value and not may_be_empty:
        raise ParameterError(f"{name} are empty; give one at least")
    _distinct(name, value)
    return tuple(value)


def _distinct(name: str, parts: Sequence[Hashable]) -> None:
    twice = [part for place, part in enumerate(parts) if part in parts[:place]]
    if twice:
        said = ", ".join(map(str, twice[0])) if isinstance(twice[0], frozenset) else repr(twice[0])
        raise ParameterError(f"{name} hold the same thing twice: {said or 'nothing'}; keep one")


@dataclass(frozen=True)
class Columns:
    """The columns of a universe as arrays, all with the rows of the data.

    Attributes
    ----------
    values : dict
        Numbers by name; of measures by (name, lag).
    samples : dict
        Booleans by name of the sample.
    codes : dict
        Fixed effects and clusters as codes, -1 where missing.
    home : array (n, 2)
        Codes of unit and time of each row.
    place : array (units, times)
        Row of each unit and time, -1 where there is none.
    earlier : dict
        By lag: for each code of time that of the lagged one, -1 where there is none.
    """

    values: dict[Hashable, np.ndarray]
    samples: dict[str, np.ndarray]
    codes: dict[str, np.ndarray]
    home: np.ndarray
    place: np.ndarray
    earlier: dict[int, np.ndarray]

    def measure(self, name: str, lag: int, donor: np.ndarray | None = None) -> np.ndarray:
        """Return a measure `lag` periods before each row, perhaps that of another unit.

        `donor` gives for each unit whose path it gets; None leaves each its own.
        """
        unit = self.home[:, 0] if donor is None else donor[self.home[:, 0]]
        time = self.earlier[lag][self.home[:, 1]]
        row = np.where(time < 0, -1, self.place[unit, time])
        return np.where(row < 0, np.nan, self.values[name][row])


def read_columns(universe: Universe, data: pd.DataFrame) -> Columns:
    """Return the columns that a universe asks for.

    Raises
    ------
    UnknownNameError
        If a name is no column of the data, with the nearest ones.
    ModelError
        If a column is not numeric, rows are not named by unit and time, or none are there.
    ParameterError
        If a sample cannot be read.
    """
    if data.empty:
        raise ModelError("there are no rows to estimate the universe from")
    effects = {name for part in universe.fixed_effects.values() for name in part}
    lines = {pair for part in universe.fixed_effects.values() for pair in trends(part)}
    plain = sorted(effects - {f"{effect}[{time}]" for effect, time in lines})
    weights = [name for name in universe.weights if name is not None]
    controls = {name for part in universe.controls.values() for name in part}
    times = sorted({time for _, time in lines})
    numeric = list(dict.fromkeys([*universe.outcomes, *universe.measures, *sorted(controls)]))
    numeric = list(dict.fromkeys([*numeric, *weights, *times]))
    cluster = str(universe.cluster)
    for name in dict.fromkeys([universe.unit, universe.time, cluster, *plain, *numeric]):
        if name not in data.columns:
            raise UnknownNameError("column", name, map(str, data.columns), "the universe")
    values: dict[Hashable, np.ndarray] = {}
    for name in numeric:
        column = data[name]
        if not pd.api.types.is_numeric_dtype(column) or pd.api.types.is_bool_dtype(column):
            raise ModelError(f"column {name!r} of the universe is not numeric")
        values[name] = column.to_numpy(dtype=float, na_value=np.nan)
    keys = data[[universe.unit, universe.time]]
    if keys.isna().to_numpy().any():
        raise ModelError(
            f"{int(keys.isna().any(axis=1).sum())} rows have no {universe.unit!r} or"
            f" {universe.time!r}; name them or take them out"
        )
    if keys.duplicated().any():
        first = " ".join(map(str, keys[keys.duplicated()].iloc[0]))
        raise ModelError(
            f"{int(keys.duplicated().sum())} rows repeat a {universe.unit!r} and"
            f" {universe.time!r}, the first {first}; keep one row of each"
        )
    unit = pd.factorize(keys[universe.unit], sort=True)[0]
    time, moments = pd.factorize(keys[universe.time], sort=True)
    place = np.full((unit.max() + 1, len(moments)), -1)
    place[unit, time] = np.arange(len(data))
    columns = Columns(
        values=values,
        samples={name: _sample(name, rule, data) for name, rule in universe.samples.items()},
        codes={name: pd.factorize(data[name], sort=True)[0] for name in [*plain, cluster]},
        home=np.column_stack([unit, time]),
        place=place,
        earlier={int(lag): _earlier(moments, int(lag), universe.time) for lag in universe.lags},
    )
    for name, lag in itertools.product(universe.measures, universe.lags):
        columns.values[name, int(lag)] = columns.measure(name, int(lag))
    return columns


def _earlier(moments: pd.Index, lag: int, time: str) -> np.ndarray:
    if lag == 0:
        return np.arange(len(moments))
    moments = pd.Index(whole_periods(pd.Series(moments), time))
    return moments.get_indexer(moments - lag)


def _sample(name: str, rule: Sample, data: pd.DataFrame) -> np.ndarray:
    """Return the rows of a sample as booleans."""
    if rule is None:
        return np.ones(len(data), dtype=bool)
    try:
        found = rule(data) if callable(rule) else data.eval(rule, engine="python")
    except Exception as problem:  # whatever the user's own words or function bring about
        text = " ".join(str(problem).split())
        unknown = re.fullmatch(r"name '(.+)' is not defined", text)
        if unknown:
            where = f"sample {name!r}"
            raise UnknownNameError("column", unknown[1], map(str, data.columns), where) from None
        raise ParameterError(f"sample {name!r} cannot be read: {text}") from None
    array = np.asarray(found)
    if array.shape != (len(data),) or array.dtype != bool:
        raise ParameterError(f"sample {name!r} must say true or false for each row of the data")
    if isinstance(found, pd.Series) and not found.index.equals(data.index):
        raise ParameterError(f"sample {name!r} has its rows in another order than the data")
    return array
