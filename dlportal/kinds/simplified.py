"""Chinese in simplified characters, by a table: one character for each traditional one.

The other direction would have to guess (发 is 發 or 髮); this one seldom does.
"""

from functools import cache
from pathlib import Path

TABLE = Path(__file__).with_name("simplified.txt")


@cache
def table() -> dict[int, str]:
    """What `str.translate` takes."""
    lines = TABLE.read_text("utf-8").splitlines()
    return {ord(line[0]): line[1] for line in lines if not line.startswith("#")}


def simplified(text: str) -> str:
    """A text with its traditional characters written as simplified ones."""
    return text.translate(table())
