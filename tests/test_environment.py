"""The two ways in, pip's and conda's, ask for the same things; the checkout is what it claims."""

import re
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def _requirements() -> dict[str, str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    found = {"python": project["requires-python"]}
    for requirement in project["dependencies"]:
        name, ranges = re.fullmatch(r"([a-z0-9_-]+)(.*)", requirement).groups()
        found[name] = ranges
    return found


def _conda() -> dict[str, str]:
    found = {}
    for line in (ROOT / "environment.yml").read_text(encoding="utf-8").splitlines():
        match = re.fullmatch(r"  - ([a-z0-9_-]+)([<>=].*)", line)
        if match:
            found[match[1]] = match[2]
    return found


def test_conda_environment_and_pyproject_ask_for_the_same_ranges():
    assert _conda() == _requirements()


def test_every_requirement_is_a_range_and_none_a_pin():
    for name, ranges in _requirements().items():
        assert ">=" in ranges, name
        assert "<" in ranges, name
        assert "==" not in ranges, name


def test_tracked_files_hold_no_path_of_a_machine_and_no_registry_address():
    names = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False
    ).stdout.split("\0")
    if not any(names):
        pytest.skip("not a git checkout: nothing says which files are the project's")
    forbidden = re.compile(
        r"/(?:work|root|home/[a-z]+)/|pythonhosted|registry\.npm" + "js|pypi" + r"\.org"
    )
    for name in filter(None, names):
        if (ROOT / name).is_file() and name != "tests/test_environment.py":
            text = (ROOT / name).read_text(encoding="utf-8", errors="replace")
            assert not forbidden.search(text), name


def test_importing_the_package_loads_nothing_heavy():
    code = (
        "import sys, crime_analysis\n"
        "heavy = {'pandas', 'numpy', 'statsmodels', 'seaborn', 'matplotlib', 'papermill',"
        " 'pyfixest'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
        "assert 'force_panel' in dir(crime_analysis)"
    )
    import sys

    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)


def test_every_public_name_can_be_reached():
    import crime_analysis as ca

    for name in ca.__all__:
        assert getattr(ca, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        ca.nothing  # noqa: B018
    assert callable(ca.chain)
    assert ca.figures.__name__ == "crime_analysis.figures"
