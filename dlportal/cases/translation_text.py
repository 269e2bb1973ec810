"""What the translators read: directions, their languages, and how texts are spelt."""

import re
from collections.abc import Sequence

from dlportal.kinds.chinese import HAN
from dlportal.kinds.simplified import simplified
from dlportal.messages import N_, InputError
from dlportal.results import Label

DIRECTIONS = {
    "en_de": ("en", "de"),
    "en_fr": ("en", "fr"),
    "zh_en": ("zh", "en"),
    "en_zh": ("en", "zh"),
}
PARTS = {"multi30k": ("en_de", "en_fr"), "tatoeba": ("zh_en", "en_zh")}
PART_OF = {direction: part for part, those in PARTS.items() for direction in those}
NAMES = {
    "en_de": Label("en_de", "English to German", "英译德"),
    "en_fr": Label("en_fr", "English to French", "英译法"),
    "zh_en": Label("zh_en", "Chinese to English", "汉译英"),
    "en_zh": Label("en_zh", "English to Chinese", "英译汉"),
}
# id, direction, text, name in both languages
EXAMPLES = (
    (
        "dog",
        "en_de",
        "A brown dog is running through the snow with a red ball in its mouth.",
        "A dog, in German",
        "一只狗（德语）",
    ),
    (
        "market",
        "en_fr",
        "Two women are selling vegetables at a market while a child watches them.",
        "A market, in French",
        "集市（法语）",
    ),
    ("late", "zh_en", "对不起，我今天来晚了。", "Late today, in English", "来晚了（英语）"),
    ("rain", "en_zh", "I think it will rain tomorrow.", "Rain, in Chinese", "下雨（汉语）"),
    (
        "same",
        "en_fr",
        "A brown dog is running through the snow with a red ball in its mouth.",
        "The same dog, in French",
        "同一只狗（法语）",
    ),
    ("question", "zh_en", "你想喝茶还是咖啡？", "Tea or coffee?", "茶还是咖啡？"),
    (
        "outside",
        "en_de",
        "The parliament rejected the budget because of rising interest rates.",
        "Not a caption",
        "不是图片说明",
    ),
)


def split(raw: str) -> tuple[str, str]:
    """The direction and the sentence."""
    name, colon, text = raw.partition(":")
    direction = name.strip().lower().replace("-", "_")
    if colon and direction in DIRECTIONS:
        return direction, text.strip()
    return ("zh_en" if mostly_chinese(raw) else "en_de"), raw.strip()


def mostly_chinese(text: str) -> bool:
    letters = [c for c in text if c.isalpha()]
    return 2 * sum(bool(HAN.match(c)) for c in letters) > len(letters)


def check_language(direction: str, text: str) -> None:
    """Refuse a text that is clearly in another script than the direction reads.

    Raises:
        InputError: No letters, or the wrong script.
    """
    letters = [c for c in text if c.isalpha()]
    if not letters:
        raise InputError(N_("There is no word in this text. Type a sentence to translate."))
    if DIRECTIONS[direction][0] == "zh":
        if not mostly_chinese(text):
            raise InputError(
                N_(
                    "This direction reads Chinese, and the text is not. Type Chinese, or choose a "
                    "direction from English."
                )
            )
    elif 2 * sum(c.isascii() for c in letters) <= len(letters):
        raise InputError(
            N_(
                "This direction reads English, and the text is not. Type English, or choose "
                "Chinese to English for a Chinese text."
            )
        )


SPELLINGS = {"’": "'", "‘": "'", "“": '"', "”": '"', "…": "..."}
MARKS = {",": "，", "?": "？", "!": "！", ";": "；", ".": "。"}


def tidy(language: str, text: str) -> str:
    """The spelling of the training sentences: straight quotes in English, simplified characters
    and wide marks in Chinese, one blank at most."""
    text = " ".join(text.split())
    if language != "zh":
        return "".join(SPELLINGS.get(c, c) for c in text)
    text = simplified(text).replace("\u200b", "")
    return re.sub(r"(?<![0-9A-Za-z])[,?!;.]|[,?!;.](?![0-9A-Za-z])", lambda m: MARKS[m[0]], text)


def rough(ids: Sequence[int], text: str) -> float:
    """Word parts for each character: rare words fall into many parts."""
    return (len(ids) - 2) / max(1, len(text))
