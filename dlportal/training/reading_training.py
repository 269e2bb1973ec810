"""Train the readers: English by five parts and once on everything, Chinese from scratch."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dlportal.case import Settings
from dlportal.data.squad import load_cmrc, load_xquad
from dlportal.device import autocast
from dlportal.messages import N_, InputError
from dlportal.nets.chinese_reader import FIRST_ROW, ChineseReader
from dlportal.nets.chinese_reader import LONGEST as CHINESE_LONGEST
from dlportal.nets.english_reader import LONGEST as ENGLISH_LONGEST
from dlportal.nets.english_reader import EnglishReader
from dlportal.nets.minilm import load_tokenizer
from dlportal.nets.question_net import FOLDS, QuestionNet, renewed
from dlportal.training.events import Run
from dlportal.training.fit import Plan, Validate, fit, seed_everything
from dlportal.training.reading_data import (
    ReadingBatches,
    Row,
    States,
    all_states,
    encode_rows,
    folds_of,
    judged_rows,
    read_rows,
    votes_of,
)
from dlportal.training.reading_scales import Asking, scales, with_strangers
from dlportal.training.reading_scores import exact, f1
from dlportal.training.reading_vocabulary import (
    chinese_rarity,
    chinese_table,
    chinese_texts,
    chinese_vectors,
    english_asks,
    english_rarity,
)

PARTS = ("english", "chinese")
QUICK_QUESTIONS, QUICK_EPOCHS = 500, 3
ENGLISH_EPOCHS, CHINESE_EPOCHS = 5, 5
ENGLISH_RATE, CHINESE_RATE = 2e-3, 2e-3
SIZE = 16
STRANGERS = 0.1  # share of questions that get a paragraph without an answer
HIDDEN = 0.04  # share of Chinese characters that are hidden
DEV_TEST, DEV_VALIDATION = 132, 80  # paragraphs of CMRC's dev part, drawn at random
SHORT = 288  # characters of a window in training: half the work, and the answer is in it
TRIAL, XQUAD = 10_000, 20_000  # added to article numbers, so that sources stay apart


def train_readers(settings: Settings, shipped: QuestionNet | None, run: Run) -> nn.Module:
    """Train what was asked for; the rest is taken from `shipped`.

    Raises:
        InputError: No such part.
    """
    if settings.part not in ("", *PARTS):
        raise InputError(
            N_("No part {part}. Choose from: {known}."), part=settings.part, known=", ".join(PARTS)
        )
    quick = settings.budget == "quick"
    asked = [settings.part] if settings.part else ["english"] if quick else list(PARTS)
    net = blank() if shipped is None else renewed(shipped)
    if "english" in asked:
        if quick:
            net.english = quick_english(settings.seed, run)
        else:
            net.english, net.folds = all_english(settings.seed, run)
    if "chinese" in asked and not run.cancelled():
        net.chinese = chinese(settings.seed, QUICK_EPOCHS if quick else CHINESE_EPOCHS, run)
    return net.eval()


def blank() -> QuestionNet:
    """Readers that know nothing, for parts that are not trained."""
    tokenizer = load_tokenizer()
    words, characters = torch.ones(tokenizer.get_vocab_size()), torch.ones(1 << 16)
    asks = english_asks(tokenizer)
    table = torch.zeros(1 << 16, dtype=torch.int16)
    folds = [EnglishReader(words, asks) for _fold in range(FOLDS)]
    return QuestionNet(
        EnglishReader(words, asks), folds, ChineseReader(table, characters, FIRST_ROW)
    )


def span_loss(net: nn.Module, batch: dict[str, Tensor]) -> Tensor:
    """Cross-entropy over all spans and "no answer", of every member by itself."""
    votes = votes_of(net, batch)
    return torch.stack(
        [F.cross_entropy(y.float().flatten(1), batch["target"]) for y in votes]
    ).mean()


def against(rows: Sequence[Row], language: str, states: States | None, run: Run) -> Validate:
    """F1 and exact match of the best spans; `seconds` grows, for trainings whose last epoch
    counts."""

    def validate(net: nn.Module) -> Mapping[str, float]:
        judged = judged_rows(read_rows(net, rows, states), rows)
        said = [r.asked.paragraph[j.spans[0].start : j.spans[0].end] for r, j in zip(rows, judged)]
        each = [(f1, "f1"), (exact, "exact_match")]
        scores = {
            name: float(np.mean([m(language, s, r.asked.accepted) for s, r in zip(said, rows)]))
            for m, name in each
        }
        return {**scores, "seconds": run.seconds}

    return validate


def english_rows() -> list[Row]:
    return encode_rows(load_xquad("en"), "en", load_tokenizer(), ENGLISH_LONGEST)


def quick_english(seed: int, run: Run) -> EnglishReader:
    """A short training on some questions, checked on the first fifth of the articles, like the
    full training's first reader."""
    rows = english_rows()
    part = folds_of(rows, FOLDS)
    rng = np.random.default_rng(seed)
    learn = [rows[i] for i in rng.permutation(np.flatnonzero(part > 0))[:QUICK_QUESTIONS]]
    check = [row for row, k in zip(rows, part, strict=True) if k == 0]
    with autocast():
        states = all_states(learn + check)
    return one_english(learn, check, states, QUICK_EPOCHS, seed, run, "fold0")


def all_english(seed: int, run: Run) -> tuple[EnglishReader, nn.ModuleList]:
    """One reader without each fifth of the articles, then one that learns from everything.

    The five tell how good such a reader is, and find temperature and threshold; the last one
    answers on the page. No epoch is chosen: the last one counts.
    """
    rows = english_rows()
    part = folds_of(rows, FOLDS)
    with autocast():
        states = all_states(rows)
    folds, askings = [], []
    for fold in range(FOLDS):
        learn = [row for row, k in zip(rows, part, strict=True) if k != fold]
        check = [row for row, k in zip(rows, part, strict=True) if k == fold]
        net = one_english(learn, check, states, ENGLISH_EPOCHS, seed, run, f"fold{fold}")
        folds.append(net)
        if run.cancelled():
            return net, nn.ModuleList([net] * FOLDS)
        strangers = with_strangers(check, load_tokenizer(), "en")
        askings.append(Asking.of(net, check, strangers, states))
    run.constants["english"] = {
        **scales(askings),
        "folds": [scales([a for k, a in enumerate(askings) if k != fold]) for fold in range(FOLDS)],
    }
    net = one_english(rows, rows[:100], states, ENGLISH_EPOCHS, seed, run, "english")
    return net, nn.ModuleList(folds)


def one_english(
    learn: Sequence[Row],
    check: Sequence[Row],
    states: States,
    epochs: int,
    seed: int,
    run: Run,
    name: str,
) -> EnglishReader:
    tokenizer = load_tokenizer()
    with torch.random.fork_rng(devices=[]):
        seed_everything(seed)
        net = EnglishReader(english_rarity(learn, tokenizer), english_asks(tokenizer))
    batches = ReadingBatches(learn, states, ENGLISH_LONGEST, SIZE, seed, STRANGERS)
    plan = Plan(
        epochs=epochs, rate=ENGLISH_RATE, metric="seconds", weight_decay=0.03, betas=(0.9, 0.98),
        schedule="linear", seed=seed,
    )  # fmt: skip
    trained: Any = fit(net, batches, span_loss, against(check, "en", states, run), plan, run, name)
    return trained


def cmrc_parts() -> dict[str, list[Row]]:
    """CMRC's dev part by paragraph, drawn at random: test, validation, and the rest for training,
    with the trial part and XQuAD's Chinese questions."""
    dev = load_cmrc("dev")
    count = 1 + max(asked.article for asked in dev)
    order = np.random.default_rng(2018).permutation(count).tolist()
    test, validation = set(order[:DEV_TEST]), set(order[DEV_TEST : DEV_TEST + DEV_VALIDATION])
    more = [
        replace(asked, article=asked.article + shift, place=(asked.article + shift, asked.place[1]))
        for shift, part in ((TRIAL, load_cmrc("trial")), (XQUAD, load_xquad("zh")))
        for asked in part
    ]
    parts = {
        "train": [a for a in dev if a.article not in test | validation] + more,
        "validation": [a for a in dev if a.article in validation],
        "test": [a for a in dev if a.article in test],
    }
    return {
        name: encode_rows(part, "zh", None, CHINESE_LONGEST, SHORT if name == "train" else None)
        for name, part in parts.items()
    }


def chinese(seed: int, epochs: int, run: Run) -> ChineseReader:
    """Characters' vectors from the training texts, then the reader; validation picks the epoch."""
    parts = cmrc_parts()
    learn, check = parts["train"], parts["validation"]
    paragraphs, questions = chinese_texts(learn)
    table, known = chinese_table(paragraphs + questions)
    with torch.random.fork_rng(devices=[]):
        seed_everything(seed)
        net = ChineseReader(table, chinese_rarity(paragraphs), FIRST_ROW + len(known))
    with torch.no_grad():
        net.embedding.weight[FIRST_ROW:] = chinese_vectors(paragraphs + questions, known)
    batches = ReadingBatches(learn, None, CHINESE_LONGEST, SIZE, seed, STRANGERS, HIDDEN)
    plan = Plan(
        epochs=epochs, rate=CHINESE_RATE, metric="f1", weight_decay=0.03, betas=(0.9, 0.98),
        schedule="linear", seed=seed,
    )  # fmt: skip
    trained: Any = fit(
        net, batches, span_loss, against(check, "zh", None, run), plan, run, "chinese"
    )
    if not run.cancelled():
        strangers = with_strangers(check, None, "zh")
        run.constants["chinese"] = scales([Asking.of(trained, check, strangers, states=None)])
    return trained
