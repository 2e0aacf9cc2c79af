"""Fits side by side, the chart of one, and its words: every number is the one that tidy gives."""

from __future__ import annotations

import functools
import re
from dataclasses import replace
from html.parser import HTMLParser
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import crime_analysis as ca
from crime_analysis.comparison import _figure, coefficients
from crime_analysis.errors import ModelError, ParameterError, UnknownNameError
from crime_analysis.models.fit import Fit

few = settings(max_examples=60, deadline=None, derandomize=True)
SPITEFUL = '<script>alert("x")</script>'


@functools.cache
def made_up() -> pd.DataFrame:
    rng = np.random.default_rng(11)
    n = 240
    data = pd.DataFrame({"unit": np.repeat(np.arange(24), 10), "year": np.tile(np.arange(10), 24)})
    data["z"] = rng.normal(size=n)
    data["x"] = np.exp(0.5 * data["z"] + 0.3 * rng.normal(size=n))
    data["w"] = rng.normal(size=n)
    data["y"] = np.exp(0.4 * np.log(data["x"]) - 0.3 * data["w"] + 0.2 * rng.normal(size=n))
    data["log_x_total"] = np.log(data["x"])
    data["log_y"] = np.log(data["y"])
    data["count"] = rng.poisson(9 * data["y"]) * 1.0
    data["calm"] = rng.normal(size=n)
    return data


@functools.cache
def fit(formula: str, family: str = "ols") -> Fit:
    return ca.fit_panel(formula, made_up(), cluster="unit", family=family)


@functools.cache
def pair() -> dict[str, Fit]:
    return {
        "plain": fit("log_y ~ log_x_total + w"),
        "within": fit("log_y ~ log_x_total | unit + year"),
        "instrumented": fit("log_y ~ w | unit + year | log_x_total ~ z"),
    }


def shown_as(text: str) -> float:
    return float(text.replace("−", "-").replace(",", ""))


# --- the table --------------------------------------------------------------------------------


def test_the_numbers_of_a_comparison_are_those_of_tidy() -> None:
    table = ca.compare(pair())

    for name, one in pair().items():
        told = one.tidy()
        given_back = table.numbers.loc[name].loc[told.index]
        pd.testing.assert_frame_equal(given_back, told, check_exact=True)
    assert len(table.numbers) == sum(len(one.coefficients) for one in pair().values())


def test_each_cell_is_its_number_rounded() -> None:
    table = ca.compare(pair()).table

    for name, one in pair().items():
        for term, row in one.tidy().iterrows():
            ends = table.loc[(term, "interval"), name].strip("[]").split(", ")
            told = [
                table.loc[(term, "estimate"), name], table.loc[(term, "error"), name].strip("()"),
                *ends,
            ]  # fmt: skip
            for text, value in zip(
                told, row[["estimate", "std_error", "ci_low", "ci_high"]], strict=True
            ):
                assert shown_as(text) == pytest.approx(value, abs=0.00051)


def test_a_term_that_a_fit_lacks_is_left_empty() -> None:
    table = ca.compare(pair()).table

    assert table.loc[("w", "estimate"), "within"] == ""
    assert table.loc[("w", "interval"), "within"] == ""
    assert table.loc[("w", "estimate"), "plain"] != ""


def test_what_each_fit_rests_on_is_told() -> None:
    about = ca.compare(pair()).about

    assert about.loc["estimator"].tolist() == ["least squares"] * 2 + ["two-stage least squares"]
    assert about.loc["fixed effects"].tolist() == ["none", "unit, year", "unit, year"]
    assert about.loc["rows"].tolist() == ["240"] * 3
    assert about.loc["outcome"].tolist() == ["log_y"] * 3
    assert about.loc["errors"].tolist() == ["clustered by unit, 24 groups"] * 3
    assert ca.compare([fit("count ~ w | unit", "poisson")]).about.iloc[1, 0] == "poisson"


def test_fits_without_names_are_numbered_and_other_names_become_text() -> None:
    assert list(ca.compare(list(pair().values())).about.columns) == ["(1)", "(2)", "(3)"]
    numbered = ca.compare({2010: pair()["plain"]})
    assert list(numbered.about.columns) == ["2010"]
    assert "2010" in numbered.to_markdown()
    assert "2010" in numbered.to_html()


def test_terms_come_in_the_order_asked_and_once() -> None:
    table = ca.compare(pair(), terms=["w", "log_x_total", "w"])

    assert list(dict.fromkeys(term for term, part in table.table.index if part)) == [
        "w",
        "log_x_total",
    ]
    assert "Intercept" not in table.to_markdown()
    assert not table.numbers.index.has_duplicates


def test_what_cannot_be_compared_is_refused() -> None:
    with pytest.raises(ParameterError, match="no fits to compare"):
        ca.compare([])
    with pytest.raises(ParameterError, match="no fits to compare"):
        ca.compare({})
    with pytest.raises(ParameterError, match=r"compare\(\[fit\]\)"):
        ca.compare(pair()["plain"])
    with pytest.raises(UnknownNameError, match="nearest: log_x_total"):
        ca.compare(pair(), terms=["log_x_totl"])


def test_markdown_has_as_many_cells_in_each_row_and_says_what_brackets_hold() -> None:
    *rows, empty, note = ca.compare(pair()).to_markdown().splitlines()

    assert {row.count("|") for row in rows} == {5}
    assert empty == ""
    assert note == "Standard errors in brackets, 95% intervals below."
    assert rows[1] == "| --- | --- | --- | --- |"
    assert str(ca.compare(pair())) == ca.compare(pair()).to_markdown()


def spiteful(name: str) -> ca.Fit:
    """A fit whose term, outcome and errors carry a name that would do harm unescaped."""
    one = pair()["plain"]
    terms = [name, *one.coefficients.index[1:]]
    return replace(
        one,
        coefficients=one.coefficients.set_axis(terms),
        covariance=one.covariance.set_axis(terms, axis=0).set_axis(terms, axis=1),
        outcome=name, vcov=name, fixed_effects=(name,), formula=f"{name} ~ {name}",
    )  # fmt: skip


class Seen(HTMLParser):
    """What a browser would make of a table: its tags, and the text of its cells by row."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.rows: list[list[str]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.tags.append(tag)
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_data(self, data: str) -> None:
        if self.rows:
            self.rows[-1][-1] += data


def test_a_name_with_a_script_is_inert_in_html_and_is_read_as_it_stands() -> None:
    table = ca.compare({SPITEFUL: spiteful(SPITEFUL)})

    seen = Seen(table.to_html())

    assert set(seen.tags) == {"table", "caption", "thead", "tbody", "tr", "th", "td", "wbr"}
    assert seen.rows[0] == ["", SPITEFUL]
    assert sum(cell == SPITEFUL for row in seen.rows for cell in row) == 5
    assert "<script" not in table.to_markdown()
    assert table._repr_html_() == table.to_html()


def test_html_holds_the_cells_of_the_table() -> None:
    comparison = ca.compare(pair())

    seen = Seen(comparison.to_html())

    cells = [row[1:] for row in seen.rows[1:]]
    assert cells == comparison.table.to_numpy().tolist()
    assert len({len(row) for row in seen.rows}) == 1
    ElementTree.fromstring(comparison.to_html())  # well formed


@pytest.mark.parametrize(
    "name", ["a&b_c", "50%", "x_{1}^2~$y$ # \\z", "a\nb\n\nc", SPITEFUL, "a|b"]
)
def test_latex_has_as_many_columns_in_each_row_whatever_the_names_hold(name: str) -> None:
    text = ca.compare({name: spiteful(name), "other": pair()["plain"]}).to_latex()

    lines = text.splitlines()
    assert lines[0] == r"\begin{tabular}{lcc}"
    assert lines[-2] == r"\end{tabular}"
    rows = [line for line in lines[1:-2] if not re.fullmatch(r"\\(top|mid|bottom)rule", line)]
    for row in rows:
        assert row.endswith(r" \\")
        body = row.removesuffix(r"\\")
        assert len(re.findall(r"(?<!\\)&", body)) == 2
        assert not re.search(r"(?<!\\)[%#_~^]", body)
        assert len(re.findall(r"(?<!\\)\$", body)) % 2 == 0
        plain = re.sub(r"\\[{}]", "", body)
        assert plain.count("{") == plain.count("}")
        assert body.isascii()  # a true minus and a dash are not known to every LaTeX
    assert [line for line in lines if "rule" in line] == [
        r"\toprule", r"\midrule", r"\midrule", r"\bottomrule",
    ]  # fmt: skip


def test_latex_holds_the_numbers_of_the_table() -> None:
    comparison = ca.compare(pair())
    text = comparison.to_latex().replace("$-$", "−")

    for value in comparison.table.loc[("log_x_total", "interval")]:
        assert value in text


def test_markdown_rows_survive_a_bar_and_a_line_end_in_a_name() -> None:
    text = ca.compare({"a|b\nc": pair()["plain"]}, terms=["w"]).to_markdown()

    first = text.splitlines()[0]
    assert first == r"|  | a\|b c |"


@few
@given(st.floats(-1e6, 1e6, allow_nan=False))
def test_a_shown_figure_is_the_number_to_two_digits_or_better(value: float) -> None:
    told = shown_as(_figure(value))

    assert told == pytest.approx(value, rel=0.055, abs=0)
    assert _figure(value).startswith("−") == (value < 0)
    assert "-" not in _figure(value)


def test_what_is_not_a_number_is_not_shown_as_one() -> None:
    assert _figure(float("inf")) == "no bound"
    assert _figure(float("nan")) == "–"
    assert _figure(0.0) == "0.000"
    assert _figure(-0.0) == "0.000"
    assert _figure(-1234.5) == "−1,234"
    assert _figure(0.0000123) == "1.23e−05"


# --- the chart --------------------------------------------------------------------------------


def test_the_title_says_first_which_terms_cannot_be_told_from_zero() -> None:
    both = fit("log_y ~ log_x_total + calm | unit + year")
    clear, unclear = fit("log_y ~ w | unit"), fit("log_y ~ calm | unit")

    assert both.term("calm")["ci_low"] < 0 < both.term("calm")["ci_high"]
    assert coefficients(both).title == (
        "Cannot be told from zero: calm; clear of zero: log_x_total"
    )
    assert coefficients(clear).title == "Clear of zero: w"
    assert coefficients(unclear).title == "Cannot be told from zero: calm"


def test_an_interval_that_is_not_a_number_is_not_called_clear_of_zero() -> None:
    one = fit("log_y ~ w | unit")
    broken = replace(one, covariance=one.covariance * np.nan)

    assert coefficients(broken).title == "Cannot be told from zero: w"


def test_the_text_for_those_who_cannot_see_holds_each_number() -> None:
    one = pair()["plain"]

    figure = coefficients(one)

    for term, row in one.tidy().drop("Intercept").iterrows():
        low, high = _figure(row["ci_low"]), _figure(row["ci_high"])
        assert f"{term} {_figure(row['estimate'])} from {low} to {high}" in figure.alt
    assert "Intercept" not in figure.alt
    assert "240 rows" in figure.source
    assert one.formula in figure.source


def test_the_data_of_the_chart_are_those_of_tidy() -> None:
    one = pair()["plain"]

    pd.testing.assert_frame_equal(
        coefficients(one).data.set_index("term"), one.tidy().drop("Intercept"), check_exact=True
    )
    assert coefficients(one, ["w"]).data["term"].tolist() == ["w"]
    assert one.plot(["w"]).alt == coefficients(one, ["w"]).alt


def test_an_unknown_term_is_not_drawn() -> None:
    with pytest.raises(UnknownNameError, match="nearest: log_x_total"):
        pair()["plain"].plot(["log_x_tota"])


def test_a_model_of_an_intercept_alone_has_nothing_to_draw_unless_asked() -> None:
    one = pair()["plain"]
    alone = replace(
        one, coefficients=one.coefficients[["Intercept"]],
        covariance=one.covariance.loc[["Intercept"], ["Intercept"]],
    )  # fmt: skip

    with pytest.raises(ParameterError, match="Intercept"):
        coefficients(alone)
    assert coefficients(alone, ["Intercept"]).data["term"].tolist() == ["Intercept"]


@pytest.mark.parametrize("name", [SPITEFUL, "$x$", r"$\frac$", "a & b"])
def test_the_drawing_is_well_formed_and_shows_names_as_they_stand(name: str) -> None:
    figure = coefficients(spiteful(name))

    drawn = ElementTree.fromstring(figure.svg)
    words = ["".join(node.itertext()) for node in drawn.iter() if node.tag.endswith("}text")]
    assert name in words
    assert not any(node.tag.endswith("}script") for node in drawn.iter())
    assert "<script" not in figure._repr_html_()


def test_the_same_fit_is_drawn_to_the_same_bytes() -> None:
    assert coefficients(pair()["plain"]).svg == coefficients(pair()["plain"]).svg


def test_marks_are_open_where_the_interval_holds_zero_and_filled_where_it_does_not() -> None:
    open_, filled = coefficients(fit("log_y ~ calm | unit")), coefficients(fit("log_y ~ w | unit"))

    assert b"fill: #ffffff; stroke: #0072b2" in open_.svg
    assert b"fill: #ffffff; stroke: #0072b2" not in filled.svg


# --- the words --------------------------------------------------------------------------------

SHAPES = {
    "log-log": ("log_y ~ log_x_total | unit", "ols"),
    "log-level": ("log_y ~ w | unit", "ols"),
    "level-log": ("calm ~ log_x_total | unit", "ols"),
    "level-level": ("calm ~ w | unit", "ols"),
    "counts-log": ("count ~ log(x) | unit", "poisson"),
    "counts-level": ("count ~ w | unit", "poisson"),
    "instrumented": ("log_y ~ 1 | unit | log_x_total ~ z", "iv"),
}


def shaped(name: str) -> Fit:
    formula, family = SHAPES[name]
    return fit(formula, "poisson" if family == "poisson" else "ols")


def moved(one: Fit, estimate: float, error: float) -> Fit:
    """The fit with another estimate and error of its last term."""
    coefficients, covariance = one.coefficients.copy(), one.covariance.copy()
    coefficients.iloc[-1] = estimate
    covariance.iloc[-1, -1] = error**2
    return replace(one, coefficients=coefficients, covariance=covariance)


def parted(text: str) -> re.Match[str]:
    number = r"[\d.,e+-]+"
    found = re.match(
        rf"With one (?P<unit>.+?) more (?P<of>.+?) goes "
        rf"(?P<size>(?:about )?{number}(?:%| per cent)?)"
        r" (?P<way>more|less) (?P<what>.+?)(?:, comparing rows within .+?)?\."
        rf" The 95% interval, (?P<low>{number})%? to (?P<high>{number})%?, holds",
        text,
    )
    assert found, text
    return found


@pytest.mark.parametrize(
    ("shape", "start"),
    [
        ("log-log", "With one per cent more x total goes {size} per cent more y,"),
        ("log-level", "With one unit more w goes about {size} less y,"),
        ("level-log", "With one per cent more x total goes {size} {way} calm,"),
        ("level-level", "With one unit more w goes {size} {way} calm,"),
        ("counts-log", "With one per cent more x goes {size} per cent more count,"),
        ("counts-level", "With one unit more w goes about {size} less count,"),
        ("instrumented", "With one per cent more x total goes {size} per cent more y,"),
    ],
)
def test_each_shape_of_model_is_told_in_its_own_units(shape: str, start: str) -> None:
    one = shaped(shape)
    estimate = one.tidy()["estimate"].iloc[-1]
    size = f"{abs(estimate):.3g}"
    if shape.endswith("-level") and shape != "level-level":
        size = f"{abs(np.expm1(estimate)):.1%}"
    if shape == "level-log":
        size = f"{abs(estimate) / 100:.3g}"

    told = one.explain()

    assert told.startswith(start.format(size=size, way="more" if estimate > 0 else "less"))
    assert "comparing rows within unit." in told


@pytest.mark.parametrize("shape", list(SHAPES))
@few
@given(
    st.floats(-2, 2).filter(lambda v: abs(v) > 1e-6),
    st.floats(0.001, 2),
)
def test_size_direction_and_doubt_follow_from_tidy(
    shape: str, estimate: float, error: float
) -> None:
    one = moved(shaped(shape), estimate, error)
    row = one.tidy().iloc[-1]

    told = one.explain()
    seen = parted(told)

    in_logs, relative = (
        "log" in shape.split("-")[-1] or shape == "instrumented",
        "level-l" not in shape,
    )

    def reported(value: float) -> float:
        """By hand: what one more of the regressor does, in per cent where the model is relative."""
        if relative:
            return value if in_logs else 100 * (np.exp(value) - 1)
        return value / 100 if in_logs else value

    size = float(
        re.sub(r"[^\d.e+-]", "", seen["size"].replace("about", "").replace("per cent", ""))
    )
    assert size == pytest.approx(abs(reported(estimate)), rel=0.06)
    for end in ("low", "high"):
        value = float(seen[end].replace(",", ""))
        assert value == pytest.approx(reported(row[f"ci_{end}"]), rel=0.06)
    assert seen["way"] == ("more" if estimate > 0 else "less")
    holds_zero = row["ci_low"] <= 0 <= row["ci_high"]
    assert ("cannot tell" in told) == holds_zero
    assert ("zero is not among them" in told) != holds_zero
    flipped = parted(moved(one, -estimate, error).explain())
    assert flipped["way"] != seen["way"]


@pytest.mark.parametrize("shape", list(SHAPES))
def test_the_assumption_is_always_named(shape: str) -> None:
    one, told = shaped(shape), shaped(shape).explain()

    if shape == "instrumented":
        assert "only if z moves y through log_x_total alone" in told
    else:
        assert "only if nothing else that moves" in told
        assert f"does not move {one.coefficients.index[-1]} back" in told
    assert told.count(". ") == 2  # three sentences


def test_a_control_beside_an_instrumented_term_has_the_assumption_of_a_control() -> None:
    told = pair()["instrumented"].explain("w")

    assert told.startswith("With one unit more w goes")
    assert "through" not in told


def test_a_model_without_fixed_effects_claims_no_comparison_within_them() -> None:
    assert "comparing rows within" not in pair()["plain"].explain()
    assert "once those are held" not in pair()["plain"].explain()
    with pytest.raises(UnknownNameError, match="nearest: w"):
        pair()["plain"].explain("ww")


@pytest.mark.parametrize(
    ("term", "words"),
    [
        ("lag(log_x_total, 2)", "With one per cent more x total (2 before) goes"),
        ("lag(log(x))", "With one per cent more x (1 before) goes"),
        ("lag(log(x), -1)", "With one per cent more x (1 after) goes"),
        ("lag(w, 1)", "With one unit more lag(w, 1) goes"),
        # A product with a logarithm has a unit of its own: one per cent more of it means nothing.
        ("log_x_total:w", "With one unit more log_x_total:w goes"),
        ("log(x):log(y)", "With one unit more log(x):log(y) goes"),
    ],
)
def test_lags_and_products_are_told_as_what_they_are(term: str, words: str) -> None:
    one = pair()["within"]
    named = replace(
        one, coefficients=one.coefficients.set_axis([term]),
        covariance=one.covariance.set_axis([term], axis=0).set_axis([term], axis=1),
    )  # fmt: skip

    assert named.explain().startswith(words)


def test_a_tiny_share_is_not_told_as_none() -> None:
    told = moved(shaped("log-level"), 2e-5, 1e-6).explain()

    assert "goes about 0.002% more y" in told
    assert "0.0%" not in told


# --- the first stage --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("region", "words"),
    [
        (((0.25, 1.5),), "set: 0.25 to 1.5;"),
        (((-np.inf, np.inf),), "set: everything;"),
        (((-np.inf, -1.0), (2.0, np.inf)), "set: -1 and below or 2 and above;"),
        (((3.0, np.inf),), "set: 3 and above;"),
        ((), "set: no value at all;"),
    ],
)
def test_the_summary_tells_each_shape_of_the_set(
    region: tuple[tuple[float, float], ...], words: str
) -> None:
    assert words in replace(pair()["instrumented"].first_stage(), region=region).summary()


def test_the_summary_tells_strength_with_its_numbers() -> None:
    stage = pair()["instrumented"].first_stage()

    told = stage.summary()

    assert told.startswith(f"log_x_total by z: F {stage.f_statistic:.1f},")
    assert f"effective F {stage.effective_f:.1f}, 10 or more" in told
    assert f"two-stage estimate {stage.estimate:.3g}" in told
    assert "Anderson-Rubin 95% set" in told
    assert "weak (under 10)" in replace(stage, effective_f=9.99).summary()
    assert "Anderson-Rubin 90% set" in pair()["instrumented"].first_stage(0.9).summary()


def test_only_an_instrumented_fit_has_a_first_stage() -> None:
    with pytest.raises(ModelError, match="a first stage needs one"):
        pair()["plain"].first_stage()


# --- estimating again -------------------------------------------------------------------------


def test_a_refit_keeps_what_is_not_changed() -> None:
    one = fit("log_y ~ log_x_total | unit + year")

    same, other = one.refit(), one.refit("log_y ~ w | unit + year")
    fewer = one.refit(data=made_up().query("unit < 20"))
    unclustered = one.refit(cluster=None)

    pd.testing.assert_frame_equal(same.tidy(), one.tidy(), check_exact=True)
    assert other.vcov == one.vcov
    assert list(other.coefficients.index) == ["w"]
    assert (fewer.nobs, fewer.n_clusters) == (200, 20)
    assert unclustered.n_clusters == 0
    assert one.data is made_up()
