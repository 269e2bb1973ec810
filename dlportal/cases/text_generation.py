"""Text generation with SmolLM2-135M-Instruct: tokens as they come, and a look inside.

Model: Allal et al. 2025, https://arxiv.org/abs/2502.02737
Logit lens: nostalgebraist 2020,
https://www.lesswrong.com/posts/AcKRB8wDpdaN6v6ru/interpreting-gpt-the-logit-lens
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from dlportal.assets.smollm2 import smollm2_dir
from dlportal.cards import Card
from dlportal.case import Evaluation, Example, Knob, Progress
from dlportal.device import has_fast_bf16
from dlportal.kinds.english import looks_english
from dlportal.kinds.writer import Writer, sampling_knobs
from dlportal.messages import N_, InputError
from dlportal.nets.llama import Llama, load_llama
from dlportal.nets.sampling import candidates, draw
from dlportal.results import Generation, Label, Result, Token

START, END = 0, 2  # <|endoftext|> separates documents, <|im_end|> ends a turn
PAD = 16  # <empty_output>: a token that no text contains
BLANK = " _"  # stands for a hidden word: the model knows blanks from its training texts
SPAN = 160  # tokens that the look inside takes at most

# The model's own chat form, with its usual system message.
BEFORE = (
    "<|im_start|>system\nYou are a helpful AI assistant named SmolLM, trained by Hugging Face"
    "<|im_end|>\n<|im_start|>user\n"
)
AFTER = "<|im_end|>\n<|im_start|>assistant\n"

WRITTEN = N_("Written for this portal")
EXAMPLES = (
    ("capital", "The capital of France is", "A fact", "一个事实"),
    ("pattern", "Monday, Tuesday, Wednesday, Thursday,", "A pattern", "一个规律"),
    (
        "copy",
        "The keeper of the northern lighthouse was called Ondrej. When the storm came, everyone"
        " looked for",
        "A name to remember",
        "记住一个名字",
    ),
    (
        "story",
        "The lighthouse keeper opened the door and could not believe what the sea had left on"
        " the steps.",
        "A story",
        "一个故事",
    ),
    (
        "arithmetic",
        "Two plus two is four. Four plus four is eight. Eight plus eight is",
        "Arithmetic",
        "算术",
    ),
    ("false", "The first person to walk on the Sun was", "A false premise", "错误的前提"),
)
QUESTIONS = (
    ("sky", "Why is the sky blue?", "Why is the sky blue?", "天空为什么是蓝色的？"),
    (
        "haiku",
        "Write a short poem about rain.",
        "Write a poem about rain",
        "写一首关于雨的诗",
    ),
    (
        "tea",
        "How do I make a good cup of tea? Answer in three steps.",
        "How to make tea",
        "怎样泡一杯好茶",
    ),
)

KNOBS = sampling_knobs(0.7, 0.9, Knob("length", N_("Tokens at most"), 80, 10, 256, 10))


@dataclass(frozen=True)
class Inside(Result):
    """What the network did while it read a text.

    Attributes:
        tokens: The text's tokens, T of them.
        chosen: What the network expects after each token.
        guesses: For each layer (0: the embedding alone) and token, what the logit lens reads.
        probability: Of `chosen`, read at each layer, shape (layers + 1, T).
        knew: For each token the first layer from which on the lens reads `chosen`.
        attention: From each token (rows) to each token, shape (layers, heads, T, T).
    """

    tokens: tuple[str, ...]
    chosen: tuple[str, ...]
    guesses: tuple[tuple[str, ...], ...]
    probability: np.ndarray
    knew: tuple[int, ...]
    attention: np.ndarray


class TextGeneration(Writer):
    """A small GPT-style model. Its logits are the next token's, one a vocabulary entry."""

    # bf16 and float32 differ by up to 0.8 on logits that span 40.
    golden_tolerance = 1.0
    batches = False
    knobs = KNOBS
    longest = 512
    net: Llama

    def __init__(self, card: Card) -> None:
        from tokenizers import Tokenizer

        folder = smollm2_dir()
        self.folder = folder
        self.tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self.pad_id = PAD
        self.mask_id = self.tokenizer.encode(BLANK).ids[0]
        super().__init__(card)

    def load(self) -> nn.Module:
        dtype = torch.bfloat16 if has_fast_bf16() else torch.float32
        return load_llama(self.folder, PAD, dtype)

    def check(self, raw: str) -> None:
        super().check(raw)
        if not self.asked(raw).strip():
            raise InputError(N_("The text is empty. Type a sentence or pick an example."))
        if PAD in self.tokenizer.encode(raw).ids:
            raise InputError(N_("The text contains a control token of the model. Remove it."))

    @staticmethod
    def question(text: str) -> str:
        """A question in the model's chat form, so that the model answers instead of going on."""
        return BEFORE + text.strip() + AFTER

    def asked(self, raw: str) -> str:
        """The part of an input that the visitor wrote."""
        return raw.removeprefix(BEFORE).removesuffix(AFTER)

    def joint(self, raw: str) -> str:
        """An answer starts on a line of its own; a continued text goes on."""
        return "\n\n" if self.asked(raw) != raw else ""

    def unfamiliar(self, raw: str) -> bool:
        return looks_english(self.asked(raw)) is False

    def words(self, raw: str) -> tuple[list[str], list[int]]:
        """Words and, for each token, its word; the chat form around a question is special."""
        encoding = self.tokenizer.encode(raw)
        first = len(BEFORE) if raw.startswith(BEFORE) else 0
        last = len(raw) - len(AFTER) if raw.endswith(AFTER) else len(raw)
        words: list[str] = []
        word_of: list[int] = []
        seen = None
        for word, (start, end) in zip(encoding.word_ids, encoding.offsets, strict=True):
            text = raw[start:end].strip()
            if start < first or end > last or not raw[start:end]:
                word_of.append(-1)
            elif word == seen:
                words[-1] += raw[start:end].rstrip()
                word_of.append(len(words) - 1)
            else:
                words.append(text)
                word_of.append(len(words) - 1)
            seen = word
        return words, word_of

    def name(self, index: int) -> str:
        """A token as readers see it."""
        return self.tokenizer.decode([index], skip_special_tokens=False)

    def stream(
        self,
        raw: str,
        temperature: float = 0.7,
        top_k: int = 50,
        top_p: float = 0.9,
        length: int = 80,
        seed: int = 0,
    ) -> Iterator[Token]:
        """Generate token by token; stop by not asking for more.

        Probabilities are the model's own, before the knobs.

        Args:
            raw: The text to go on from.
            temperature: See `candidates`.
            top_k: See `candidates`.
            top_p: See `candidates`.
            length: Tokens at most; the model may end earlier.
            seed: Of the drawing.

        Raises:
            InputError: The text cannot be used.
        """
        from tokenizers.decoders import DecodeStream

        self.check(raw)
        ids = self.encode(raw).to(self.device)
        generator = torch.Generator().manual_seed(seed)
        decoder = DecodeStream(skip_special_tokens=False)
        cache = self.net.cache(ids.shape[1] + length)
        for _ in range(length):
            # Not held across the yield: the mode would leak into whoever asks for tokens.
            with torch.inference_mode():
                logits = self.net.step(ids, cache).cpu()
                chosen = draw(*candidates(logits, temperature, top_k, top_p), generator)
                found = self.token(chosen, torch.softmax(logits, dim=-1))
            if chosen in (START, END):
                return
            ids = torch.tensor([[chosen]], device=self.device)
            # A character may be spread over several tokens; its text comes with the last.
            text = decoder.step(self.tokenizer, chosen) or ""
            yield Token(text, found.probability, found.alternatives)

    def predict_batch(self, raws: Sequence[str]) -> list[Result]:
        """Greedy texts of at most 40 tokens."""
        return [
            Generation(raw, tuple(self.stream(raw, temperature=0.0, length=40))) for raw in raws
        ]

    def decode(self, y: Tensor, raw: str) -> Result:
        p = torch.softmax(y.float(), dim=-1)
        return Generation(raw, (self.token(int(p.argmax()), p),))

    @torch.inference_mode()
    def look_inside(self, text: str, last: int = 16) -> Inside:
        """Read a text once more and keep what each layer knew and where it looked.

        Args:
            text: Prompt and generated text; its last 160 tokens are read.
            last: Tokens at the end to report.
        """
        ids = self.encode(text)[:, -SPAN:].to(self.device)
        trace = self.net.trace(ids)
        last = min(last, ids.shape[1])
        guesses, probabilities, best = [], [], []
        chosen = self.net.logits(trace.states[-1, -last:]).argmax(dim=-1)
        for states in trace.states[:, -last:]:
            p = torch.softmax(self.net.logits(states).float(), dim=-1)
            top = p.argmax(dim=-1)
            best.append(top)
            guesses.append(tuple(self.name(i) for i in top.tolist()))
            probabilities.append(p.gather(1, chosen.unsqueeze(1))[:, 0])
        right = torch.stack(best) == chosen  # (layers + 1, last)
        return Inside(
            tokens=tuple(self.name(i) for i in ids[0, -last:].tolist()),
            chosen=tuple(self.name(i) for i in chosen.tolist()),
            guesses=tuple(guesses),
            probability=torch.stack(probabilities).cpu().numpy(),
            knew=tuple(settled(column) for column in right.T.tolist()),
            attention=trace.attention[:, :, -last:, -last:].cpu().numpy(),
        )

    def examples(self) -> list[Example[str]]:
        going_on = [
            Example(i, Label(i, en, zh), lambda text=text: text, WRITTEN)  # type: ignore[misc]
            for i, text, en, zh in EXAMPLES
        ]
        asked = [
            Example(i, Label(i, en, zh), lambda text=text: self.question(text), WRITTEN)  # type: ignore[misc]
            for i, text, en, zh in QUESTIONS
        ]
        return going_on + asked

    def golden(self) -> str:
        return EXAMPLES[0][1]

    def evaluate(
        self,
        split: str = "test",
        data: Path | None = None,
        limit: int | None = None,
        progress: Progress | None = None,
    ) -> Evaluation:
        from dlportal.training.perplexity import evaluate_perplexity

        if split != "test":
            raise InputError(N_("There is only a test split."))
        return evaluate_perplexity(self, data, limit, progress)

    @torch.inference_mode()
    def score(self, ids: list[int]) -> tuple[Tensor, Tensor]:
        """How well each token but the first is foretold by those before it.

        Args:
            ids: T token ids.

        Returns:
            Log-probabilities (T - 1,), and whether each was the likeliest (T - 1,).
        """
        x = torch.tensor([ids], device=self.device)
        y = self.net.logits(self.net.read(self.net.embed(x))[0, :-1]).float()
        following = x[0, 1:]
        likelihoods = y.log_softmax(dim=-1).gather(1, following.unsqueeze(1))[:, 0]
        return likelihoods.cpu(), (y.argmax(dim=-1) == following).cpu()


def settled(right: list[bool]) -> int:
    """First layer from which on all are right."""
    layer = len(right)
    while layer > 0 and right[layer - 1]:
        layer -= 1
    return layer


CASE = TextGeneration
