"""Train the two poets: the same recipe on Shakespeare's lines and on Chinese poems."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from dlportal.cards import Card
from dlportal.case import Settings
from dlportal.data import chinese_poetry, tiny_shakespeare
from dlportal.messages import N_, InputError
from dlportal.nets.char_gpt import END, FIRST, FORM_IDS, CharGPT, Reading, Shape
from dlportal.nets.poets import Poets, load_poets, unlearned
from dlportal.nets.sampling import candidates, draw
from dlportal.training.events import Event, Run
from dlportal.training.fit import Plan, fit, seed_everything
from dlportal.training.muon import muon_for
from dlportal.training.poetry_counts import foretold
from dlportal.training.poetry_streams import Windows, counted_loss, nats, next_loss

OFTEN = 2  # times that a Chinese character must occur in the training poems to be known
HIDE = 0.01  # share of the characters that are hidden at the input
EARLY = (0, 20, 60, 150, 400)  # steps before which a sample is written, and after each epoch
COUNTED = 0.4  # how much counting says of what is learned, where it does
TEMPERATURES = (0.8, 0.9, 1.0, 1.1, 1.2, 1.3, 1.4)
LENGTH = {"shakespeare": 240, "chinese": 64}  # characters of a sample


@dataclass(frozen=True)
class Recipe:
    """How one poet is trained; `muon` is the rate of the matrices, `rate` that of the rest."""

    shape: Shape
    epochs: int
    batch: int
    rate: float
    muon: float
    decay: float
    characters: int = 0  # of the text that are learned; 0 for all
    schedule: str = "linear"
    warmup: float = 0.02
    settle: int = 0  # passes in which it also learns what counting foretells


RECIPES = {
    ("shakespeare", "quick"): Recipe(
        Shape(3, 128, 2, 3, context=256), 2, 16, 4e-3, 0.02, 0.02, 420_000
    ),
    ("shakespeare", "full"): Recipe(
        Shape(5, 320, 5, 2, dropout=0.2, alike=False, context=256),
        16,
        24,
        4e-3,
        0.02,
        0.1,
        schedule="trapezoid",
        settle=3,
    ),
    ("chinese", "quick"): Recipe(Shape(2, 128, 2, dropout=0.1), 2, 24, 2e-3, 0.02, 0.02, 170_000),
    ("chinese", "full"): Recipe(Shape(4, 192, 3, dropout=0.25), 14, 24, 1e-3, 0.02, 0.05),
}


@dataclass(frozen=True)
class Learning:
    """What a poet learns from: ids for training and for choosing, how a sample begins and ends,
    and where poems begin."""

    name: str
    train: Tensor
    held: Tensor
    first: list[int]
    end: int | None = None
    starts: Tensor | None = None


def points(text: str) -> Tensor:
    """Code points of a text, (N,)."""
    return torch.tensor([ord(c) for c in text])


def train_shakespeare(settings: Settings, run: Run) -> CharGPT:
    """Train on the first 90% of Tiny Shakespeare, less what chooses the epoch."""
    parts = tiny_shakespeare.load()
    recipe = RECIPES["shakespeare", settings.budget]
    text = parts.train[: recipe.characters or None]
    seed_everything(settings.seed)
    net = CharGPT(points(parts.train).unique(), recipe.shape)
    ids = net.numbers(points(text))
    held = net.numbers(points(parts.validation))
    learning = Learning("shakespeare", ids, held, net.numbers(points("\n")).tolist())
    return learn(net, learning, recipe, settings, run)


def train_chinese(settings: Settings, run: Run) -> CharGPT:
    """Train on the poems' training part, each between a mark of its form and one of its end."""
    parts = chinese_poetry.load()
    recipe = RECIPES["chinese", settings.budget]
    seed_everything(settings.seed)
    texts = [poem.text for poem in parts.train]
    known, counts = points("".join(texts)).unique(return_counts=True)
    net = CharGPT(known[counts >= OFTEN], recipe.shape)
    poems = [poem_ids(net, poem) for poem in parts.train]
    ids = torch.cat(poems)[: recipe.characters or None]
    starts = torch.tensor([0, *(len(poem) for poem in poems)]).cumsum(0)
    held = torch.cat([poem_ids(net, poem) for poem in parts.validation])
    learning = Learning("chinese", ids, held, [FORM_IDS["five"]], END, starts)
    return learn(net, learning, recipe, settings, run)


def poem_ids(net: CharGPT, poem: chinese_poetry.Poem) -> Tensor:
    """A poem as the network reads it: the mark of its form, its characters, the mark of the end."""
    marks = torch.tensor([FORM_IDS[poem.form]]), torch.tensor([END])
    return torch.cat([marks[0], net.numbers(points(poem.text)), marks[1]])


def learn(
    net: CharGPT, learning: Learning, recipe: Recipe, settings: Settings, run: Run
) -> CharGPT:
    """Train one poet, leaving samples of its writing in the run's folder on the way."""
    plan = Plan(
        epochs=recipe.epochs,
        rate=recipe.rate,
        metric="loss",
        higher_is_better=False,
        warmup=recipe.warmup,
        schedule=recipe.schedule,
        weight_decay=recipe.decay,
        clip=None,
        betas=(0.9, 0.95),
        seed=settings.seed,
    )

    earlier = len(run.curve)  # epochs of another poet

    def sample(step: int) -> None:
        keep_sample(net, learning, run.folder / f"sample-{learning.name}-{step:06d}.txt")

    def early(step: int) -> None:
        if step in EARLY:
            sample(step)

    context = recipe.shape.context
    batches = Windows(learning.train, context, recipe.batch, settings.seed, early, learning.starts)

    def validate(net: Any) -> dict[str, float]:
        sample((len(run.curve) - earlier + 1) * batches.steps_per_epoch)
        return {"loss": float(nats(net, learning.held, 64, bf16=True).mean())}

    muon = muon_for("layers.", recipe.muon)
    fit(net, batches, next_loss(HIDE), validate, plan, run, learning.name, muon)  # type: ignore[arg-type]
    if recipe.settle and not run.cancelled():
        run.emit(Event("message", text=N_("Counting what could have come at every place.")))
        counts = foretold(learning.train, net.vocabulary, run.cancelled)
        batches = Windows(learning.train, context, recipe.batch, settings.seed + 1, beside=counts)
        plan = replace(plan, epochs=recipe.settle, rate=recipe.rate / 2, schedule="linear")
        muon = muon_for("layers.", recipe.muon / 2)
        loss = counted_loss(HIDE, COUNTED)
        fit(net, batches, loss, validate, plan, run, f"{learning.name}-settled", muon)  # type: ignore[arg-type]
    if not run.cancelled():
        temperature = calibrate(net, learning.held)
        run.facts.setdefault("temperature", {})[learning.name] = temperature
    return net


@torch.no_grad()
def calibrate(net: CharGPT, held: Tensor) -> float:
    """Divide the logits by the temperature that foretells the held-out text best.

    It goes into the output's weights: a tied table may be scaled too, since what comes in is
    normed. Guo et al. 2017, https://arxiv.org/abs/1706.04599
    """
    weight = net.embedding.weight if net.tied else net.head.weight
    before = weight.clone()
    losses = {}
    for temperature in TEMPERATURES:
        weight.copy_(before / temperature)
        losses[temperature] = float(nats(net, held, net.shape.context, bf16=True).mean())
    best = min(losses, key=losses.__getitem__)
    weight.copy_(before / best)
    return best


def keep_sample(net: CharGPT, learning: Learning, path: Path) -> None:
    """Write a sample of the network as it is now, whole or not at all."""
    if path.exists():  # of a training that was taken up again
        return
    training = net.training
    net.eval()
    ids = write(net, learning.first, LENGTH[learning.name], learning.end)
    net.train(training)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    partial.write_text(spell(net, ids), encoding="utf-8")
    partial.replace(path)


@torch.inference_mode()
def write(net: CharGPT, start: list[int], length: int, end: int | None) -> list[int]:
    """Ids of a sample: temperature 0.8, always the same draws."""
    generator = torch.Generator().manual_seed(0)
    reading, ids, found = Reading(), start, []
    for _ in range(length):
        chosen = draw(*candidates(net.step(ids, reading).cpu(), temperature=0.8), generator)
        if chosen == end:
            break
        found.append(chosen)
        ids = [chosen]
    return found


def spell(net: CharGPT, ids: list[int]) -> str:
    """Text of ids; marks are left out."""
    return "".join(chr(int(net.alphabet[i - FIRST])) for i in ids if i >= FIRST)


def train_poets(card: Card, settings: Settings, run: Run) -> Poets:
    """Train both poets, or one: the part that the settings name, in a quick training
    Shakespeare. The other then keeps its shipped weights."""
    known = {"shakespeare": train_shakespeare, "chinese": train_chinese}
    if settings.part not in ("", *known):
        raise InputError(
            N_("There is no part {part}; choose one of: {known}."),
            part=settings.part,
            known=", ".join(known),
        )
    part = settings.part or ("shakespeare" if settings.budget == "quick" else "")
    shipped = load_poets(card.weights) if card.weights.exists() else None
    nets: dict[str, Any] = dict.fromkeys(known, unlearned())
    if shipped is not None:
        nets |= dict(shipped.named_children())
    for name, train in known.items():
        if part in ("", name) and not run.cancelled():
            nets[name] = train(settings, run)
    run.facts["samples"] = {name: samples(run.folder, name) for name in known}
    return Poets(nets["shakespeare"], nets["chinese"])


def samples(folder: Path, name: str) -> list[dict[str, Any]]:
    """What a poet wrote on the way: steps done and text."""
    paths = sorted(folder.glob(f"sample-{name}-*.txt"))
    return [{"step": step_of(path), "text": path.read_text(encoding="utf-8")} for path in paths]


def step_of(path: Path) -> int:
    return int(path.stem.rsplit("-", 1)[1])
