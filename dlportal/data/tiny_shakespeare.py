"""Tiny Shakespeare: about a third of Shakespeare's lines in one file.

Karpathy 2015, https://karpathy.github.io/2015/05/21/rnn-effectiveness/
"""

from dlportal.data.files import dataset_file
from dlportal.data.splits import Splits
from dlportal.data.text_files import read_lines

TRAIN = 0.9  # share of the file, from its beginning, that is for training: the usual split
HELD = 30_000  # characters at the end of it that pick recipes and epochs here; never learned from


def load() -> Splits[str]:
    """The parts, by position; `test` is what others call the validation part.

    Raises:
        AssetError: The file is neither here nor to be had.
    """
    lines = read_lines(dataset_file("tiny_shakespeare", "input.txt"))
    return cut("\n".join(lines) + "\n")


def cut(text: str) -> Splits[str]:
    """Training text, its last characters held out for choosing, and the test's."""
    end = int(TRAIN * len(text))
    held = min(HELD, end // 10)
    return Splits(text[: end - held], text[end - held : end], text[end:])
