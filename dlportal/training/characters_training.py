"""Train the tagger of Chinese names: learn to read, learn names, teach a student."""

import copy
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from dlportal.case import Settings
from dlportal.data import chinese_text, uner
from dlportal.kinds.characters import readable
from dlportal.nets.character_tagger import PAD, CharacterTagger, known_characters, known_pairs
from dlportal.nets.name_tags import chain_of
from dlportal.nets.two_way import TwoWay
from dlportal.training.characters_batches import Marked
from dlportal.training.characters_data import TAGS, Sentence, sentences_of
from dlportal.training.characters_marks import Choir, against, honest_temperature, mark
from dlportal.training.events import Run
from dlportal.training.fit import Plan, Validate, fit, seed_everything
from dlportal.training.made_names import flags_of
from dlportal.training.texts import TextBatches, pad_texts

LEAST, PAIRS = 4, 20_000  # how often a character must occur; how many pairs have an embedding
READ_EPOCHS, READ_SIZE, READ_RATE = 5, 64, 3e-3
TEACHERS, NAME_EPOCHS, STUDENT_EPOCHS, QUICK_EPOCHS = 1, 8, 4, 3
RATE = 2e-3
LOWER = 0.5  # of the rate, for what has learned to read
LOWER_PARTS = ("table", "pair_table", "known", "right", "left")


def train_on_uner(settings: Settings, run: Run) -> nn.Module:
    """Train on UNER; the validation part picks epochs and temperature.

    The full budget first reads a million characters without labels, from the left and from the
    right. What has learned to read then learns names from different seeds; these teachers mark
    the unlabelled sentences, and a student learns from their marks and from the truth.
    """
    parts = uner.load()
    train, held = sentences_of(parts.train), sentences_of(parts.validation)
    check = against(held)
    run.facts["sentences"] = {"train": len(train), "validation": len(held)}
    net: nn.Module
    if settings.budget == "quick":
        fresh = start([s.codes for s in train], settings.seed, least=2)
        net = learn_names(fresh, Marked(train, settings.seed), check, QUICK_EPOCHS, run, "fit")
    else:
        net = full_training(train, held, check, settings.seed, run)
    run.constants["temperature"] = honest_temperature(net, held)
    return net


def full_training(
    train: list[Sentence], held: list[Sentence], check: Validate, seed: int, run: Run
) -> nn.Module:
    """Reader, teachers, student; where it is stopped, the best so far."""
    plain = [readable(text)[0] for text in chinese_text.sentences()]
    texts = [*plain, *(s.codes for s in train)]
    run.facts["read"] = {"sentences": len(texts), "characters": sum(map(len, texts))}
    reader = learn_to_read(start(texts, seed), texts, [s.codes for s in held], run)
    teachers: list[CharacterTagger] = []
    for number in range(TEACHERS):
        net = copy.deepcopy(reader)
        batches = Marked(train, seed + number)
        net = learn_names(net, batches, check, NAME_EPOCHS, run, f"teacher{number}")
        if run.cancelled():
            return net
        teachers.append(net)
    run.facts["validation_f1_of_teachers"] = check(Choir(teachers))["f1"]
    batches = Marked(train, seed + TEACHERS, mark(Choir(teachers), plain))
    return learn_names(reader, batches, check, STUDENT_EPOCHS, run, "fit")


def start(texts: Sequence[Sequence[int]], seed: int, least: int = LEAST) -> CharacterTagger:
    """An untrained tagger that knows the characters and pairs of these texts."""
    characters = known_characters(texts, least)
    pairs = known_pairs(texts, characters, PAIRS)
    with torch.random.fork_rng(devices=[]):
        seed_everything(seed)
        return CharacterTagger(characters, pairs, flags_of(characters.tolist()), chain_of(TAGS))


def learn_to_read(
    net: CharacterTagger, texts: list[list[int]], held: list[list[int]], run: Run
) -> CharacterTagger:
    """Both directions as language models, on texts without labels."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = TwoWay(net)
    strong, net.dropout.p = net.dropout.p, 0.2
    fixed = [pad_texts(held[i : i + READ_SIZE]) for i in range(0, len(held), READ_SIZE)]

    def validate(model: nn.Module) -> dict[str, float]:
        return {"loss": float(np.mean([model(x).item() for x in fixed]))}

    def loss(model: nn.Module, batch: tuple[Tensor, Tensor]) -> Tensor:
        found: Tensor = model(batch[0])
        return found

    plan = Plan(
        epochs=READ_EPOCHS,
        rate=READ_RATE,
        metric="loss",
        higher_is_better=False,
        warmup=0.03,
        schedule="linear",
        betas=(0.9, 0.98),
    )
    fit(model, TextBatches(texts, torch.zeros(len(texts)), READ_SIZE), loss, validate, plan, run,
        "reading")  # fmt: skip
    net.dropout.p = strong
    return net


def name_loss(net: nn.Module, batch: tuple[Tensor, Tensor]) -> Tensor:
    """Negative log-likelihood of the tags, nats a character, times ten (as a sentence counts)."""
    x, tags = batch
    mask = x != PAD
    chain: Any = net.chain
    return 10 * chain.loss(net(x).float(), tags, mask).sum() / mask.sum()


def learn_names(
    net: CharacterTagger, batches: Marked, check: Validate, epochs: int, run: Run, name: str
) -> CharacterTagger:
    """The whole network on marked sentences; the validation part picks the epoch."""
    plan = Plan(
        epochs=epochs,
        rate=RATE,
        metric="f1",
        warmup=0.05,
        schedule="linear",
        clip=5.0,
        betas=(0.9, 0.98),
        factors=dict.fromkeys(LOWER_PARTS, LOWER),
        seed=batches.seed,
    )
    trained: Any = fit(net, batches, name_loss, check, plan, run, name)
    return trained
