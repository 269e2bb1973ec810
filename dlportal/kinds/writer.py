"""Cases that write: one token after another, each drawn from the network's odds."""

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from dlportal.case import Knob
from dlportal.kinds.text import TextCase
from dlportal.messages import N_
from dlportal.nets.sampling import candidates
from dlportal.results import Candidate, Token

ALTERNATIVES = 6
RARE = 0.2


def sampling_knobs(temperature: float, top_p: float, length: Knob) -> tuple[Knob, ...]:
    """How the next token is drawn, with these defaults, and how many are."""
    return (
        Knob(
            "temperature",
            N_("Temperature"),
            temperature,
            0.0,
            2.0,
            0.1,
            help=N_("0 always takes the likeliest token; higher values flatten the choice."),
        ),
        Knob("top_k", N_("Top-k"), 50, 1, 200, 1, help=N_("Only the k likeliest tokens may come.")),
        Knob(
            "top_p",
            N_("Top-p"),
            top_p,
            0.05,
            1.0,
            0.05,
            help=N_("Only the likeliest tokens whose probabilities reach this sum may come."),
        ),
        length,
        Knob("seed", N_("Seed"), 0, 0, 999, 1, help=N_("The same seed draws the same text again.")),
    )


class Writer(TextCase):
    """A text case whose logits are the next token's, one a vocabulary entry.

    Subclasses give `stream` and `name`; the page, the candidates and the code lines follow.
    """

    breaks = ""  # characters after which the page begins a new line
    legend = N_(
        "Orange: tokens the model gave less than {share}. Probabilities are the model's own, before the knobs; a token is a word or a part of one, ␣ marks a blank."
    )
    predicted = "# the likeliest token each time"  # beside `predict` in the code for visitors
    drawn_with = "temperature=0.7, top_k=50, top_p=0.9, seed=0"

    def name(self, index: int) -> str:
        """A token's text."""
        raise NotImplementedError

    def stream(
        self,
        raw: str,
        temperature: float = 0.7,
        top_k: int = 50,
        top_p: float = 0.9,
        length: int = 80,
        seed: int = 0,
    ) -> Iterator[Token]:
        """Write token by token; stop by not asking for more."""
        raise NotImplementedError

    def asked(self, raw: str) -> str:
        """The part of an input that the visitor wrote."""
        return raw

    def joint(self, raw: str) -> str:
        """What stands between the prompt and the text: nothing where the text goes on."""
        return ""

    def rare(self, raw: str) -> float:
        """Tokens less likely than this are marked in what follows such an input."""
        return RARE

    def unfamiliar(self, raw: str) -> bool:
        """Whether a prompt is of another kind than what the network has learned."""
        return False

    def target_name(self, index: int, language: str = "en") -> str:
        return visible(self.name(index))

    def token(self, index: int, p: Tensor) -> Token:
        """A token with its probability and the likeliest ones, under probabilities `p`."""
        best = p.topk(ALTERNATIVES)
        pairs = zip(best.indices.tolist(), best.values.tolist(), strict=True)
        others = tuple(Candidate(self.name(i), value) for i, value in pairs)
        return Token(self.name(index), float(p[index]), others)

    def possible(self, y: Tensor) -> Tensor:
        """Logits (..., vocabulary) with what must not be written made impossible."""
        return y

    @torch.inference_mode()
    def next_tokens(
        self, raw: str, temperature: float, top_k: int, top_p: float, count: int = 10
    ) -> list[tuple[Candidate, float]]:
        """The likeliest next tokens and what the knobs make of each probability."""
        self.check(raw)
        case = self.about(raw)
        logits = case.possible(case.net(case.encode(raw).to(self.device))[0].float().cpu())
        ids, p = candidates(logits, temperature, top_k, top_p)
        after = dict(zip(ids.tolist(), p.tolist(), strict=True))
        best = torch.softmax(logits, dim=-1).topk(count)
        pairs = zip(best.indices.tolist(), best.values.tolist(), strict=True)
        return [(Candidate(case.name(i), value), after.get(i, 0.0)) for i, value in pairs]

    def code(self, raw: str, example: str | None, explainer: str | None, target: int | None) -> str:
        text = super().code(raw, example, explainer, target)
        return text.replace(
            "result = case.predict(raw)\n",
            f"result = case.predict(raw)  {self.predicted}\n"
            f"for token in case.stream(raw, {self.drawn_with}):\n"
            '    print(token.text, end="", flush=True)\n',
        )


def visible(text: str) -> str:
    """A token with its blanks and line ends shown."""
    return text.replace("\n", "⏎").replace(" ", "␣") or "∅"


def spread(text: str, breaks: str) -> str:
    """A text with a line end after each of these characters."""
    for mark in breaks:
        text = text.replace(mark, mark + "\n")
    return text


def texts_of(tokens: Sequence[Token]) -> str:
    """What tokens spell together."""
    return "".join(token.text for token in tokens)
