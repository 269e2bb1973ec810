"""Questions about paragraphs in SQuAD's JSON: XQuAD, CMRC 2018, and files laid out like them.

Rajpurkar et al. 2016, https://arxiv.org/abs/1606.05250
Artetxe, Ruder and Yogatama 2020, https://arxiv.org/abs/1910.11856
Cui et al. 2019, https://arxiv.org/abs/1810.07366
"""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dlportal.data.files import dataset_file
from dlportal.messages import N_, InputError


@dataclass(frozen=True)
class Answer:
    """An answer and the character of the paragraph at which it starts."""

    text: str
    start: int


@dataclass(frozen=True)
class Asked:
    """A question about a paragraph.

    `answers` stand in the paragraph, letter by letter; `accepted` are all texts that count as
    right, also those whose place is unknown. `article` and `place` tell articles and paragraphs
    apart.
    """

    article: int
    place: tuple[int, int]
    paragraph: str
    question: str
    answers: tuple[Answer, ...]
    accepted: tuple[str, ...]


def load_xquad(language: str) -> tuple[Asked, ...]:
    """XQuAD, 1,190 questions about 240 paragraphs of 48 articles; `language` is `en` or `zh`.

    Raises:
        AssetError: The file is neither here nor to be had.
    """
    return read_squad(dataset_file("xquad", f"xquad.{language}.json"))


def load_cmrc(part: str) -> tuple[Asked, ...]:
    """CMRC 2018's `dev` (3,219 questions, three answers each) or `trial` (1,002, one each).

    Raises:
        AssetError: The file is neither here nor to be had.
    """
    return read_squad(dataset_file("cmrc2018_zh", f"cmrc2018_{part}.json"))


def read_squad(path: Path) -> tuple[Asked, ...]:
    """Read a file of SQuAD's form (version 1 or 2); empty and unanswerable questions are left out.

    Raises:
        InputError: Not readable, or another layout.
    """
    try:
        articles = json.loads(path.read_text("utf-8"))["data"]
        found = [
            one_question(number, place, paragraph["context"], question)
            for number, article in enumerate(articles)
            for place, paragraph in enumerate(article["paragraphs"])
            for question in paragraph["qas"]
        ]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(
            N_("{file} is missing or not laid out like SQuAD's JSON; put it right and try again."),
            file=str(path),
        ) from error
    return tuple(a for a in found if a.accepted and a.question.strip() and a.paragraph.strip())


def one_question(article: int, place: int, paragraph: str, question: dict[str, Any]) -> Asked:
    """A question of the file; answers that stand elsewhere than noted are looked for."""
    given = question.get("answers", [])
    placed = (relocated(paragraph, row["text"], row["answer_start"]) for row in given)
    return Asked(
        article,
        (article, place),
        paragraph,
        question["question"],
        tuple(answer for answer in placed if answer is not None),
        tuple(row["text"] for row in given if row["text"].strip()),
    )


def relocated(paragraph: str, text: str, start: int) -> Answer | None:
    """An answer where it truly stands, nearest to the place noted; None if nowhere."""
    if not text:
        return None
    if paragraph[start : start + len(text)] == text:
        return Answer(text, start)
    places = [found.start() for found in re.finditer(re.escape(text), paragraph)]
    if not places:
        return None
    return Answer(text, min(places, key=lambda place: abs(place - start)))
