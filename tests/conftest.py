from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def official() -> Path:
    """The folder of raw official files; tests that need it are skipped where it is absent."""
    beside = Path(__file__).resolve().parents[2] / "shared" / "official"
    folder = Path(os.environ.get("CRIME_ANALYSIS_OFFICIAL") or beside)
    if not folder.is_dir():
        pytest.skip(f"no official files at {folder}; set CRIME_ANALYSIS_OFFICIAL to their folder")
    return folder


@pytest.fixture(scope="session")
def replication() -> Path:
    """The folder of published studies; tests that need it are skipped where it is absent."""
    beside = Path(__file__).resolve().parents[2] / "shared" / "replication"
    folder = Path(os.environ.get("CRIME_ANALYSIS_REPLICATION") or beside)
    if not folder.is_dir():
        pytest.skip(f"no published studies at {folder}; set CRIME_ANALYSIS_REPLICATION")
    return folder
