"""Shared fixtures: cases are built once a session, and only where their weights can be had."""

import os
from functools import cache
from typing import Any

import pytest

from dlportal.assets.fetching import NotFetched
from dlportal.case import load_case


@cache
def built(case_id: str) -> Any:
    try:
        return load_case(case_id)
    except NotFetched as error:
        return error


@pytest.fixture
def get_case() -> Any:
    """Build a case, or skip the test, visibly, where its pretrained weights cannot be had."""

    def get(case_id: str) -> Any:
        case = built(case_id)
        if isinstance(case, NotFetched):
            pytest.skip(f"{case_id}: {case}")
        return case

    return get


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if not os.environ.get("DLPORTAL_DATA_DIR"):
        skip = pytest.mark.skip(reason="needs the datasets: set DLPORTAL_DATA_DIR")
        for item in items:
            if item.get_closest_marker("data"):
                item.add_marker(skip)
