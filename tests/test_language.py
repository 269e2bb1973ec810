"""Every user-visible sentence is in the language catalogue, with the same fields."""

import re
import string
from functools import cache
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from dlportal.cards import all_cards
from dlportal.ui.model_names import PROTECTED

ROOT = Path(__file__).resolve().parent.parent
KEYWORDS = {"_": None, "N_": None, "ngettext": (1, 2)}


@cache
def sources() -> dict[str, str]:
    """Messages in the code, each with the first place it stands."""
    found: dict[str, str] = {}
    for folder in ("dlportal", "pages"):
        rows = extract_from_dir(
            ROOT / folder, method_map=[("**.py", "python")], keywords=KEYWORDS, comment_tags=()
        )
        for file, line, message, _comments, _context in rows:
            one = message[0] if isinstance(message, tuple) else message
            if one:
                found.setdefault(one, f"{folder}/{file}:{line}")
    return found


@cache
def translations() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for path in sorted((ROOT / "dlportal/locale/zh").glob("*.po")):
        with path.open("rb") as file:
            for message in read_po(file, locale="zh"):
                if not message.id:
                    continue
                one = message.id[0] if isinstance(message.id, tuple) else message.id
                text = message.string
                assert not message.fuzzy, f"{path.name}: fuzzy: {one}"
                found.setdefault(one, list(text) if isinstance(text, tuple) else [text])
    return found


def fields(text: str) -> set[str]:
    return {name for _text, name, _spec, _conversion in string.Formatter().parse(text) if name}


def test_every_sentence_is_translated() -> None:
    missing = [
        f"{place}: {message}"
        for message, place in sources().items()
        if not all(translations().get(message, [""]))
    ]
    assert not missing, f"{len(missing)} without Chinese:\n" + "\n".join(missing)


def test_models_that_are_described_in_words_are_translated() -> None:
    """Names like EfficientNet-Lite0 are the same in Chinese; "two small CNNs" is not."""
    words = re.compile(r"(?<![\w.-])[a-z]{2,}(?![\w.-])")
    missing = set()
    for card in all_cards().values():
        metrics = [*card.measured.metrics, *card.measured.baselines, *card.published]
        for name in {card.model, *(metric.model for metric in metrics)}:
            model = name.removeprefix("over ").removesuffix(PROTECTED)
            if words.search(model) and model not in translations():
                missing.add(f"{card.id}: {model}")
    assert not missing, missing


def test_translations_keep_the_fields() -> None:
    for message in sources():
        for text in translations().get(message, []):
            assert fields(text) <= fields(message), f"{message!r} -> {text!r}"


def test_no_translation_is_left_over() -> None:
    unused = [message for message in translations() if message not in sources()]
    assert not unused, "in the catalogue, but not in the code:\n" + "\n".join(unused)


@pytest.mark.parametrize("bad", ["（ ", " ，", " 。"])
def test_chinese_punctuation_has_no_spaces(bad: str) -> None:
    wrong = [text for texts in translations().values() for text in texts if bad in text]
    assert not wrong
