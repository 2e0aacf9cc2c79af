"""Joins that lose no row unsaid, and a panel whose figures can be recomputed by hand."""

from __future__ import annotations

import copy
import functools
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crime_analysis import catalog, funding, periods, places
from crime_analysis.errors import CrimeAnalysisError, MergeError, ParameterError, UnknownNameError
from crime_analysis.panel import (
    MergeAudit,
    audited_merge,
    audits,
    change,
    changes,
    force_panel,
    officers_change,
)

LONDON = "Metropolitan Police"
TABLES = ("officers", "recorded_crime", "funding", "population", "prices")
few = settings(max_examples=40, deadline=None, derandomize=True)

keys = st.tuples(st.sampled_from(["Kent", "Surrey", "Sussex", "Essex"]), st.integers(2007, 2012))
distinct = st.lists(keys, unique=True, max_size=12)


@functools.cache
def shipped() -> pd.DataFrame:
    return force_panel()


@functools.cache
def table(name: str) -> pd.DataFrame:
    return catalog.load(name)


def framed(rows: list[tuple[str, int]], column: str) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["force", "fy_start"]).astype({"fy_start": "int64"})
    frame["force"] = frame["force"].astype("str")
    return frame.assign(**{column: np.arange(len(frame), dtype=float)})


def joined(
    left: pd.DataFrame, right: pd.DataFrame, **options: object
) -> tuple[pd.DataFrame, MergeAudit]:
    expected = {"left_only": "no figure", "right_only": "not asked for"}
    return audited_merge(
        left, right, ["force", "fy_start"], names=("a", "b"), **(expected | options)
    )


class TestAuditedMerge:
    @few
    @given(left=distinct, right=distinct)
    def test_no_row_of_the_left_is_lost_or_multiplied(
        self, left: list[tuple[str, int]], right: list[tuple[str, int]]
    ) -> None:
        a, b = framed(left, "x"), framed(right, "y")
        merged, audit = joined(a, b)
        pd.testing.assert_frame_equal(merged[["force", "fy_start", "x"]], a)
        found = dict(zip(right, b["y"], strict=True))
        expected = [found.get(key, math.nan) for key in left]
        np.testing.assert_array_equal(merged["y"], np.array(expected, dtype=float))
        assert list(merged.columns) == ["force", "fy_start", "x", "y"]
        assert audit.rows_both == len(set(left) & set(right))
        assert audit.rows_both + len(audit.left_only) == audit.rows_left == len(left)
        assert audit.rows_both + len(audit.right_only) == audit.rows_right == len(right)
        assert set(audit.left_only) == {f"{f} {y}" for f, y in set(left) - set(right)}
        assert set(audit.right_only) == {f"{f} {y}" for f, y in set(right) - set(left)}

    @few
    @given(left=st.lists(keys, max_size=20), right=distinct)
    def test_many_rows_of_the_left_may_share_one_of_the_right_if_asked(
        self, left: list[tuple[str, int]], right: list[tuple[str, int]]
    ) -> None:
        a, b = framed(left, "x"), framed(right, "y")
        merged, audit = joined(a, b, one_to_one=False)
        pd.testing.assert_frame_equal(merged[["force", "fy_start", "x"]], a)
        assert audit.rows_both + len(audit.left_only) == len(left)
        assert audit.rows_right - len(audit.right_only) == len(set(left) & set(right))
        if len(set(left)) < len(left):
            with pytest.raises(MergeError, match=r"a has .* repeated keys"):
                joined(a, b)

    @few
    @given(left=distinct, right=distinct)
    def test_rows_without_a_partner_need_a_reason(
        self, left: list[tuple[str, int]], right: list[tuple[str, int]]
    ) -> None:
        a, b = framed(left, "x"), framed(right, "y")
        for side, alone in (
            ("left_only", set(left) - set(right)),
            ("right_only", set(right) - set(left)),
        ):
            if not alone:
                joined(a, b, **{side: ""})
                continue
            with pytest.raises(MergeError, match=rf"{len(alone)} rows of [ab] have no partner"):
                joined(a, b, **{side: ""})

    def test_the_error_names_the_first_row_and_the_way_out(self) -> None:
        a, b = framed([("Kent", 2007), ("Surrey", 2008)], "x"), framed([("Kent", 2007)], "y")
        with pytest.raises(MergeError, match=r"1 rows of a .*'Surrey 2008'; mend the key or say"):
            joined(a, b, left_only="")

    @few
    @given(left=distinct, right=st.lists(keys, min_size=2, max_size=12))
    def test_keys_repeated_on_the_right_are_refused(
        self, left: list[tuple[str, int]], right: list[tuple[str, int]]
    ) -> None:
        right = [*right, right[0]]
        with pytest.raises(MergeError, match=r"b has \d+ repeated keys, the first \{'force'"):
            joined(framed(left, "x"), framed(right, "y"), one_to_one=False)

    def test_a_column_on_both_sides_is_refused(self) -> None:
        a, b = framed([("Kent", 2007)], "officers"), framed([("Kent", 2007)], "officers")
        with pytest.raises(MergeError, match=r"a and b both have \['officers'\]; rename one"):
            joined(a, b)

    def test_the_inputs_and_the_order_stay_as_they_were(self) -> None:
        a = framed([("Surrey", 2009), ("Kent", 2008), ("Essex", 2007)], "x")
        b = framed([("Essex", 2007), ("Kent", 2008), ("Surrey", 2009)], "y")
        before = a.copy(), b.copy()
        merged, audit = audited_merge(a, b, ["force", "fy_start"], names=("a", "b"))
        pd.testing.assert_frame_equal(a, before[0])
        pd.testing.assert_frame_equal(b, before[1])
        assert merged["force"].tolist() == ["Surrey", "Kent", "Essex"]
        assert str(audit) == "a + b on force, fy_start: 3 met, 0 only left, 0 only right"

    def test_an_audit_survives_copies_of_its_frame(self) -> None:
        panel = shipped()
        again = copy.deepcopy(panel)
        assert again.attrs["audits"] == panel.attrs["audits"]
        assert panel[panel["force"] == LONDON].attrs["audits"] == panel.attrs["audits"]


class TestForcePanel:
    def test_it_has_every_force_and_year_once(self) -> None:
        panel = shipped()
        assert len(panel) == 42 * 12
        assert not panel.duplicated(["force", "financial_year"]).any()
        assert set(panel["force"]) == set(places.FORCES) - {"City of London"}
        assert panel["financial_year"].unique().tolist() == periods.span("2007/08", "2018/19")
        assert (panel["fy_start"] == panel["financial_year"].str[:4].astype(int)).all()
        assert panel.attrs["excluded"] == ["City of London"]

    def test_the_city_of_london_stays_if_asked(self) -> None:
        panel = force_panel("2012/13", "2014/15", exclude=())
        assert len(panel) == 43 * 3
        assert panel.attrs["excluded"] == []
        rest = force_panel("2012/13", "2014/15")
        others = panel[panel["force"] != "City of London"].reset_index(drop=True)
        pd.testing.assert_frame_equal(others, rest)

    def test_forces_may_be_left_out_by_any_spelling(self) -> None:
        panel = force_panel("2012/13", "2013/14", exclude=["Devon & Cornwall", "met"])
        assert panel.attrs["excluded"] == ["Devon and Cornwall", LONDON]
        assert len(panel) == 41 * 2

    def test_every_join_is_audited_and_adds_up(self) -> None:
        panel = shipped()
        assert len(panel.attrs["audits"]) == 9
        for audit in panel.attrs["audits"]:
            assert audit.rows_left == len(panel)
            assert audit.rows_both + len(audit.left_only) == len(panel)
            assert bool(audit.left_only) <= bool(audit.reason)
        printed = audits(panel)
        assert (printed["rows before"] == printed["met"] + printed["without partner"]).all()
        assert (printed["why"] != "").all()

    def test_what_the_audits_say_is_missing_is_missing(self) -> None:
        panel = shipped()
        missing = panel[panel["funding_gbp_m"].isna()]
        audit = next(a for a in panel.attrs["audits"] if a.right.startswith("funding"))
        expected = (missing["force"] + " " + missing["financial_year"]).tolist()
        assert list(audit.left_only) == expected
        whole = ["officers_start_fte", "officers_end_fte", "population", "homicide", "robbery"]
        assert panel[whole].notna().all(axis=None)

    @pytest.mark.parametrize(
        ("force", "year"), [(LONDON, "2013/14"), ("Surrey", "2009/10"), ("Dyfed-Powys", "2017/18")]
    )
    def test_one_row_recomputed_by_hand(self, force: str, year: str) -> None:
        panel = shipped().set_index(["force", "financial_year"])
        row = panel.loc[(force, year)]
        begin = int(year[:4])
        officers = table("officers").set_index(["force", "date"])["officers_fte"]
        assert row["officers_start_fte"] == officers[force, f"{begin}-03-31"]
        assert row["officers_end_fte"] == officers[force, f"{begin + 1}-03-31"]
        people = table("population").set_index(["place", "kind", "year"])["population"]
        residents = people[force, "force", begin]
        assert row["population"] == residents
        assert row["officers_per_1000"] == pytest.approx(
            1000 * officers[force, f"{begin}-03-31"] / residents
        )
        crime = table("recorded_crime")
        mine = crime[(crime["force"] == force) & (crime["financial_year"] == year)]
        for group, count in zip(mine["offence_group"], mine["offences"], strict=True):
            assert row[group] == count
            assert row[f"{group}_per_1000"] == pytest.approx(1000 * count / residents)
        robberies = float(row["robbery"])
        assert row["log_robbery_per_1000"] == pytest.approx(np.log(1000 * robberies / residents))
        money = table("funding").set_index(["force", "financial_year", "series", "component"])
        money = money["value_gbp_m"]
        deflator = table("prices").set_index("financial_year")["gdp_deflator"]
        parts = {
            part: money[force, year, "hmic_estimates", part]
            for part in ("government_grants", "council_tax", "grants_and_council_tax")
        }
        for part, column in (
            ("government_grants", "grants_real_gbp_m"),
            ("council_tax", "council_tax_real_gbp_m"),
            ("grants_and_council_tax", "funding_real_gbp_m"),
        ):
            by_hand = parts[part] * deflator["2017/18"] / deflator[year]
            assert row[column] == pytest.approx(by_hand)
        before = {
            part: money[force, "2009/10", "hmic_estimates", part]
            for part in ("government_grants", "council_tax", "formula_funding")
        }
        share = before["government_grants"] / (before["government_grants"] + before["council_tax"])
        assert row["share_all_grants"] == pytest.approx(share)
        assert row["exposure_all_grants"] == pytest.approx(share * row["national_grant_fall"])
        formula = before["formula_funding"] / (before["formula_funding"] + before["council_tax"])
        assert row["share_formula_grant"] == pytest.approx(formula)
        assert row["exposure_formula_grant_lagged"] == pytest.approx(
            formula * row["national_grant_fall_lagged"]
        )

    def test_officers_of_record(self) -> None:
        # Home Office open data: the Met had 33,366.55 officers on 31 March 2010, 30,390.23 in
        # 2018. 31 March 2010 ends 2009/10 and is the day before 2010/11.
        met = shipped()[shipped()["force"] == LONDON].set_index("financial_year")
        assert met.loc["2009/10", "officers_end_fte"] == 33366.55
        assert met.loc["2010/11", "officers_start_fte"] == 33366.55
        assert met.loc["2017/18", "officers_end_fte"] == 30390.23
        assert met.loc["2018/19", "officers_start_fte"] == 30390.23

    def test_the_end_of_a_year_is_the_start_of_the_next(self) -> None:
        panel = shipped()
        ahead = panel.groupby("force")["officers_start_fte"].shift(-1)
        known = ahead.notna()
        assert known.sum() == 42 * 11
        assert (panel.loc[known, "officers_end_fte"] == ahead[known]).all()

    def test_the_fall_of_the_year_before_is_the_fall_of_the_year_before(self) -> None:
        panel = shipped()
        behind = panel.groupby("force")["national_grant_fall"].shift()
        known = behind.notna()
        np.testing.assert_array_equal(panel.loc[known, "national_grant_fall_lagged"], behind[known])
        assert panel["national_grant_fall"].isna().eq(panel["financial_year"] == "2018/19").all()
        assert panel["national_grant_fall_lagged"].notna().all()

    def test_money_in_the_prices_of_the_base_is_money(self) -> None:
        for base in ("2017/18", "2012/13"):
            panel = force_panel("2012/13", "2017/18", price_base=base)
            rows = panel[panel["financial_year"] == base]
            np.testing.assert_allclose(rows["funding_real_gbp_m"], rows["funding_gbp_m"])

    def test_another_price_index_and_another_series(self) -> None:
        deflated = force_panel("2012/13", "2017/18")
        consumer = force_panel("2012/13", "2017/18", price_index="cpih")
        assert (
            deflated["funding_real_gbp_m"][deflated["financial_year"] == "2012/13"]
            != consumer["funding_real_gbp_m"][consumer["financial_year"] == "2012/13"]
        ).all()
        outturn = force_panel("2010/11", "2011/12", series="outturn")
        # The outturn is of English forces only.
        without = outturn[outturn["funding_gbp_m"].isna()]["force"].unique()
        assert set(places.WELSH_FORCES) <= set(without)
        assert outturn["funding_gbp_m"].notna().any()

    def test_row_order_of_the_tables_does_not_matter(self) -> None:
        rng = np.random.default_rng(0)
        shuffled = {name: table(name).sample(frac=1, random_state=rng) for name in TABLES}
        pd.testing.assert_frame_equal(force_panel(tables=shuffled), shipped(), rtol=1e-12)

    def test_the_tables_are_left_as_they_were(self) -> None:
        mine = {name: table(name).copy() for name in TABLES}
        force_panel(tables=mine)
        for name, frame in mine.items():
            pd.testing.assert_frame_equal(frame, table(name))

    def test_a_count_that_is_missing_is_an_error_and_not_a_shorter_panel(self) -> None:
        officers = table("officers")
        lost = officers[(officers["force"] != "Kent") | (officers["date"] != "2014-03-31")]
        with pytest.raises(MergeError, match="'Kent 2014'"):
            force_panel(tables={"officers": lost})
        people = table("population").query("not (place == 'Kent' and year == 2010)")
        with pytest.raises(MergeError, match="'Kent 2010'"):
            force_panel(tables={"population": people})

    def test_a_repeated_count_is_an_error(self) -> None:
        officers = pd.concat([table("officers"), table("officers").head(1)], ignore_index=True)
        with pytest.raises(MergeError, match="officers_start_fte has 1 repeated keys"):
            force_panel(tables={"officers": officers})

    @pytest.mark.parametrize(
        ("options", "kind", "nearest"),
        [
            ({"exclude": ["Surey"]}, UnknownNameError, "Surrey"),
            ({"series": "hmic_estimate"}, UnknownNameError, "hmic_estimates"),
            ({"series": "mpa_settlement"}, UnknownNameError, "hmic_estimates|outturn"),
            ({"price_base": "2117/18"}, UnknownNameError, "2017/18"),
            ({"price_index": "gdp"}, UnknownNameError, "gdp_deflator"),
            ({"first": "2010"}, ParameterError, "write it as two consecutive years"),
            ({"first": "2012/13", "last": "2010/11"}, ParameterError, "swap them"),
        ],
    )
    def test_unknown_names_are_answered_with_the_nearest(
        self, options: dict[str, object], kind: type[CrimeAnalysisError], nearest: str
    ) -> None:
        with pytest.raises(kind, match=nearest):
            force_panel(**options)

    def test_years_without_figures_are_said_or_refused(self) -> None:
        early = force_panel("2004/05", "2006/07")
        assert early["officers_start_fte"].isna().sum() == 42  # no count on 31 March 2004
        with pytest.raises(MergeError, match="have no partner"):
            force_panel("1995/96", "1996/97")


class TestGrants:
    def test_the_national_fall_is_nothing_at_the_start_and_negative_after(self) -> None:
        fall = funding.national_grant_fall(table("funding"), table("prices"))
        by_year = fall.set_index("financial_year")["national_grant_fall"]
        assert by_year["2009/10"] == 0
        assert by_year["2017/18"] < -0.2
        cut = by_year[[y for y in by_year.index if periods.start(y) >= 2012]]
        assert (cut < 0).all()
        assert by_year.notna().all()
        assert list(by_year.index) == periods.span("2005/06", "2017/18")

    def test_shares_of_record(self) -> None:
        # HMIC, Value for Money profiles 2010: Surrey 54.8%, London 79.1%, Northumbria 88.7%.
        share = funding.government_share(table("funding")).set_index("force")["share_all_grants"]
        assert share["Surrey"] == pytest.approx(0.548, abs=5e-4)
        assert share[LONDON] == pytest.approx(0.791, abs=5e-4)
        assert share["Northumbria"] == pytest.approx(0.887, abs=5e-4)
        assert share.idxmin() == "Surrey"
        assert share.between(0, 1).all()

    def test_an_unknown_year_is_answered_with_those_known(self) -> None:
        with pytest.raises(UnknownNameError, match="nearest: 2017/18"):
            funding.government_share(table("funding"), "2011/12")

    def test_one_force_in_real_terms(self) -> None:
        real = funding.real_by_source(table("funding"), table("prices"), "Surrey", "2017/18")
        panel = shipped()[shipped()["force"] == "Surrey"].set_index("financial_year")
        estimates = real[real["series"] == "hmic_estimates"].set_index("financial_year")
        common = estimates.index.intersection(panel.index)
        assert len(common) == 7
        np.testing.assert_allclose(
            estimates.loc[common, "funding_real_gbp_m"], panel.loc[common, "funding_real_gbp_m"]
        )
        with pytest.raises(UnknownNameError, match="nearest: Surrey"):
            funding.real_by_source(table("funding"), table("prices"), "Surey", "2017/18")

    def test_a_real_change_is_that_of_the_panel(self) -> None:
        whole = funding.real_change(
            table("funding"), table("prices"), LONDON, "2009/10", "2017/18"
        )  # fmt: skip
        of_panel = change(shipped(), LONDON, "funding_real_gbp_m", "2009/10", "2017/18")
        assert whole == pytest.approx(of_panel)
        none = funding.real_change(table("funding"), table("prices"), LONDON, "2010/11", "2017/18")
        assert math.isnan(none)


class TestChanges:
    def test_a_change_is_the_ratio_less_one(self) -> None:
        met = shipped()[shipped()["force"] == LONDON].set_index("financial_year")[
            "officers_end_fte"
        ]
        expected = 30390.23 / 33366.55 - 1
        assert met["2017/18"] / met["2009/10"] - 1 == pytest.approx(expected)
        assert change(shipped(), LONDON, "officers_end_fte", "2009/10", "2017/18") == (
            pytest.approx(expected)
        )
        assert officers_change(table("officers"), LONDON, "2009/10", "2017/18") == (
            pytest.approx(expected)
        )

    def test_a_year_without_a_figure_gives_no_number(self) -> None:
        assert math.isnan(change(shipped(), LONDON, "funding_gbp_m", "2010/11", "2017/18"))

    def test_no_change_is_counted_from_zero(self) -> None:
        # Cumbria recorded no homicide in 2009/10.
        assert math.isnan(change(shipped(), "Cumbria", "homicide", "2009/10", "2017/18"))

    @pytest.mark.parametrize(
        ("arguments", "nearest"),
        [
            (("Surey", "robbery", "2009/10", "2017/18"), "Surrey"),
            (("Surrey", "roberry", "2009/10", "2017/18"), "robbery"),
            (("Surrey", "robbery", "2006/07", "2017/18"), "2016/17"),
            (("City of London", "robbery", "2009/10", "2017/18"), "force 'City of London'"),
        ],
    )
    def test_unknown_names(self, arguments: tuple[str, str, str, str], nearest: str) -> None:
        with pytest.raises(UnknownNameError, match=nearest):
            change(shipped(), *arguments)

    def test_every_force_at_once_is_each_force_alone(self) -> None:
        found = changes(shipped(), "2009/10", "2017/18").set_index("force")
        assert len(found) == 42
        assert found.columns.tolist() == [
            "share_all_grants", "population", "funding_change", "officers_change",
        ]  # fmt: skip
        for force in (LONDON, "Surrey", "Gwent"):
            for column, source in (
                ("funding_change", "funding_real_gbp_m"),
                ("officers_change", "officers_end_fte"),
            ):
                alone = change(shipped(), force, source, "2009/10", "2017/18")
                assert found.loc[force, column] == pytest.approx(alone)
        with pytest.raises(UnknownNameError, match="2009/10"):
            changes(shipped(), "1999/00", "2017/18")

    def test_officers_of_an_unknown_force_or_day(self) -> None:
        with pytest.raises(UnknownNameError, match="nearest: Surrey"):
            officers_change(table("officers"), "Surey", "2009/10", "2017/18")
        with pytest.raises(UnknownNameError, match="date '1990-03-31'"):
            officers_change(table("officers"), "Surrey", "1989/90", "2017/18")
