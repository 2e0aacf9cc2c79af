"""The links: figures of record on the shipped panel, and the truth where the truth is known."""

from __future__ import annotations

import functools
import inspect

import numpy as np
import pandas as pd
import pytest

from crime_analysis import catalog, instrument, links, periods, places
from crime_analysis.errors import ModelError, UnknownNameError
from crime_analysis.implied import chain
from crime_analysis.inference.instruments import FirstStage
from crime_analysis.links import (
    OUTCOMES,
    Link,
    fit_links,
    funding_to_officers,
    officers_to_violence,
    verdict,
    without_events,
)
from crime_analysis.models.fit import Fit
from crime_analysis.models.panel_regression import fit_panel
from crime_analysis.panel import change, force_panel

LONDON = "Metropolitan Police"
MONEY, POLICE, HOMICIDE = 0.6, -0.5, -0.8  # the elasticities of the made-up country


@functools.cache
def panel() -> pd.DataFrame:
    return force_panel()


@functools.cache
def register() -> pd.DataFrame:
    return catalog.load("breaks")


@functools.cache
def fitted() -> dict[str, Link]:
    return fit_links(panel(), register())


def country(seed: int, *, confounding: float = 1.0) -> pd.DataFrame:
    """A panel with the columns of `force_panel` in which every link is known.

    Grants fall alike everywhere, so forces lose in proportion to their share. Money and
    officers share a shock that least squares mistakes for an effect.
    """
    rng = np.random.default_rng(seed)
    forces = [name for name in places.FORCES if name != "City of London"]
    years = periods.span("2007/08", "2018/19")
    frame = pd.DataFrame(
        [(f, y) for f in forces for y in years], columns=["force", "financial_year"]
    )
    frame["fy_start"] = frame["financial_year"].map(periods.start)
    n, count = len(frame), len(forces)
    since = frame["fy_start"] - 2009
    frame["population"] = np.exp(rng.normal(13.8, 0.5, count)).repeat(len(years))
    frame["population"] *= np.exp(rng.normal(0.007, 0.003, count)).repeat(len(years)) ** since
    frame["log_population"] = np.log(frame["population"])
    share = rng.uniform(0.5, 0.9, count)
    frame["share_all_grants"] = share.repeat(len(years))
    frame["share_formula_grant"] = (share - 0.1 + rng.normal(0, 0.01, count)).repeat(len(years))
    frame["national_grant_fall"] = -0.04 * since.clip(lower=0)
    frame["national_grant_fall_lagged"] = -0.04 * (since - 1).clip(lower=0)
    for kind in ("all_grants", "formula_grant"):
        for lag in ("", "_lagged"):
            fall = frame[f"national_grant_fall{lag}"]
            frame[f"exposure_{kind}{lag}"] = frame[f"share_{kind}"] * fall
    level = rng.normal(0, 0.2, count).repeat(len(years))
    shock = rng.normal(0, 0.02, n)
    money = frame["log_population"] - 9 + level + frame["exposure_all_grants"]
    frame["log_funding_real"] = money + shock + rng.normal(0, 0.01, n)
    officers = MONEY * frame["log_funding_real"] + (1 - MONEY) * frame["log_population"]
    frame["log_officers_end"] = officers - confounding * shock + rng.normal(0, 0.01, n)
    begin = frame.groupby("force")["log_officers_end"].shift().fillna(frame["log_officers_end"])
    frame["log_officers_per_1000"] = begin - frame["log_population"] + np.log(1000)
    frame["officers_per_1000"] = np.exp(frame["log_officers_per_1000"])
    rate = POLICE * frame["log_officers_per_1000"] + level + 0.03 * since
    for group in ("violence_with_injury", "robbery"):
        log_rate = 2 + rate + rng.normal(0, 0.02, n)
        frame[f"log_{group}_per_1000"] = log_rate
        frame[f"{group}_per_1000"] = np.exp(log_rate)
        frame[group] = frame[f"{group}_per_1000"] * frame["population"] / 1000
    killed = 3e-4 * np.exp(HOMICIDE * frame["log_officers_per_1000"] + level)
    frame["homicide"] = rng.poisson(frame["population"] * killed).astype(float)
    frame["homicide_per_1000"] = 1000 * frame["homicide"] / frame["population"]
    frame["officers_end_fte"] = np.exp(frame["log_officers_end"])
    frame["funding_real_gbp_m"] = np.exp(frame["log_funding_real"])
    frame.attrs["excluded"] = ["City of London"]
    return frame


@functools.cache
def replications(count: int = 8) -> list[tuple[Link, Link]]:
    made = [country(seed) for seed in range(count)]
    return [(funding_to_officers(c), officers_to_violence(c, "robbery")) for c in made]


def headline(link: Link) -> pd.Series:
    return link.table.loc[link.headline]


class TestFiguresOfRecord:
    def test_first_stage_of_the_second_link_is_weak_with_london_and_strong_without(self) -> None:
        # DESIGN.md: on 42 forces, 2007-2018, F is about 4 with all grants, weighted, London in.
        stages = fitted()["robbery"].first_stages.set_index(["share", "London"])["f_statistic"]
        assert 4 < stages["all grants", "in"] < 10
        assert 4 < stages["formula grant alone", "in"] < 10
        assert stages["all grants", "out"] > 19
        assert stages["formula grant alone", "out"] > 20

    def test_the_first_stage_does_not_depend_on_the_outcome(self) -> None:
        columns = ["share", "London", "coefficient", "f_statistic", "forces"]
        pd.testing.assert_frame_equal(
            fitted()["robbery"].first_stages[columns],
            fitted()["violence_with_injury"].first_stages[columns],
        )

    def test_first_stage_of_the_first_link_is_strong(self) -> None:
        stages = fitted()["officers"].first_stages
        assert (stages["f_statistic"] > 20).all()
        assert (stages["coefficient"] > 0).all()
        assert stages["forces"].tolist() == [42, 41, 42, 41]

    def test_the_headline_follows_the_rule(self) -> None:
        for link in fitted().values():
            chosen = "instrument: share of all grants"
            strong = chosen in link.table.index and link.table.loc[chosen, "f_statistic"] >= 10
            expected = chosen if strong else "forces and years (fixed effects)"
            assert link.headline == expected
        assert fitted()["officers"].headline == "instrument: share of all grants"
        assert fitted()["robbery"].headline == "forces and years (fixed effects)"

    def test_what_can_be_said(self) -> None:
        said = {
            name: verdict(headline(link)["ci_low"], headline(link)["ci_high"])
            for name, link in fitted().items()
        }
        assert said == {
            "officers": "association",
            "violence_with_injury": "cannot tell",
            "robbery": "cannot tell",
            "homicide": "cannot tell",
        }

    def test_tables_come_from_the_fits(self) -> None:
        for link in fitted().values():
            assert list(link.table.index) == list(link.fits)
            for name, fit in link.fits.items():
                row = link.table.loc[name]
                if isinstance(fit, Fit):
                    term = fit.tidy().iloc[-1]
                    assert row["estimate"] == term["estimate"]
                    assert (row["ci_low"], row["ci_high"]) == (term["ci_low"], term["ci_high"])
                    assert np.isnan(row["f_statistic"])
                else:
                    assert isinstance(fit, FirstStage)
                    assert row["estimate"] == fit.estimate
                    assert row["f_statistic"] == fit.f_statistic
                assert row["nobs"] == fit.nobs
                assert row["forces"] == 42

    def test_homicides_are_counted_per_resident(self) -> None:
        counted = fit_panel(
            "homicide ~ log_officers_per_1000 | force + financial_year",
            without_events(panel(), register(), "homicide"),
            cluster="force",
            family="poisson",
            offset="log_population",
        ).term("log_officers_per_1000")
        row = headline(fitted()["homicide"])
        assert row["estimate"] == pytest.approx(counted["estimate"], rel=1e-9)
        assert row["ci_low"] == pytest.approx(counted["ci_low"], rel=1e-9)

    def test_row_order_does_not_matter(self) -> None:
        mixed = panel().sample(frac=1, random_state=0)
        for link, other in (
            (fitted()["officers"], funding_to_officers(mixed)),
            (fitted()["homicide"], officers_to_violence(mixed, "homicide", register())),
        ):
            pd.testing.assert_frame_equal(other.table, link.table, rtol=1e-8)

    def test_the_panel_is_left_as_it_was(self) -> None:
        mine = panel().copy()
        fit_links(mine, register())
        pd.testing.assert_frame_equal(mine, panel())


class TestEvents:
    def test_years_of_one_event_are_left_out_of_homicide_and_named(self) -> None:
        # The register (data/breaks.csv): the Manchester Arena bombing, and a year of South
        # Yorkshire with many times the homicides of any other.
        for name in ("forces and years (fixed effects)", "the same, officers a year earlier"):
            used = fitted()["homicide"].fits[name].data_used
            lost = used[~used["kept"] & used["reason"].str.contains("no homicide")]
            named = set(zip(lost["force"], lost["financial_year"], strict=True))
            assert named == {("Greater Manchester", "2017/18"), ("South Yorkshire", "2016/17")}

    def test_other_outcomes_keep_them(self) -> None:
        used = fitted()["robbery"].fits["forces and years (fixed effects)"].data_used
        assert used["kept"].all()

    def test_only_the_event_goes_missing(self) -> None:
        cut = without_events(panel(), register(), "homicide")
        assert cut["homicide"].isna().sum() == 2
        rest = cut["homicide"].notna()
        assert (cut.loc[rest, "homicide"] == panel().loc[rest, "homicide"]).all()
        pd.testing.assert_frame_equal(
            cut.drop(columns="homicide"), panel().drop(columns="homicide")
        )
        assert panel()["homicide"].notna().all()

    def test_without_the_register_nothing_is_left_out(self) -> None:
        link = officers_to_violence(panel(), "homicide")
        assert link.table.loc["forces and years (fixed effects)", "nobs"] == 504


class TestRefusals:
    def test_an_unknown_outcome_is_answered_with_the_nearest(self) -> None:
        with pytest.raises(UnknownNameError, match="nearest: robbery"):
            officers_to_violence(panel(), "robberies")

    def test_a_span_without_funding(self) -> None:
        with pytest.raises(ModelError, match="no two years with funding"):
            funding_to_officers(force_panel("2017/18", "2018/19"))

    def test_a_force_or_year_that_the_panel_lacks(self) -> None:
        with pytest.raises(UnknownNameError, match="nearest: Surrey"):
            chain(panel(), fitted(), "Surey", "2012/13", "2016/17", rng=0)
        with pytest.raises(UnknownNameError, match="financial year '2019/20'"):
            chain(panel(), fitted(), "Surrey", "2012/13", "2018/19", rng=0)

    def test_a_force_left_out_on_purpose_has_an_empty_table(self) -> None:
        table = chain(panel(), fitted(), "City of London", "2012/13", "2016/17", rng=0)
        assert table.empty
        full = chain(panel(), fitted(), LONDON, "2012/13", "2016/17", rng=0, size=10)
        assert list(table.columns) == list(full.columns)


class TestKnownTruth:
    """A made-up country: every estimate must find what was put in."""

    def test_the_first_link_finds_the_effect_of_money_on_officers(self) -> None:
        found = [headline(link) for link, _ in replications()]
        assert all(link.headline.startswith("instrument") for link, _ in replications())
        estimates = np.array([row["estimate"] for row in found])
        error = estimates.std(ddof=1) / np.sqrt(len(estimates))
        assert abs(estimates.mean() - MONEY) < 4 * error
        assert estimates.std() < 0.3
        covered = sum(row["ci_low"] <= MONEY <= row["ci_high"] for row in found)
        assert covered >= len(found) - 2

    def test_least_squares_does_not_where_money_and_officers_share_a_shock(self) -> None:
        name = "forces and years (fixed effects)"
        rows = [link.table.loc[name] for link, _ in replications()]
        assert all(row["ci_high"] < MONEY for row in rows)

    def test_the_second_link_finds_the_effect_of_officers_on_violence(self) -> None:
        found = [headline(link) for _, link in replications()]
        estimates = np.array([row["estimate"] for row in found])
        error = estimates.std(ddof=1) / np.sqrt(len(estimates))
        assert abs(estimates.mean() - POLICE) < 4 * error
        assert estimates.std() < 0.2
        covered = sum(row["ci_low"] <= POLICE <= row["ci_high"] for row in found)
        assert covered >= len(found) - 2

    def test_counts_of_homicide_find_theirs(self) -> None:
        rows = [headline(officers_to_violence(country(seed), "homicide")) for seed in range(6)]
        estimates = np.array([row["estimate"] for row in rows])
        error = estimates.std(ddof=1) / np.sqrt(len(rows))
        assert abs(estimates.mean() - HOMICIDE) < 4 * error
        assert sum(row["ci_low"] <= HOMICIDE <= row["ci_high"] for row in rows) >= 4
        assert all(row["ci_high"] - row["ci_low"] < 1.5 for row in rows)

    def test_the_chain_carries_both_through(self) -> None:
        covered = 0
        for seed, (first, second) in enumerate(replications()):
            made = country(seed)
            both = {"officers": first, "robbery": second}
            table = chain(made, both, LONDON, "2009/10", "2017/18", rng=seed)
            rows = table.set_index("route")
            money = change(made, LONDON, "funding_real_gbp_m", "2009/10", "2017/18")
            truth = (1 + money) ** (MONEY * POLICE) - 1
            both_links = headline(first)["estimate"] * headline(second)["estimate"]
            found = (1 + money) ** both_links - 1
            row = rows.loc["funding lost"]
            assert row["cause_change"] == money < -0.05
            assert row["implied_change"] == pytest.approx(found, abs=0.01)
            assert row["ci_low"] < row["implied_change"] < row["ci_high"]
            covered += row["ci_low"] <= truth <= row["ci_high"]
            officers = rows.loc["officers lost", "cause_change"]
            implied = (1 + officers) ** headline(second)["estimate"] - 1
            assert rows.loc["officers lost", "implied_change"] == pytest.approx(implied, abs=0.01)
        assert covered >= len(replications()) - 2

    def test_shuffled_outcomes_say_cannot_tell(self) -> None:
        said = []
        for seed in range(10):
            mixed = panel().copy()
            column = "log_robbery_per_1000"
            mixed[column] = np.random.default_rng(seed).permutation(mixed[column])
            row = headline(officers_to_violence(mixed, "robbery"))
            said.append(verdict(row["ci_low"], row["ci_high"]))
        # One in twenty is clear of zero by chance; three of ten would be one in ninety.
        assert said.count("cannot tell") >= 8


class TestChain:
    def test_the_same_seed_gives_the_same_numbers(self) -> None:
        one, same, other = (
            chain(panel(), fitted(), LONDON, "2012/13", "2016/17", rng=rng)
            for rng in (7, np.random.default_rng(7), 8)
        )
        pd.testing.assert_frame_equal(one, same)
        assert not one["ci_low"].equals(other["ci_low"])
        assert inspect.signature(chain).parameters["rng"].default is inspect.Parameter.empty

    def test_a_row_for_each_outcome_and_route(self) -> None:
        table = chain(panel(), fitted(), LONDON, "2012/13", "2016/17", rng=0)
        expected = [
            (OUTCOMES[o][0], r) for o in OUTCOMES for r in ("officers lost", "funding lost")
        ]
        assert list(zip(table["outcome"], table["route"], strict=True)) == expected
        assert (table["ci_low"] < table["implied_change"]).all()
        assert (table["implied_change"] < table["ci_high"]).all()
        assert table.notna().all(axis=None)

    def test_changes_are_those_of_the_panel_in_the_timing_of_the_links(self) -> None:
        table = chain(panel(), fitted(), LONDON, "2012/13", "2016/17", rng=0)
        rows = table.set_index(["outcome", "route"])
        money = change(panel(), LONDON, "funding_real_gbp_m", "2012/13", "2016/17")
        later = change(panel(), LONDON, "robbery_per_1000", "2013/14", "2017/18")
        officers = change(panel(), LONDON, "officers_per_1000", "2013/14", "2017/18")
        assert rows.loc[("robbery", "funding lost"), "cause_change"] == money
        assert rows.loc[("robbery", "officers lost"), "cause_change"] == officers
        assert (rows.loc["robbery", "actual_change"] == later).all()

    def test_the_officers_lost_imply_the_interval_of_the_second_link(self) -> None:
        table = chain(panel(), fitted(), LONDON, "2009/10", "2017/18", rng=0, size=100_000)
        for outcome, (label, _) in OUTCOMES.items():
            rows = table[table["outcome"] == label].set_index("route")
            row, second = rows.loc["officers lost"], headline(fitted()[outcome])
            lost = np.log1p(row["cause_change"])
            assert lost < -0.15
            width = lost * (second["ci_low"] - second["ci_high"])
            for end, elasticity in (("ci_low", "ci_high"), ("ci_high", "ci_low")):
                expected = lost * second[elasticity]
                assert np.log1p(row[end]) == pytest.approx(expected, abs=0.02 * width)

    def test_shares_are_parts_of_the_rise_in_logarithms(self) -> None:
        table = chain(panel(), fitted(), LONDON, "2012/13", "2016/17", rng=0)
        for end, share in (("ci_low", "share_low"), ("implied_change", "share"),
                           ("ci_high", "share_high")):  # fmt: skip
            expected = np.log1p(table[end]) / np.log1p(table["actual_change"])
            np.testing.assert_allclose(table[share], expected)

    def test_no_share_of_a_fall(self) -> None:
        table = chain(panel(), fitted(), "West Midlands", "2009/10", "2012/13", rng=0)
        falls = table["actual_change"] < 0
        assert falls.any()
        assert table.loc[falls, "share"].isna().all()

    def test_a_year_without_funding_leaves_the_officers(self) -> None:
        table = chain(panel(), fitted(), LONDON, "2010/11", "2016/17", rng=0).set_index("route")
        assert table.loc["funding lost", "implied_change"].isna().all()
        assert table.loc["officers lost", "implied_change"].notna().all()

    def test_a_larger_loss_implies_a_larger_change(self) -> None:
        made = country(0)
        both = dict(zip(("officers", "robbery"), replications()[0], strict=True))
        small, large = (
            chain(made, both, LONDON, "2009/10", end, rng=0).set_index("route").loc["funding lost"]
            for end in ("2012/13", "2017/18")
        )
        assert large["cause_change"] < small["cause_change"] < 0
        assert large["implied_change"] > small["implied_change"] > 0

    def test_a_panel_read_back_from_a_file_has_no_attributes_and_still_works(self) -> None:
        bare = panel().copy()
        bare.attrs = {}
        pd.testing.assert_frame_equal(
            chain(bare, fitted(), LONDON, "2012/13", "2016/17", rng=0),
            chain(panel(), fitted(), LONDON, "2012/13", "2016/17", rng=0),
        )


class TestVerdict:
    @pytest.mark.parametrize(
        ("low", "high", "said"),
        [
            (0.1, 0.9, "association"),
            (-0.9, -0.1, "association"),
            (-0.1, 0.9, "cannot tell"),
            (0.0, 0.9, "cannot tell"),
            (-0.9, 0.0, "cannot tell"),
            (-np.inf, np.inf, "cannot tell"),
            (0.1, np.inf, "cannot tell"),
            (-np.inf, -0.1, "cannot tell"),
            (0.5, -0.5, "cannot tell"),  # everything outside (-0.5, 0.5)
            (0.9, 0.1, "cannot tell"),
            (np.nan, np.nan, "cannot tell"),
            (np.nan, 1.0, "cannot tell"),
        ],
    )
    def test_only_a_bounded_interval_clear_of_zero_is_an_association(
        self, low: float, high: float, said: str
    ) -> None:
        assert verdict(low, high) == said


def test_forces_counted_alike_are_the_same_link_without_weights() -> None:
    alike = funding_to_officers(panel(), weights=None).table
    one = funding_to_officers(panel().assign(one=1.0), weights="one").table
    pd.testing.assert_frame_equal(alike, one)
    plain = fit_panel(
        "log_officers_end ~ log_population + log_funding_real | force + financial_year",
        panel(), cluster="force",
    ).term("log_funding_real")  # fmt: skip
    assert alike.loc["forces and years (fixed effects)", "estimate"] == pytest.approx(
        plain["estimate"]
    )
    with pytest.raises(UnknownNameError, match="population"):
        funding_to_officers(panel(), weights="populatoin")


def test_the_instruments_strength_hangs_on_london_and_on_weights() -> None:
    """DESIGN.md: for officers per head from about 4 (all grants, residents, London in) to 24."""
    report = instrument.funding_instrument(panel(), B=49)
    strength = report.strength.xs("officers per resident", level="cause")["effective_f"]
    assert strength.idxmin() == ("all grants", "residents", "in")
    assert strength.min() == pytest.approx(4, abs=0.5)
    assert 15 < strength.max() < 25


def test_draws_of_a_link_follow_its_headline() -> None:
    link = fitted()["robbery"]
    row = headline(link)
    low, middle, high = np.percentile(
        link.draws(100_000, np.random.default_rng(0)), [2.5, 50, 97.5]
    )
    assert middle == pytest.approx(row["estimate"], abs=0.01)
    assert low == pytest.approx(row["ci_low"], abs=0.02)
    assert high == pytest.approx(row["ci_high"], abs=0.02)


def test_the_public_names_are_there() -> None:
    assert set(links.__all__) >= {"fit_links", "verdict"}
