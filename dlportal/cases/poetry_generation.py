"""A small GPT from scratch, character by character: Shakespeare's lines and Chinese poems."""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Self

import torch
from torch import Tensor, nn

from dlportal.cards import Card
from dlportal.case import Evaluation, Example, Knob, Progress, Settings, check_length
from dlportal.kinds.chinese import HAN
from dlportal.kinds.simplified import simplified
from dlportal.kinds.text import WRITTEN
from dlportal.kinds.writer import Writer, sampling_knobs, visible
from dlportal.messages import N_, InputError
from dlportal.nets.char_gpt import END, FIRST, FORM_IDS, HIDDEN, PAD, CharGPT, Reading
from dlportal.nets.poets import CONTEXTS, load_poets
from dlportal.nets.sampling import candidates, draw
from dlportal.results import Generation, Label, Result, Token
from dlportal.training.events import Run

# Who writes; it stands before the text of an input where that does not tell.
PREFIXES = {"shakespeare": "Shakespeare|", "five": "五言|", "seven": "七言|", "ci": "词|"}
WANTED = {"five": 5, "seven": 7, "ci": None}  # characters of a line
PUNCTUATION = str.maketrans({",": "，", ".": "。", "?": "？", "!": "！", ";": "；"})
QUOTES = str.maketrans({"’": "'", "‘": "'"})
END_SIGN = "■"
NAMED = 6  # unknown characters that an error names
SHOWN = 32  # characters before the next one that an explanation takes apart
# id, who writes, how it begins, name in both languages
EXAMPLES = (
    ("romeo", "shakespeare", "ROMEO:\n", "Romeo speaks", "罗密欧开口"),
    (
        "weaver",
        "shakespeare",
        "First Citizen:\nGood morrow, master weaver. What news from the",
        "News from where?",
        "哪里来的消息",
    ),
    ("crown", "shakespeare", "KING HENRY:\nThis crown is", "A king on his crown", "国王说王冠"),
    ("spring", "five", "春风", "Spring wind", "春风"),
    ("moon", "five", "月出寒山静，", "Moon over the hills", "月出寒山"),
    ("river", "seven", "江上", "On the river", "江上"),
    ("geese", "seven", "秋雁南飞过旧城，", "Geese in autumn", "秋雁"),
    ("west_wind", "ci", "西风", "West wind", "西风"),
)
KNOBS = sampling_knobs(0.8, 0.95, Knob("length", N_("Characters at most"), 300, 20, 800, 20))


class PoetryGeneration(Writer):
    """Logits are those of the next character, of the network that an input is for."""

    batches = False
    one_pass = False
    golden_tolerance = 2e-2
    knobs = KNOBS
    breaks = "。？！；"
    longest = min(CONTEXTS.values()) - 1
    pad_id, mask_id = PAD, HIDDEN
    net: Any  # both poets; in what `about` gives, one of them
    legend = N_(
        "Orange: characters the network gave less than {share}. Probabilities are its own, before the knobs; ␣ marks a blank, ⏎ a line end, ■ the end of a poem."
    )
    predicted = "# 80 characters, seed 0"
    drawn_with = "temperature=0.8, top_k=50, top_p=0.95, seed=0"

    def load(self) -> nn.Module:
        return load_poets(self.card.weights)

    def with_weights(self, path: Path) -> Self:
        """The same case with the weights of a training, whose networks may be smaller."""
        return self.with_net(load_poets(path))

    def parse(self, raw: str) -> tuple[str, str]:
        """Who writes (a key of `PREFIXES`), and the text as the network reads it."""
        for poet, prefix in PREFIXES.items():
            if raw.startswith(prefix):
                return poet, tidy(raw.removeprefix(prefix), poet)
        if not HAN.search(raw):
            return "shakespeare", tidy(raw, "shakespeare")
        text = tidy(raw, "five")
        return ("seven" if len(re.split("[，。]", text)[0]) == 7 else "five"), text

    @staticmethod
    def question(poet: str, text: str) -> str:
        """An input: a text, and before it who shall go on where that is not plain."""
        plain = poet == "shakespeare" and not HAN.search(text)
        return text if plain else PREFIXES[poet] + text

    def asked(self, raw: str) -> str:
        return self.parse(raw)[1]

    def rare(self, raw: str) -> float:
        """Of thousands of Chinese characters few are as likely as a letter."""
        return 0.05 if self.parse(raw)[0] == "shakespeare" else 0.02

    def about(self, raw: str) -> Self:
        """The same case around the one network that this input is for."""
        if isinstance(self.net, CharGPT):
            return self
        poet = self.parse(raw)[0]
        return self.with_net(self.net.shakespeare if poet == "shakespeare" else self.net.chinese)

    def check(self, raw: str) -> None:
        if not isinstance(raw, str):
            raise InputError(N_("This is not a text. Type a sentence."))
        check_length(raw, 100 * self.longest)  # before anything is done with it
        poet, text = self.parse(raw)
        check_length(text, min(self.longest, self.card.limits.characters))
        net = self.about(raw).net
        numbers = net.numbers(torch.tensor([ord(c) for c in text], device=net.alphabet.device))
        unknown = [c for c, i in zip(text, numbers.tolist()) if i == HIDDEN]
        if unknown:
            raise InputError(
                N_(
                    "Shakespeare's network has never seen {characters}. It knows English letters and plain punctuation; write without the others."
                )
                if poet == "shakespeare"
                else N_(
                    "The poems' network has never seen {characters}. It knows the Chinese characters of old poems and ，。、？！；; write without the others."
                ),
                characters=named(unknown),
            )

    def encode(self, raw: str) -> Tensor:
        poet, text = self.parse(raw)
        net = self.about(raw).net
        ids = net.numbers(torch.tensor([ord(c) for c in text], device=net.alphabet.device)).cpu()
        mark = [FORM_IDS[poet]] if poet in FORM_IDS else []
        return torch.cat([torch.tensor(mark, dtype=torch.long), ids])[None]

    def words(self, raw: str) -> tuple[list[str], list[int]]:
        """The last characters, each a part of its own; those before them are never hidden."""
        poet, text = self.parse(raw)
        shown = text[-SHOWN:]
        before = len(text) - len(shown) + (poet in FORM_IDS)
        return [visible(c) for c in shown], [-1] * before + list(range(len(shown)))

    def name(self, index: int) -> str:
        if index == END:
            return END_SIGN
        net = self.net if isinstance(self.net, CharGPT) else self.net.shakespeare
        return chr(int(net.alphabet[index - FIRST])) if index >= FIRST else ""

    def possible(self, y: Tensor) -> Tensor:
        """Marks are not written; a Chinese poem may end, a scene of Shakespeare's does not."""
        y = y.clone()
        ending = y[..., END].clone()
        y[..., :FIRST] = -torch.inf
        if self.net.tied:
            y[..., END] = ending
        return y

    def stream(
        self,
        raw: str,
        temperature: float = 0.8,
        top_k: int = 50,
        top_p: float = 0.95,
        length: int = 300,
        seed: int = 0,
    ) -> Iterator[Token]:
        """Write character by character; stop by not asking for more.

        Probabilities are the network's own, before the knobs.

        Args:
            raw: How the text begins.
            temperature: See `candidates`.
            top_k: See `candidates`.
            top_p: See `candidates`.
            length: Characters at most; a Chinese poem may end earlier.
            seed: Of the drawing.

        Raises:
            InputError: The text cannot be used.
        """
        self.check(raw)
        case = self.about(raw)
        ids = self.encode(raw)[0].tolist()
        generator = torch.Generator().manual_seed(seed)
        reading = Reading()
        for _ in range(length):
            # Not held across the yield: the mode would leak into whoever asks for characters.
            with torch.inference_mode():
                logits = case.possible(case.net.step(ids, reading).cpu())
                chosen = draw(*candidates(logits, temperature, top_k, top_p), generator)
                found = case.token(chosen, torch.softmax(logits, dim=-1))
            if chosen == END:
                return
            ids = [chosen]
            yield found

    def predict_batch(self, raws: Sequence[str]) -> list[Result]:
        """Texts of 80 characters, drawn with seed 0."""
        return [Generation(self.asked(raw), tuple(self.stream(raw, length=80))) for raw in raws]

    def decode(self, y: Tensor, raw: str) -> Result:
        case = self.about(raw)
        p = torch.softmax(case.possible(y.float()), dim=-1)
        return Generation(self.asked(raw), (case.token(int(p.argmax()), p),))

    def examples(self) -> list[Example[str]]:
        return [
            Example(i, Label(i, en, zh), partial(self.question, poet, text), WRITTEN)
            for i, poet, text, en, zh in EXAMPLES
        ]

    def golden(self) -> str:
        return EXAMPLES[0][2]

    def code(self, raw: str, example: str | None, explainer: str | None, target: int | None) -> str:
        text = super().code(raw, example, explainer, target)
        return text.replace(".explain(case, raw,", ".explain(case.about(raw), raw,")

    @classmethod
    def train(cls, card: Card, settings: Settings, run: Run) -> nn.Module:
        from dlportal.training.poetry_training import train_poets

        return train_poets(card, settings, run)

    def evaluate(
        self,
        split: str = "test",
        data: Path | None = None,
        limit: int | None = None,
        progress: Progress | None = None,
    ) -> Evaluation:
        """Measure on both datasets, or on `data`: a text, or a `.json` list of poems."""
        from dlportal.training.poetry_evaluation import evaluate_poetry

        return evaluate_poetry(self, split, data, limit, progress)


def tidy(text: str, poet: str) -> str:
    """A text in the spelling of what the network has read."""
    if poet == "shakespeare":
        return text.translate(QUOTES)
    return simplified("".join(text.split())).translate(PUNCTUATION)


def named(characters: Sequence[str]) -> str:
    """Characters as an error names them: each once, those without a picture by their number."""
    seen = list(dict.fromkeys(characters))
    names = [c if unicodedata.category(c)[0] in "LNPS" else f"U+{ord(c):04X}" for c in seen[:NAMED]]
    return " ".join(names) + (" …" if len(seen) > NAMED else "")


CASE = PoetryGeneration
