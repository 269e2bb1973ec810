"""Sentences and their translations."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Parallel:
    """The same N sentences in several languages, by the language's code (`en`, `zh`, ...)."""

    texts: dict[str, tuple[str, ...]]

    def __len__(self) -> int:
        return len(next(iter(self.texts.values())))

    def take(self, rows: list[int]) -> "Parallel":
        """The sentences with these indices, in this order."""
        return Parallel({lang: tuple(t[row] for row in rows) for lang, t in self.texts.items()})

    def spread(self, count: int) -> "Parallel":
        """At most so many sentences, evenly over the whole: files may be sorted by length."""
        if count >= len(self):
            return self
        return self.take([row * len(self) // count for row in range(count)])
