"""What the two networks learned from, as one text in which copies can be looked for."""

from bisect import bisect_right
from dataclasses import dataclass

from dlportal.data import chinese_poetry, tiny_shakespeare

DATASETS = {"shakespeare": "tiny_shakespeare", "chinese": "chinese_poetry"}


@dataclass(frozen=True)
class Source:
    """A text and whose its passages are: `starts` are sorted places, `names` what begins there."""

    text: str
    starts: tuple[int, ...]
    names: tuple[str, ...]

    def whose(self, place: int) -> str:
        """Who speaks, or which poem it is, at a place of the text."""
        return self.names[max(0, bisect_right(self.starts, place) - 1)]


def load_source(name: str) -> Source:
    """The training text of one network.

    Raises:
        AssetError: The files are neither here nor to be had.
    """
    return {"shakespeare": speeches, "chinese": poems}[name]()


def speeches() -> Source:
    text = tiny_shakespeare.load().train
    starts, names, place = [], [], 0
    for block in text.split("\n\n"):
        starts.append(place)
        names.append(block.partition("\n")[0].rstrip(":"))
        place += len(block) + 2
    return Source(text, tuple(starts), tuple(names))


def poems() -> Source:
    starts, names, place = [], [], 0
    learned = chinese_poetry.load().train
    for poem in learned:
        starts.append(place)
        names.append(f"{poem.author}《{poem.title}》")
        place += len(poem.text) + 1
    return Source("\n".join(poem.text for poem in learned), tuple(starts), tuple(names))
