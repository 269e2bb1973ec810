"""XQuAD: paragraphs of Wikipedia with questions, in several languages.

Artetxe, Ruder and Yogatama 2020, https://arxiv.org/abs/1910.11856
"""

import json
from dataclasses import dataclass
from pathlib import Path

from dlportal.data.files import dataset_file
from dlportal.messages import N_, InputError


@dataclass(frozen=True)
class Paragraph:
    """A paragraph and the article it stands in (48 articles of 5 paragraphs each)."""

    article: str
    text: str


def load_paragraphs(language: str = "en", data: Path | None = None) -> tuple[Paragraph, ...]:
    """Read the paragraphs alone, 240 of them.

    Args:
        language: `en` or `zh`.
        data: A file laid out like XQuAD (SQuAD's JSON), or a folder with `xquad.<language>.json`.

    Raises:
        AssetError: The file is neither here nor to be had.
        InputError: `data` has another layout.
    """
    name = f"xquad.{language}.json"
    path = dataset_file("xquad", name) if data is None else data / name if data.is_dir() else data
    try:
        articles = json.loads(path.read_text("utf-8"))["data"]
        return tuple(
            Paragraph(f"{number} {article['title']}", paragraph["context"])
            for number, article in enumerate(articles)
            for paragraph in article["paragraphs"]
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(
            N_("{file} is missing or not laid out like SQuAD's JSON; put it right and try again."),
            file=str(path),
        ) from error
