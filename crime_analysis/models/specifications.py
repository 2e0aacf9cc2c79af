"""Estimate every specification of a universe, sharing all that can be shared."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from crime_analysis.models.absorb import factor
from crime_analysis.models.batched import Absorbed, Moments, absorb, moments, resample, solve
from crime_analysis.models.universe import CHOICES, Columns, Universe, trends

__all__ = ["Estimates", "Specifications"]

#: With fewer clusters plus and minus one make too few different draws (Webb 2023).
_FEW = 12
_WEBB = np.sqrt([0.5, 1.0, 1.5])
_HELD = 400


@dataclass(frozen=True)
class _Part:
    """Regressions of one size on the same rows, with the moments of their columns."""

    products: Moments
    clusters: np.ndarray
    places: np.ndarray
    slopes: np.ndarray
    outcome: np.ndarray
    scale: float  # the small-sample factor


@dataclass(frozen=True)
class Estimates:
    """One number a specification each; NaN, and a reason, where it cannot be estimated.

    Attributes
    ----------
    estimate, std_error : array (S,)
    nobs, n_clusters : array (S,) of int
    reason : array (S,) of str
    parts : list
        What the bootstrap goes on from.
    """

    estimate: np.ndarray
    std_error: np.ndarray
    nobs: np.ndarray
    n_clusters: np.ndarray
    reason: np.ndarray
    parts: list[_Part]


@dataclass(frozen=True)
class _Group:
    """Specifications that share rows, fixed effects and weights.

    `jobs` holds, for each number of slopes, places in the table and, as positions in `names`,
    slopes (the measure first) and outcomes.
    """

    absorbed: Absorbed
    names: list[Hashable]
    jobs: list[tuple[np.ndarray, np.ndarray, np.ndarray]]


@dataclass(frozen=True)
class Specifications:
    """The specifications of a universe on one table.

    Attributes
    ----------
    universe : Universe
    columns : Columns
        From `read_columns`.
    table : DataFrame
        From `Universe.specifications`.
    labels : sequence of str
        What each row is called, for reasons.
    small_sample : str
        The convention of the small-sample factor.
    """

    universe: Universe
    columns: Columns
    table: pd.DataFrame
    labels: np.ndarray
    small_sample: str
    _absorbed: dict[tuple, Absorbed] = field(default_factory=dict, repr=False)
    _plans: dict[bytes, tuple[list[_Group], np.ndarray]] = field(default_factory=dict, repr=False)

    def estimate(self, donor: np.ndarray | None = None) -> Estimates:
        """Estimate them all, perhaps with the measures of other units (`Columns.measure`)."""
        values = dict(self.columns.values)
        moved = [key for key in values if isinstance(key, tuple)]
        if donor is not None:
            values |= {key: self.columns.measure(key[0], key[1], donor) for key in moved}
        # Shuffled paths of a complete panel leave every row usable that was: plan once.
        seen = b"".join(np.packbits(np.isfinite(values[key])).tobytes() for key in moved)
        if seen not in self._plans:
            self._plans.clear()
            self._plans[seen] = self._plan(values)
        groups, reason = self._plans[seen]
        size = len(self.table)
        estimate, std_error = np.full((2, size), np.nan)
        nobs, clusters = np.zeros((2, size), dtype=int)
        done = Estimates(estimate, std_error, nobs, clusters, reason.copy(), [])
        for group in groups:
            rows = group.absorbed.rows
            products = moments(
                group.absorbed, np.column_stack([values[name][rows] for name in group.names])
            )
            for job in group.jobs:
                self._fit(group, products, job, done)
        return done

    def bootstrap(
        self, fitted: Estimates, draws: int, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return estimates and t statistics (S, draws) by the wild cluster bootstrap.

        A cluster's multiplier is the same in every specification, which keeps the dependence
        between them.
        """
        size = (int(self.columns.codes[str(self.universe.cluster)].max()) + 1, draws)
        flips = rng.choice([-1.0, 1.0], size=size)
        if min(len(part.clusters) for part in fitted.parts) < _FEW:
            flips *= rng.choice(_WEBB, size=size)
        estimate, statistic = np.full((2, len(self.table), draws), np.nan)
        for part in fitted.parts:
            drawn, spread = resample(part.products, part.slopes, part.outcome, flips[part.clusters])
            estimate[part.places] = drawn
            statistic[part.places] = drawn / (spread * np.sqrt(part.scale))
        return estimate, statistic

    def permute(self, draws: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Return estimates and t statistics (S, draws) with paths shuffled between units."""
        estimate, statistic = np.full((2, len(self.table), draws), np.nan)
        for draw in range(draws):
            done = self.estimate(rng.permutation(len(self.columns.place)))
            estimate[:, draw] = done.estimate
            statistic[:, draw] = done.estimate / done.std_error
        return estimate, statistic

    def _plan(self, values: dict[Hashable, np.ndarray]) -> tuple[list[_Group], np.ndarray]:
        """Return who shares what, and why some specifications have no rows to estimate from."""
        reason = self.table["reason"].to_numpy(dtype=object).copy()
        observed = {name: ~np.isnan(column) for name, column in values.items()}
        infinite = {name: np.isinf(column) for name, column in values.items()}
        infinite = {name: found for name, found in infinite.items() if found.any()}
        # Columns that are missing in the same rows are one for what follows.
        patterns: dict[bytes, int] = {np.ones(len(self.labels), dtype=bool).tobytes(): 0}
        pattern = {n: patterns.setdefault(o.tobytes(), len(patterns)) for n, o in observed.items()}
        masks = [np.frombuffer(key, dtype=bool) for key in patterns]
        used: list[tuple[Hashable, ...]] = []
        alike: dict[tuple, list[int]] = {}
        for place, row in enumerate(self.table[list(CHOICES)].itertuples(index=False, name=None)):
            outcome, measure, lag, sample, controls, effects, weights = row
            names = (outcome, (measure, lag), *self.universe.controls[controls])
            used.append(names)
            if reason[place]:
                continue
            for name in infinite:
                if name in names and (infinite[name] & self.columns.samples[sample]).any():
                    reason[place] = self._endless(name, infinite[name], sample)
            if not reason[place]:
                key = (sample, effects, weights, frozenset(pattern[name] for name in names))
                alike.setdefault(key, []).append(place)
        shared: dict[int, tuple[Absorbed, list[int]]] = {}
        for (sample, effects, weights, missing), places in alike.items():
            rows = self.columns.samples[sample].copy()
            for mask in missing:
                rows &= masks[mask]
            absorbed = self._absorb(rows, sample, effects, weights)
            if isinstance(absorbed, str):
                reason[places] = absorbed
            else:
                shared.setdefault(id(absorbed), (absorbed, []))[1].extend(places)
        return [_group(absorbed, places, used) for absorbed, places in shared.values()], reason

    def _absorb(self, rows: np.ndarray, sample: str, effects: str, weights: str) -> Absorbed | str:
        """Return the fixed effects of some rows, or why these cannot be estimated from."""
        universe, columns = self.universe, self.columns
        lines = trends(universe.fixed_effects[effects])
        names = [n for n in universe.fixed_effects[effects] if n in columns.codes]
        for name in [*names, str(universe.cluster)]:
            rows = rows & (columns.codes[name] >= 0)
        for name in [time for _, time in lines] + ([weights] if weights != "none" else []):
            rows = rows & ~np.isnan(columns.values[name])
        key = (rows.tobytes(), effects, weights)
        if key not in self._absorbed:
            if len(self._absorbed) > _HELD:  # shuffled gaps make new sets of rows without end
                self._absorbed.clear()
            absorbed = self._prepare(rows, sample, names, lines, weights)
            if isinstance(absorbed, str):  # a reason names its sample: another must have its own
                return absorbed
            self._absorbed[key] = absorbed
        return self._absorbed[key]

    def _prepare(
        self,
        mask: np.ndarray,
        sample: str,
        names: list[str],
        lines: list[tuple[str, str]],
        weights: str,
    ) -> Absorbed | str:
        columns, cluster = self.columns, self.columns.codes[str(self.universe.cluster)]
        rows = np.flatnonzero(mask)
        if not columns.samples[sample].any():
            return f"sample {sample!r} has no rows"
        if not len(rows):
            return f"no row of sample {sample!r} has all of the columns"
        weigh = None if weights == "none" else columns.values[weights]
        if weigh is not None and not (np.isfinite(weigh[rows]) & (weigh[rows] > 0)).all():
            return f"weights {weights!r} are not positive numbers in all rows of sample {sample!r}"
        while len(rows):  # rows alone in a fixed effect say nothing; setting them aside makes more
            alone = np.zeros(len(rows), dtype=bool)
            for name in names:
                codes = columns.codes[name][rows]
                alone |= np.bincount(codes)[codes] == 1
            if not alone.any():
                break
            rows = rows[~alone]
        if not len(rows):
            return f"every row of sample {sample!r} is the only one of a fixed effect"
        if len(np.unique(cluster[rows])) < 2:
            return (
                f"sample {sample!r} has one group of {self.universe.cluster!r}; clustered errors"
                " need two or more"
            )
        effects = [columns.codes[name] for name in names]
        slopes = [(columns.codes[effect], columns.values[time]) for effect, time in lines]
        return absorb(rows, cluster, effects, weigh, slopes, self.small_sample)

    def _fit(
        self,
        group: _Group,
        products: Moments,
        job: tuple[np.ndarray, np.ndarray, np.ndarray],
        done: Estimates,
    ) -> None:
        """Estimate regressions of one size, and write the numbers or the reason for none."""
        places, slopes, outcome = job
        absorbed = group.absorbed
        nobs, clusters = len(absorbed.rows), len(absorbed.clusters)
        done.nobs[places], done.n_clusters[places] = nobs, clusters
        if nobs <= absorbed.rank + slopes.shape[1]:
            done.reason[places] = f"{nobs} usable rows are too few for the terms"
            return
        gone = products.gone[outcome] | products.gone[slopes].any(axis=1)
        for at in np.flatnonzero(gone):
            flat = next(c for c in [outcome[at], *slopes[at]] if products.gone[c])
            done.reason[places[at]] = (
                f"{_spoken(group.names[flat])} does not vary beyond the fixed effects in sample"
                f" {self._sample(places[at])!r}"
            )
        places, slopes, outcome = places[~gone], slopes[~gone], outcome[~gone]
        if not len(places):
            return
        fits = solve(products, slopes, outcome)
        for at in np.flatnonzero(fits.failed != ""):
            done.reason[places[at]] = (
                "the terms explain the outcome exactly: no residual is left to judge errors by"
                if fits.failed[at] == "exact"
                else f"{_spoken(group.names[_culprit(products.gram, slopes[at])])} cannot be told"
                f" apart from the other terms in sample {self._sample(places[at])!r}"
            )
        good = fits.failed == ""
        counted = absorbed.counted + slopes.shape[1]
        scale = factor(nobs, clusters, counted, self.small_sample)
        done.estimate[places] = fits.estimate
        done.std_error[places] = fits.spread * np.sqrt(scale)
        if good.any():
            done.parts.append(
                _Part(products, absorbed.clusters, places[good], slopes[good], outcome[good], scale)
            )

    def _sample(self, place: int) -> str:
        return str(self.table["sample"].iloc[place])

    def _endless(self, name: Hashable, where: np.ndarray, sample: str) -> str:
        rows = np.flatnonzero(where & self.columns.samples[sample])
        named = ", ".join(map(str, self.labels[rows[:3]])) + (", ..." if len(rows) > 3 else "")
        return (
            f"{_spoken(name)} is infinite in {len(rows)} rows of sample {sample!r} ({named}): the"
            " logarithm of a zero? Model the count itself with fit_panel(family='poisson')"
        )


def _group(absorbed: Absorbed, places: list[int], used: list[tuple[Hashable, ...]]) -> _Group:
    names = list(dict.fromkeys(name for place in places for name in used[place]))
    position = {name: at for at, name in enumerate(names)}
    by_size: dict[int, list[int]] = {}
    for place in places:
        by_size.setdefault(len(used[place]), []).append(place)
    jobs = []
    for same in by_size.values():
        chosen = np.array([[position[name] for name in used[place]] for place in same])
        jobs.append((np.array(same), chosen[:, 1:], chosen[:, 0]))
    return _Group(absorbed, names, jobs)


def _culprit(gram: np.ndarray, slopes: np.ndarray) -> int:
    """Return the first slope, the measure asked last, that earlier ones leave nothing of."""
    order = [*slopes[1:], slopes[0]]
    for place in range(1, len(order)):
        part = gram[np.ix_(order[: place + 1], order[: place + 1])]
        if np.linalg.eigvalsh(part)[0] <= 1e-9:
            return int(order[place])
    return int(order[-1])


def _spoken(name: Hashable) -> str:
    if isinstance(name, tuple):
        return f"{name[0]!r}" if name[1] == 0 else f"{name[0]!r} (lag {name[1]})"
    return repr(name)
