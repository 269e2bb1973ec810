"""Train the tagger of Chinese names: learn to read first, then learn names."""

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
from dlportal.training.characters_data import TAGS, sentences_of
from dlportal.training.characters_marks import against, honest_temperature
from dlportal.training.events import Run
from dlportal.training.fit import Plan, Validate, fit, seed_everything
from dlportal.training.made_names import flags_of, listed_tables
from dlportal.training.texts import TextBatches, pad_texts

LEAST, PAIRS = 4, 20_000  # how often a character must occur; how many pairs have an embedding
READ_EPOCHS, READ_SIZE, READ_RATE = 5, 64, 3e-3
NAME_EPOCHS, QUICK_EPOCHS = 16, 2
RATE = 2e-3
LOWER = 0.5  # of the rate, for what has learned to read
CHAIN = 10.0  # of the rate: a few numbers that begin at nothing
LOWER_PARTS = ("table", "pair_table", "known", "right", "left")


def train_on_uner(settings: Settings, run: Run) -> nn.Module:
    """Train on UNER; the validation part picks epochs and temperature.

    The full budget first reads the text of paragraphs, from the left and from the right; what has
    learned to read then learns names.
    """
    parts = uner.load()
    train, held = sentences_of(parts.train), sentences_of(parts.validation)
    check = against(held)
    run.facts["sentences"] = {"train": len(train), "validation": len(held)}
    epochs = QUICK_EPOCHS
    if settings.budget == "quick":
        net = start([s.codes for s in train], settings.seed, least=2)
    else:
        epochs = NAME_EPOCHS
        plain = [readable(text)[0] for text in chinese_text.sentences()]
        texts = [*plain, *(s.codes for s in train)]
        run.facts["read"] = {"sentences": len(texts), "characters": sum(map(len, texts))}
        net = start(texts, settings.seed)
        net = learn_to_read(net, texts, [s.codes for s in held], run)
    net = learn_names(net, Marked(train, settings.seed), check, epochs, run, "fit")
    run.constants["temperature"] = honest_temperature(net, held)
    return net


def start(texts: Sequence[Sequence[int]], seed: int, least: int = LEAST) -> CharacterTagger:
    """An untrained tagger that knows the characters and pairs of these texts."""
    characters = known_characters(texts, least)
    pairs = known_pairs(texts, characters, PAIRS)
    with torch.random.fork_rng(devices=[]):
        seed_everything(seed)
        flags = flags_of(characters.tolist())
        return CharacterTagger(characters, pairs, flags, *listed_tables(), chain_of(TAGS))


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
        factors={**dict.fromkeys(LOWER_PARTS, LOWER), "chain": CHAIN},
        seed=batches.seed,
    )
    trained: Any = fit(net, batches, name_loss, check, plan, run, name)
    return trained
