"""Sentences follow the numbers: their size, their direction, and when to say nothing.

What is said is tested, not how: each result is made up, so that every word about it is known.
"""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest

from crime_analysis import prose
from crime_analysis.links import OUTCOMES, Link

LONDON, START, END = "Metropolitan Police", "2009/10", "2017/18"
HEADLINE = "forces and years (fixed effects)"
INF = float("inf")


def link(
    estimate: float,
    low: float,
    high: float,
    *,
    cause: str = "officers",
    outcome: str = "robbery",
    f_statistic: float = float("nan"),
) -> Link:
    """A link with one specification; only its table is ever looked at."""
    other = {"estimate": 77.0, "ci_low": 76.0, "ci_high": 78.0, "f_statistic": 77.0}
    shown = {"estimate": estimate, "ci_low": low, "ci_high": high, "f_statistic": f_statistic}
    table = pd.DataFrame([other, shown], index=["another", HEADLINE]).assign(
        p_value=0.5, nobs=504, forces=42
    )
    return Link(cause, outcome, table, pd.DataFrame(), HEADLINE, {})


def implied(
    officers: tuple[float, float, float],
    money: tuple[float, float, float],
    actual: float,
    *,
    losses: tuple[float, float] = (-0.12, -0.2),
) -> pd.DataFrame:
    """The chain's table for robbery: (low, middle, high) of both routes."""
    rows = []
    for route, cause, (low, middle, high) in (
        ("officers lost", losses[0], officers),
        ("funding lost", losses[1], money),
    ):
        rose = np.log1p(actual) if actual > 0 else np.nan
        rows.append(
            {
                "outcome": "robbery", "route": route, "cause_change": cause,
                "implied_change": middle, "ci_low": low, "ci_high": high,
                "actual_change": actual, "share_low": np.log1p(low) / rose,
                "share": np.log1p(middle) / rose, "share_high": np.log1p(high) / rose,
            }
        )  # fmt: skip
    return pd.DataFrame(rows)


def percentages(text: str) -> list[str]:
    return re.findall(r"\d[\d.]*%", text)


def of_ten_per_cent_less(elasticity: float) -> str:
    return prose.percent(abs(0.9**elasticity - 1))


class TestLinkSentence:
    def test_clear_of_zero_it_is_an_association_with_its_range(self) -> None:
        text = prose.link_effect(link(-0.8, -1.4, -0.2)).text
        assert "associated" in text
        assert "cannot tell" not in text
        for elasticity in (-0.8, -1.4, -0.2):
            assert of_ten_per_cent_less(elasticity) in percentages(text)
        assert "more robbery" in text
        assert "less robbery" not in text

    def test_the_words_flip_with_the_numbers(self) -> None:
        text = prose.link_effect(link(0.8, 0.2, 1.4)).text
        assert "less robbery" in text
        assert "more robbery" not in text
        for elasticity in (0.8, 0.2, 1.4):
            assert of_ten_per_cent_less(elasticity) in percentages(text)

    def test_over_zero_the_data_cannot_tell_and_both_directions_are_given(self) -> None:
        text = prose.link_effect(link(-0.2, -0.8, 0.4)).text
        assert "cannot tell" in text
        assert "associated" not in text
        assert f"{of_ten_per_cent_less(0.4)} less" in text
        assert f"{of_ten_per_cent_less(-0.8)} more" in text

    def test_two_rays_and_no_bound_are_put_into_words(self) -> None:
        rays = prose.link_effect(link(-0.2, 3.25, -1.5, f_statistic=2.0)).text
        assert "cannot tell" in rays
        assert "−1.50" in rays
        assert "3.25" in rays
        assert "below" in rays
        assert "above" in rays
        whole = prose.link_effect(link(-0.2, -INF, INF, f_statistic=1.0)).text
        assert "cannot tell" in whole
        assert "bound" in whole
        for text in (rays, whole):
            assert "inf" not in text.replace("information", "")
            assert "nan" not in text
            assert percentages(text.replace("95%", "")) == []

    def test_what_it_rests_on_is_said(self) -> None:
        text = prose.link_effect(link(1.1, 0.4, 1.9, cause="funding", f_statistic=63.6)).text
        assert "42 forces" in text
        assert re.search(r"\bF 64\b", text)
        assert HEADLINE in text
        assert "first-stage F" not in prose.link_effect(link(1.1, 0.4, 1.9)).text

    def test_officers_are_fewer_and_money_is_less(self) -> None:
        text = prose.link_effect(link(1.1, 0.4, 1.9, cause="funding", outcome="officers")).text
        assert "fewer officers" in text
        assert "less officers" not in text

    def test_the_table_travels_with_the_sentence(self) -> None:
        made = link(-0.8, -1.4, -0.2)
        assert prose.link_effect(made).table is made.table

    def test_only_the_headline_is_spoken_of(self) -> None:
        for text in (
            prose.link_effect(link(-0.8, -1.4, -0.2)).text,
            prose.link_line(link(-0.8, -1.4, -0.2)),
        ):
            assert "77" not in text


class TestLinkLine:
    @pytest.mark.parametrize(
        ("low", "high", "said"),
        [(-1.4, -0.2, "association"), (-1.4, 0.2, "cannot tell"), (3.0, -1.5, "cannot tell")],
    )
    def test_it_says_what_can_be_said(self, low: float, high: float, said: str) -> None:
        line = prose.link_line(link(-0.8, low, high))
        assert said in line
        assert "−0.80" in line
        assert "\n" not in line
        assert "-0" not in line  # a minus sign, not a hyphen


class TestTitles:
    def test_of_links(self) -> None:
        clear = link(-0.8, -1.4, -0.2, outcome="robbery")
        vague = link(-0.8, -1.4, 0.2, outcome="homicide")
        both = prose.links_title({"robbery": clear, "homicide": vague})
        assert re.search(r"[Nn]ot clear of zero: .*homicide\. Clear: .*robbery", both)
        assert "robbery" in prose.links_title({"robbery": clear})
        assert re.search(r"\bNo\b|[Nn]ot", prose.links_title({"homicide": vague}))

    def test_of_implied_changes(self) -> None:
        spanning = implied((-0.1, 0.1, 0.3), (-0.1, 0.1, 0.3), 0.5)
        assert "compatible with none" in prose.implied_title(spanning, LONDON)
        clear = implied((0.02, 0.1, 0.3), (-0.1, 0.1, 0.3), 0.5)
        assert re.search("clear of zero.*robbery", prose.implied_title(clear, LONDON))
        assert "too few residents" in prose.implied_title(clear.head(0), "City of London")


class TestChainSentence:
    def test_numbers_and_directions_come_from_the_table(self) -> None:
        table = implied((0.021, 0.05, 0.083), (0.032, 0.11, 0.24), 0.57)
        text = prose.chain_effect(table, LONDON, "robbery", START, END).text
        assert "fell 20%" in text
        assert "fell 12%" in text
        assert "rose 57%" in text
        for value in ("2.1%", "8.3%", "3.2%", "24%"):
            assert value in percentages(text)
        assert "more robbery" in text
        assert "less robbery" not in text
        assert START in text
        assert END in text

    def test_they_flip_together(self) -> None:
        table = implied((-0.083, -0.05, -0.021), (-0.24, -0.11, -0.032), -0.31, losses=(0.12, 0.2))
        text = prose.chain_effect(table, LONDON, "robbery", START, END).text
        assert "rose 20%" in text
        assert "rose 12%" in text
        assert "fell 31%" in text
        assert "less robbery" in text
        assert "more robbery" not in text

    def test_a_range_over_zero_names_both_sides(self) -> None:
        table = implied((-0.041, 0.05, 0.083), (-0.24, 0.11, 0.36), 0.57)
        text = prose.chain_effect(table, LONDON, "robbery", START, END).text
        assert "4.1% less" in text
        assert "8.3% more" in text
        assert "24% less" in text
        assert "36% more" in text

    def test_the_share_of_a_rise_and_no_share_of_a_fall(self) -> None:
        rise = implied((0.05, 0.1, 0.15), (0.05, 0.1, 0.15), 0.5)
        text = prose.chain_effect(rise, LONDON, "robbery", START, END).text
        assert f"{np.log1p(0.05) / np.log1p(0.5):.0%}" in text
        assert f"{np.log1p(0.15) / np.log1p(0.5):.0%}" in text
        fall = implied((0.05, 0.1, 0.15), (0.05, 0.1, 0.15), -0.4)
        assert "account" not in prose.chain_effect(fall, LONDON, "robbery", START, END).text

    def test_a_share_below_none_or_above_all_is_not_printed_as_such(self) -> None:
        wide = implied((-0.1, 0.1, 2.0), (-0.1, 0.1, 2.0), 0.2)
        text = prose.chain_effect(wide, LONDON, "robbery", START, END).text
        assert re.search("none", text)
        assert re.search("more than all|over 100%", text)
        assert "−" not in text

    def test_no_table_for_a_force_without_residents(self) -> None:
        empty = implied((0, 0, 0), (0, 0, 0), 0.1).head(0)
        text = prose.chain_effect(empty, "City of London", "robbery", START, END).text
        assert "too few residents" in text
        assert percentages(text) == []

    def test_nothing_unknown_is_printed_as_a_number(self) -> None:
        nan = float("nan")
        table = implied((0.02, 0.05, 0.08), (nan, nan, nan), 0.5, losses=(-0.12, nan))
        text = prose.chain_effect(table, LONDON, "robbery", "2010/11", END).text
        links = {"officers": link(1, 0.5, 1.5), "robbery": link(-0.2, -0.8, 0.4)}
        third = prose.lines(links, table, LONDON, "robbery")[2]
        assert not re.search(r"\b(nan|inf)\b", text + third)


class TestAnswer:
    @staticmethod
    def said(money: Link, police: Link, table: pd.DataFrame) -> str:
        links = {"officers": money, "robbery": police}
        return str(prose.answer(links, table, LONDON, "robbery", START, END))

    def test_uncertainty_comes_first(self) -> None:
        table = implied((-0.1, 0.1, 0.3), (-0.1, 0.1, 0.3), 0.5)
        money = link(1.1, 0.4, 1.9, cause="funding", outcome="officers")
        text = self.said(money, link(-0.2, -0.8, 0.4), table)
        first = text.split(".")[0]
        assert "cannot tell" in first
        assert "robbery" in first
        text = self.said(money, link(-0.8, -1.4, -0.2), table)
        assert "cannot tell" not in text.split(".")[0]
        assert re.search("not .*proof", text)

    def test_a_link_that_its_checks_leave_open_is_not_told_as_known(self) -> None:
        table = implied((-0.1, 0.1, 0.3), (-0.1, 0.1, 0.3), 0.5)
        links = {
            "officers": link(1.1, 0.4, 1.9, cause="funding", outcome="officers"),
            "robbery": link(-0.8, -1.4, -0.2),
        }
        told = []
        for word in ("cannot tell", "association"):
            words = {"officers": word, "robbery": word}
            text = str(prose.answer(links, table, LONDON, "robbery", START, END, words))
            told.append(text.split("\n\n")[0])
        assert told[0].count("cannot tell") == 2
        assert "does not pass its checks" in told[0]
        assert "cannot tell" not in told[1]

    def test_both_links_and_the_chain_are_in_it(self) -> None:
        table = implied((0.021, 0.05, 0.083), (0.032, 0.11, 0.24), 0.57)
        money = link(1.1, 0.4, 1.9, cause="funding", outcome="officers")
        police = link(-0.8, -1.4, -0.2)
        text = self.said(money, police, table)
        for part in (
            prose.link_effect(money).text,
            prose.link_effect(police).text,
            prose.chain_effect(table, LONDON, "robbery", START, END).text,
        ):
            assert part in text

    def test_a_notebook_shows_paragraphs_and_escapes_what_they_hold(self) -> None:
        shown = prose.Text(("1 < 2 & 3", "second"))._repr_html_()
        assert shown.count("<p>") == 2
        assert "1 &lt; 2 &amp; 3" in shown

    def test_lines_for_a_terminal(self) -> None:
        table = implied((0.021, 0.05, 0.083), (0.032, 0.11, 0.24), 0.57)
        links = {
            "officers": link(1.1, 0.4, 1.9, cause="funding", outcome="officers"),
            "robbery": link(-0.2, -0.8, 0.4),
        }
        shown = prose.lines(links, table, LONDON, "robbery")
        assert len(shown) == 3
        assert "association" in shown[0]
        assert "cannot tell" in shown[1]
        for part in ("association", "11.0%", "3.2%", "24.0%", "57.0%"):
            assert part in shown[2]
        words = {"officers": "cannot tell", "robbery": "cannot tell"}
        checked = prose.lines(links, table, LONDON, "robbery", words)
        assert ["cannot tell after the checks" in line for line in checked] == [True, False, True]
        assert not any("association" in line for line in checked)
        flipped = implied((-0.1, 0.1, 0.3), (-0.032, 0.11, 0.24), -0.31)
        third = prose.lines(links, flipped, LONDON, "robbery")[2]
        assert "cannot tell" in third
        assert "−31.0%" in third
        none = prose.lines(links, table.head(0), "City of London", "robbery")[2]
        assert "too few residents" in none


class TestWords:
    @pytest.mark.parametrize(
        ("value", "shown"),
        [
            (0.1887, "19%"), (0.0444, "4.4%"), (0.0994, "9.9%"), (0.0996, "10%"), (0.0, "0.0%"),
            (1.5, "150%"),
        ],
    )  # fmt: skip
    def test_percentages_have_a_decimal_below_ten(self, value: float, shown: str) -> None:
        assert prose.percent(value) == shown

    def test_rose_fell_or_neither(self) -> None:
        assert "rose" in prose.rose_or_fell(0.2)
        assert "fell" in prose.rose_or_fell(-0.2)
        assert not re.search("rose|fell", prose.rose_or_fell(0.0001))

    def test_every_outcome_has_a_sentence(self) -> None:
        for label, _ in OUTCOMES.values():
            text = prose.link_effect(link(-0.8, -1.4, -0.2, outcome=label)).text
            assert f"more {label}" in text
