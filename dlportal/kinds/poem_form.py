"""The form of a Chinese poem as far as it can be counted: lines and their lengths.

Rhyme and tone patterns go by medieval pronunciation, for which there is no table here; they are
not checked.
"""

import re
from dataclasses import dataclass

from dlportal.messages import N_

MARKS = re.compile(r"[，。、？！；]")
QUATRAIN, REGULATED = 4, 8  # lines


@dataclass(frozen=True)
class Form:
    """What counting finds.

    Attributes:
        lengths: Characters of each finished line.
        wanted: Characters that every line should have; None for lyrics, whose tune decides.
        open_line: Whether the text breaks off within a line, which is then not counted.
    """

    lengths: tuple[int, ...]
    wanted: int | None
    open_line: bool

    @property
    def right(self) -> int:
        """Lines of the length that is wanted."""
        return sum(length == self.wanted for length in self.lengths)

    @property
    def regular(self) -> bool:
        """Whether every line has the length that is wanted, their number is even, and none is
        open."""
        return (
            bool(self.lengths)
            and self.right == len(self.lengths)
            and len(self.lengths) % 2 == 0
            and not self.open_line
        )

    @property
    def kind(self) -> str:
        """What a poem with so many lines is called; marked with `N_`."""
        return {
            QUATRAIN: N_("four lines: a quatrain (jueju) by its length"),
            REGULATED: N_("eight lines: regulated verse (lüshi) by its length"),
        }.get(len(self.lengths), N_("neither four nor eight lines"))


def lines_of(text: str) -> list[str]:
    """What lies between two marks of punctuation."""
    return [line for line in MARKS.split(text) if line]


def form_of_text(text: str, wanted: int | None) -> Form:
    """Count the lines of a poem in full-width punctuation."""
    lines = lines_of(text)
    unfinished = bool(text) and not MARKS.match(text[-1])
    finished = lines[:-1] if unfinished else lines
    return Form(tuple(len(line) for line in finished), wanted, unfinished)
