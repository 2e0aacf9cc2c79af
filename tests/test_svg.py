"""Drawings in fewer bytes: the same picture to the pixel, the same words, the same bytes."""

import io
import re
from xml.etree import ElementTree

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from PIL import Image, ImageChops

from crime_analysis.svg import compact


def as_matplotlib_writes_it(draw, fonttype="none"):
    out = io.BytesIO()
    with mpl.rc_context({"svg.fonttype": fonttype, "svg.hashsalt": "x"}):
        drawing = Figure(figsize=(6, 3))
        FigureCanvasSVG(drawing)
        draw(drawing.subplots(1, 2))
        drawing.savefig(out, format="svg", metadata={"Date": None})
    return out.getvalue().decode()


def scattered(axes):
    rng = np.random.default_rng(0)
    for axis in axes:
        axis.scatter(*rng.normal(size=(2, 300)), s=9, alpha=0.4, c="#0072b2")
        axis.plot(*rng.normal(size=(2, 40)), "o--", mfc="none", label="a < b & c")
        axis.legend()


def hatched(axes):
    axes[0].bar(range(5), range(5), hatch="//", alpha=0.5)
    axes[0].set_title("<g> & 'x=\"1.23456\"'")
    axes[1].fill_between(range(9), range(9), alpha=0.3)
    axes[1].imshow(np.arange(12).reshape(3, 4))


def off_the_edge(axes):
    for axis in axes:
        axis.set_xlim(0, 1)
        axis.plot([-1, 0, 1, 2], [0, 1, 0, 1], "s", ms=30, alpha=0.5)


PICTURES = [scattered, hatched, off_the_edge]


@pytest.mark.browser
@pytest.mark.parametrize("draw", PICTURES)
def test_the_picture_stays_the_same_to_the_pixel(browser, draw):
    context = browser.new_context(viewport={"width": 640, "height": 340})
    page = context.new_page()
    shots = []
    drawn = as_matplotlib_writes_it(draw)
    # Coordinates to a hundredth of a point may move an edge by less than is seen.
    rounded = re.sub(r'(?<=[ "])-?\d+\.\d{3,}(?=[^<>]*>)', lambda n: f"{float(n[0]):.2f}", drawn)
    for svg in (rounded, compact(drawn)):
        page.set_content(svg[svg.index("<svg") :])
        shots.append(Image.open(io.BytesIO(page.screenshot())).convert("RGB"))
    context.close()
    assert len(shots[0].getcolors(1 << 20)) > 10  # something is drawn
    apart = ImageChops.difference(*shots)
    assert max(high for _, high in apart.getextrema()) <= 24


@pytest.mark.parametrize("draw", PICTURES)
@pytest.mark.parametrize("fonttype", ["none", "path"])
def test_it_is_smaller_well_formed_and_as_it_was_when_done_again(draw, fonttype):
    drawn = as_matplotlib_writes_it(draw, fonttype)
    once = compact(drawn)
    ElementTree.fromstring(once)
    assert len(once) < 0.75 * len(drawn)
    assert compact(drawn) == once
    # Every reference leads somewhere, and no class is without its rule.
    assert set(re.findall(r'(?:url\(|href=")#([^)"]+)', once)) <= set(
        re.findall(r' id="([^"]*)"', once)
    )
    used = {name for names in re.findall(r' class="([^"]*)"', once) for name in names.split()}
    assert used == set(re.findall(r"\.(c\d+)\{", once))


def test_a_thousand_marks_tell_their_look_once():
    drawn = as_matplotlib_writes_it(scattered)
    small = compact(drawn)
    assert drawn.count("fill-opacity: 0.4") > 500
    assert small.count("fill-opacity: 0.4") < 10
    assert len(small) < 0.5 * len(drawn)


def test_words_are_untouched():
    words = "<g> & 'x=\"1.23456\"'"
    small = compact(as_matplotlib_writes_it(hatched))
    texts = ["".join(e.itertext()) for e in ElementTree.fromstring(small).iter() if "text" in e.tag]
    assert words in texts
