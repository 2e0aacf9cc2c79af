"""Several hypotheses at once: the more outcomes are looked at, the more seem to move by chance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from crime_analysis.errors import ModelError, ParameterError, UnknownNameError
from crime_analysis.inference.bootstrap import check_draws
from crime_analysis.inference.cluster_sums import cluster_sums, patterns
from crime_analysis.inference.inversion import TIE

if TYPE_CHECKING:
    from crime_analysis.models.fit import Fit

__all__ = ["multiple_testing"]

_METHODS = ("romano-wolf", "westfall-young", "holm", "bh")
_NAMES = {"holm": "holm", "bh": "fdr_bh"}  # as statsmodels calls them


def multiple_testing(
    fits: Mapping[str, Fit] | Sequence[Fit],
    term: str | Mapping[str, str],
    method: str = "romano-wolf",
    B: int = 9999,
    rng: int | np.random.Generator | None = None,
    weights: str = "rademacher",
) -> pd.DataFrame:
    """Adjust the p-values of one coefficient in each of several fits for there being several.

    Romano-Wolf and Westfall-Young bound the chance of any false claim among all fits. They give
    each cluster the same wild bootstrap weight in every fit, so that outcomes which move together
    are not paid for twice; Holm bounds the same chance without that knowledge; Benjamini-Hochberg
    bounds the expected share of false claims among those made. None of them makes an
    association causal, and none knows of fits that were tried and left out: give all of them.

    Parameters
    ----------
    fits : mapping of str to Fit, or sequence of Fit
        From `fit_panel`. Sequences are named by their formulas. Resampling needs least squares
        with the same kind of cluster in all; samples may differ.
    term : str or mapping
        The coefficient that is supposed zero; by the fit's name if it differs.
    method : {"romano-wolf", "westfall-young", "holm", "bh"}
        Romano-Wolf steps down on the largest t statistic, Westfall-Young on the smallest
        p-value (which keeps a fit with wild statistics from drowning the others).
    B : int
        Draws; all patterns of signs once if they are no more. Not used by Holm and BH, which
        adjust the p-values of ``fit.tidy()`` and take any fit.
    rng : int or Generator, optional
        Seed, 0 if not given.
    weights : {"rademacher", "webb"}
        As in `wild_bootstrap`.

    Returns
    -------
    DataFrame
        Indexed by ``fit``: ``term``, ``estimate``, ``std_error``, ``statistic``, ``p_value``
        (of this fit alone, from the same draws) and ``p_adjusted``. ``attrs`` holds the method
        and the draws.

    Raises
    ------
    UnknownNameError
        If a term, a method or weights are unknown.
    ParameterError
        If there are no fits, two have one name, or `B` is not a number of draws.
    ModelError
        If fits cannot be resampled together.

    Notes
    -----
    Romano and Wolf (2005, "Stepwise multiple testing as formalized data snooping"; 2016,
    "Efficient computation of adjusted p-values"); Westfall and Young (1993), algorithm 2.8;
    Holm (1979); Benjamini and Hochberg (1995).

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> from crime_analysis.models.panel_regression import fit_panel
    >>> rng = np.random.default_rng(0)
    >>> panel = pd.DataFrame({"unit": np.repeat(range(8), 6), "year": np.tile(range(6), 8)})
    >>> panel["x"] = rng.normal(size=48)
    >>> panel["moved"] = 2 * panel["x"] + rng.normal(size=48)
    >>> panel["still"] = rng.normal(size=48)
    >>> fits = {
    ...     name: fit_panel(f"{name} ~ x | unit + year", panel, cluster="unit")
    ...     for name in ("moved", "still")
    ... }
    >>> multiple_testing(fits, "x")["p_adjusted"].round(3).to_dict()
    {'moved': 0.008, 'still': 0.945}
    """
    if method not in _METHODS:
        raise UnknownNameError("method", method, _METHODS, "multiple_testing")
    check_draws(B, weights)
    named = _named(fits)
    terms = {name: term if isinstance(term, str) else term.get(name, "") for name in named}
    rows = [fit.term(terms[name]) for name, fit in named.items()]
    table = pd.DataFrame(rows, index=pd.Index(named, name="fit"))
    table.insert(0, "term", list(terms.values()))
    table = table[["term", "estimate", "std_error", "statistic", "p_value"]]
    if method in _NAMES:
        from statsmodels.stats.multitest import multipletests

        adjusted = multipletests(table["p_value"], method=_NAMES[method])[1]
        return _labelled(table.assign(p_adjusted=adjusted), method, "p-values of each fit")
    drawn, used = _statistics(named, terms, B, weights, rng)
    ours = table["statistic"].abs().to_numpy()
    if "random" in used:  # the observed statistics count as one more draw
        drawn = np.column_stack([ours, drawn])
    p_value = np.array([np.mean(d >= o * (1 - TIE)) for d, o in zip(drawn, ours, strict=True)])
    if method == "romano-wolf":
        adjusted = _stepdown(ours, drawn)
    else:
        adjusted = _stepdown(-p_value, -np.array([_shares(one) for one in drawn]))
    return _labelled(table.assign(p_value=p_value, p_adjusted=adjusted), method, used)


def _named(fits: Mapping[str, Fit] | Sequence[Fit]) -> dict[str, Fit]:
    """Return the fits by name."""
    pairs = list(fits.items()) if isinstance(fits, Mapping) else [(f.formula, f) for f in fits]
    if not pairs:
        raise ParameterError("fits is empty; give one fit or more")
    twice = sorted({name for name, _ in pairs if [n for n, _ in pairs].count(name) > 1})
    if twice:
        raise ParameterError(f"two fits are called {twice[0]!r}; give fits as a mapping of names")
    return dict(pairs)


def _statistics(
    named: dict[str, Fit],
    terms: dict[str, str],
    B: int,
    weights: str,
    rng: int | np.random.Generator | None,
) -> tuple[np.ndarray, str]:
    """Return absolute t statistics under the null, shape (fits, draws), and which draws."""
    sums = [cluster_sums(fit, terms[name]) for name, fit in named.items()]
    members, groups = _members(named)
    complete = weights == "rademacher" and 2**groups <= B
    sizes = []
    for one, (name, fit) in zip(sums, named.items(), strict=True):
        error = float(np.sqrt(fit.covariance.loc[terms[name], terms[name]]))
        sizes.append(float(np.sqrt(one.square)) / (error * float(one.a1.sum())))
    blocks = []
    for block in patterns(groups, B, weights, rng):
        drawn = []
        for one, mine, size, (name, fit) in zip(sums, members, sizes, named.items(), strict=True):
            null = -float(fit.coefficients[terms[name]])
            draws = one.draws(iter([block[mine]]), complete, equal_tailed=False)
            drawn.append(np.abs(draws.statistics(null)) * size)
        blocks.append(np.array(drawn))
    # A draw without any residuals counts as extreme.
    drawn_all = np.nan_to_num(np.concatenate(blocks, axis=1), nan=np.inf)
    kind = "patterns of signs" if weights == "rademacher" else "draws of Webb's weights"
    used = f"all 2^{groups} = {2**groups} {kind}" if complete else f"{B} random {kind}"
    return drawn_all, used


def _members(named: dict[str, Fit]) -> tuple[list[np.ndarray], int]:
    """Return each fit's clusters as places among the clusters of all fits, and their number."""
    labels: list[pd.Index] = []
    for name, fit in named.items():
        assert fit.design is not None
        assert fit.design.cluster is not None
        codes = fit.design.cluster
        if codes.name not in fit.data_used:
            raise ModelError(
                f"{name!r} does not say which cluster is which: estimate it with"
                f" keys=[..., {codes.name!r}], so that the same one has the same weight in all"
            )
        names = fit.data_used[codes.name].iloc[codes.index].to_numpy()
        labels.append(pd.Index(pd.Series(names).groupby(codes.to_numpy()).first()))
    kinds = {
        str(fit.design.cluster.name)
        for fit in named.values()
        if fit.design is not None and fit.design.cluster is not None
    }
    if len(kinds) > 1:
        raise ModelError(
            f"fits are clustered by {' and '.join(sorted(kinds))}; use one kind of cluster in all"
        )
    every = labels[0]
    for one in labels[1:]:
        every = every.append(one.difference(every, sort=False))
    return [every.get_indexer(one) for one in labels], len(every)


def _shares(drawn: np.ndarray) -> np.ndarray:
    """Return each draw's own p-value among all draws."""
    ordered = np.sort(drawn)
    return 1 - np.searchsorted(ordered, drawn * (1 - TIE), side="left") / len(drawn)


def _stepdown(ours: np.ndarray, drawn: np.ndarray) -> np.ndarray:
    """Return adjusted p-values: the most extreme first, each against those not yet passed."""
    order = np.argsort(-ours, kind="stable")
    # The largest among a hypothesis and all less extreme ones, from the least extreme upwards.
    largest = np.maximum.accumulate(drawn[order[::-1]], axis=0)[::-1]
    bar = ours[order] - TIE * np.abs(ours[order])
    stepped = np.maximum.accumulate((largest >= bar[:, None]).mean(axis=1))
    adjusted = np.empty(len(ours))
    adjusted[order] = stepped
    return adjusted


def _labelled(table: pd.DataFrame, method: str, draws: str) -> pd.DataFrame:
    table.attrs = {"method": method, "draws": draws}
    return table
