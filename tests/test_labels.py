"""The 1000 ImageNet classes have one English and one Chinese name each."""

import csv
import re
from pathlib import Path

import pytest

LABELS = Path(__file__).parents[1] / "dlportal" / "cases" / "imagenet_labels.csv"
# The unified ideographs and their extension A, where names such as 鹟䴕 live.
CJK = re.compile("[\u3400-\u4dbf\u4e00-\u9fff]")


@pytest.fixture(scope="module")
def rows() -> list[dict[str, str]]:
    with LABELS.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_there_are_1000_classes_in_order(rows: list[dict[str, str]]) -> None:
    assert list(rows[0]) == ["index", "wnid", "en", "zh"]
    assert [int(row["index"]) for row in rows] == list(range(1000))


@pytest.mark.parametrize("column", ["wnid", "en", "zh"])
def test_names_are_unique_and_not_empty(rows: list[dict[str, str]], column: str) -> None:
    values = [row[column].casefold() for row in rows]
    assert all(value and value == value.strip() for value in values)
    assert len(set(values)) == 1000


def test_scripts_match_the_language(rows: list[dict[str, str]]) -> None:
    assert [row["en"] for row in rows if not row["en"].isascii()] == []
    assert [row["zh"] for row in rows if not CJK.search(row["zh"])] == []


def test_wnids_are_those_of_timm(rows: list[dict[str, str]]) -> None:
    """The order is the one pretrained networks answer in, so an index cannot slip."""
    info = pytest.importorskip("timm.data").ImageNetInfo()
    assert [row["wnid"] for row in rows] == info.label_names()


@pytest.mark.parametrize(
    ("index", "en", "zh"),
    [
        (134, "crane (bird)", "鹤"),
        (517, "crane (machine)", "起重机"),
        (281, "tabby", "虎斑猫"),
        (967, "espresso", "浓缩咖啡"),
        (968, "cup", "杯子"),
    ],
)
def test_known_classes(rows: list[dict[str, str]], index: int, en: str, zh: str) -> None:
    assert (rows[index]["en"], rows[index]["zh"]) == (en, zh)
