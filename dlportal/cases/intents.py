"""What does a customer want? Two assistants on one MiniLM-L6, which know what they do not know."""

import copy
import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor, nn

from dlportal.cards import Card
from dlportal.case import Evaluation, Example, Progress, Settings
from dlportal.kinds.english import check_english
from dlportal.kinds.text import WRITTEN, TextCase
from dlportal.messages import N_, InputError
from dlportal.nets.intent_net import IntentNet, OneAssistant
from dlportal.nets.minilm import MASK, PAD, load_tokenizer
from dlportal.results import Classes, Label, Result, Score
from dlportal.training.events import Run
from dlportal.training.store import load_weights

RANK = 32
ASSISTANTS = ("bank", "everyday")
DATA = {"bank": "banking77", "everyday": "clinc150"}


def read_rows(assistant: str) -> list[dict[str, str]]:
    """An assistant's intents, in the order of the network's outputs: id, names, subject."""
    with Path(__file__).with_name("intents_labels.csv").open(encoding="utf-8", newline="") as file:
        return [row for row in csv.DictReader(file) if row["assistant"] == assistant]


LABELS = {
    name: tuple(Label(row["id"], row["en"], row["zh"]) for row in read_rows(name))
    for name in ASSISTANTS
}
SIZES = tuple(len(LABELS[name]) for name in ASSISTANTS)
# id, assistant, text, name in both languages, the right answer ("" where there is none)
EXAMPLES = (
    (
        "lost_card",
        "bank",
        "I can't find my card anywhere, I think somebody took it on the bus.",
        "A lost card",
        "卡丢了",
        "lost_or_stolen_card",
    ),
    (
        "twice",
        "bank",
        "Why did I have to pay two times for one coffee?",
        "In other words",
        "换一种说法",
        "transaction_charged_twice",
    ),
    (
        "close_call",
        "bank",
        "My top-up from this morning still isn't in my balance.",
        "A close call",
        "难分高下",
        "pending_top_up",
    ),
    (
        "not_banking",
        "bank",
        "How long should I boil an egg?",
        "Not for a bank",
        "不归银行管",
        "",
    ),
    (
        "egg",
        "everyday",
        "How long should I boil an egg?",
        "The same, asked elsewhere",
        "换一个助手问",
        "cook_time",
    ),
    (
        "leave",
        "everyday",
        "Could you put me down for three days off starting Monday?",
        "Days off",
        "请假",
        "pto_request",
    ),
    (
        "nobody",
        "everyday",
        "Which volcano erupted most often in the last century?",
        "Nobody's job",
        "谁也不管",
        "",
    ),
    (
        "nearly",
        "everyday",
        "Write a poem about my credit score.",
        "Looks like its job",
        "看着像分内事",
        "",
    ),
)


@dataclass(frozen=True)
class Intent(Classes):
    """What the question asks for, or that the assistant does not know.

    `familiarity` is the mean of the cosines with the nearest intent and with the nearest typical
    training question; below `threshold` the question is taken to be out of scope, whatever the
    scores say.
    """

    assistant: str = ASSISTANTS[0]
    familiarity: float = 1.0
    threshold: float = 0.0

    @property
    def understood(self) -> bool:
        return self.familiarity >= self.threshold


class Intents(TextCase):
    """A question for one of two assistants.

    The input is the question, with `bank:` or `everyday:` before it; without, the bank is asked.
    """

    labels = tuple(label for name in ASSISTANTS for label in LABELS[name])
    longest = 128

    def __init__(self, card: Card) -> None:
        self.tokenizer = load_tokenizer()
        self.pad_id, self.mask_id = PAD, MASK
        super().__init__(card)
        constants = card.measured.constants
        self.temperatures = dict(
            zip(ASSISTANTS, constants.get("temperatures", (1.0, 1.0)), strict=True)
        )
        self.thresholds = dict(
            zip(ASSISTANTS, constants.get("thresholds", (0.0, 0.0)), strict=True)
        )

    def load(self) -> nn.Module:
        return load_weights(IntentNet(SIZES, RANK), self.card.weights, strict=False)

    def check(self, raw: str) -> None:
        if not isinstance(raw, str):
            raise InputError(N_("This is not a text. Type a sentence."))
        text = split(raw)[1]
        super().check(text)
        check_english(text)

    def encode(self, raw: str) -> Tensor:
        return super().encode(split(raw)[1])

    def words(self, raw: str) -> tuple[list[str], list[int]]:
        return super().words(split(raw)[1])

    def decode(self, y: Tensor, raw: str) -> Result:
        assistant = split(raw)[0]
        start, stop = place(assistant)
        p = (y[start:stop].float() / self.temperatures[assistant]).softmax(dim=0)
        best = p.topk(5).indices.tolist()
        familiarity = float(y[len(self.labels) + ASSISTANTS.index(assistant)])
        return Intent(
            tuple(Score(LABELS[assistant][i], float(p[i]), start + i) for i in best),
            blind=1 / len(p),
            assistant=assistant,
            inside=familiarity >= self.thresholds[assistant],
            familiarity=familiarity,
            threshold=self.thresholds[assistant],
        )

    def about(self, raw: str) -> "Intents":
        """The assistant that is asked, with its own intents alone."""
        assistant = split(raw)[0]
        other = copy.copy(self)
        other.labels = LABELS[assistant]
        other.temperature = self.temperatures[assistant]
        if isinstance(self.net, IntentNet):
            other.net = OneAssistant(self.net, *place(assistant)).eval()
        return other

    def code(self, raw: str, example: str | None, explainer: str | None, target: int | None) -> str:
        text = super().code(raw, example, explainer, target)
        return text.replace(".explain(case, raw", ".explain(case.about(raw), raw")

    def examples(self) -> list[Example[str]]:
        return [
            Example(i, Label(i, en, zh), lambda a=a, text=text: f"{a}: {text}", WRITTEN, truth)  # type: ignore[misc]
            for i, a, text, en, zh, truth in EXAMPLES
        ]

    def golden(self) -> str:
        return EXAMPLES[0][2]

    @classmethod
    def train(cls, card: Card, settings: Settings, run: Run) -> nn.Module:
        from dlportal.training.intents_training import train_on_questions

        return train_on_questions(settings, run)

    def evaluate(
        self,
        split: str = "test",
        data: Path | None = None,
        limit: int | None = None,
        progress: Progress | None = None,
    ) -> Evaluation:
        from dlportal.training.intents_evaluation import evaluate_intents

        return evaluate_intents(self, split, data, limit, progress)


def split(raw: str) -> tuple[str, str]:
    """Who is asked, and the question: `everyday: what time is it` is for the everyday assistant."""
    name, colon, text = raw.partition(":")
    if colon and name.strip().lower() in ASSISTANTS:
        return name.strip().lower(), text.strip()
    return ASSISTANTS[0], raw


def place(assistant: str) -> tuple[int, int]:
    """Where an assistant's outputs begin, and where the next one's do."""
    index = ASSISTANTS.index(assistant)
    start = sum(SIZES[:index])
    return start, start + SIZES[index]


def subjects() -> list[str]:
    """The subject of each intent of the everyday assistant."""
    return [row["domain"] for row in read_rows("everyday")]


def encode_all(texts: Sequence[str], longest: int = Intents.longest) -> list[list[int]]:
    """Token ids of questions (without the assistant's name), cut off at `longest`."""
    tokenizer = load_tokenizer()
    tokenizer.enable_truncation(longest)
    return [encoding.ids for encoding in tokenizer.encode_batch(list(texts))]


CASE = Intents
