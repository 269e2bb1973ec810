"""Train one encoder for the intents of two assistants.

Every question to the bank learns its own label and, with less weight, those of the questions that
the untrained encoder finds nearest: labels of real questions are noisy, and neighbours say where.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dlportal.case import Settings
from dlportal.cases.intents import ASSISTANTS, LABELS, RANK, SIZES, encode_all, place
from dlportal.data import banking77, clinc150
from dlportal.data.splits import Splits, Texts
from dlportal.device import autocast
from dlportal.messages import N_
from dlportal.nets.intent_net import TYPICAL, IntentNet
from dlportal.nets.minilm import PAD, WIDTH, shared_body
from dlportal.training.calibration import fit_temperature
from dlportal.training.events import Event, Run
from dlportal.training.fit import Plan, Validate, fit, seed_everything
from dlportal.training.metrics import auc
from dlportal.training.texts import TextBatches, all_logits, pad_texts

EPOCHS = 6
NEIGHBOURS = 10  # whose labels a question learns too
SHARE = {"bank": 0.2, "everyday": 0.0}  # of them; the everyday questions were written to order
SHARPNESS = 20.0  # of the neighbours' weights over their cosine
SHOTS = 10  # questions of each intent in the quick training
ENOUGH = 400  # questions that settle the lines where a training was stopped
TENTHS = 3  # of the bank's questions that are left out in turn to find its temperature
REFUSED = 0.03  # share of the validation questions that may be taken for out of scope


@dataclass(frozen=True)
class Questions:
    """Token ids of N questions of one assistant, and their intents (N,)."""

    ids: list[list[int]]
    labels: Tensor


def intent_ids(assistant: str) -> tuple[str, ...]:
    return tuple(label.id for label in LABELS[assistant])


def load_parts() -> tuple[dict[str, Splits[Texts]], Splits[tuple[str, ...]]]:
    """The questions of each assistant, and those that belong to no intent.

    Raises:
        AssetError: The files are neither here nor to be had.
    """
    clinc = clinc150.load(intent_ids("everyday"))
    bank = banking77.load(intent_ids("bank"))
    return {"bank": bank, "everyday": clinc.inside}, clinc.outside


def train_on_questions(settings: Settings, run: Run) -> nn.Module:
    """Train adapters and intents; validation picks epoch, temperatures and thresholds.

    The full budget trains again, on other tenths of the bank's questions left out: about a
    thousand are few to settle a temperature with.
    """
    shared_body()  # before any inference_mode, or its tensors would be closed to gradients
    parts, outside = load_parts()
    net, known = learn(parts, settings, run, "fit")
    held = {name: as_questions(part.validation) for name, part in parts.items()}
    keep_typical(net, known, settings.seed)
    strangers = encode_all(outside.validation)
    if run.cancelled():  # lines from a few questions: the rest would take a minute
        held = {name: some(questions) for name, questions in held.items()}
        strangers = strangers[:ENOUGH]
    run.constants.update(lines(net, held))
    run.facts["outside"] = tell_apart(net, held["everyday"], strangers)
    if settings.budget == "full" and not run.cancelled():
        settle_bank(net, parts, settings, run)
    return net


def learn(
    parts: dict[str, Splits[Texts]], settings: Settings, run: Run, name: str
) -> tuple[IntentNet, dict[str, Questions]]:
    """One training.

    Returns:
        The network as it was at its best on the validation questions, without typical questions;
        and the questions that it learned from.
    """
    seed_everything(settings.seed)
    train = {assistant: part.train for assistant, part in parts.items()}
    epochs = EPOCHS
    if settings.budget == "quick":
        train = {key: few(part, SHOTS, settings.seed) for key, part in train.items()}
        epochs = 2
    known = {assistant: as_questions(part) for assistant, part in train.items()}
    held = {assistant: as_questions(part.validation) for assistant, part in parts.items()}
    net = IntentNet(SIZES, RANK)
    run.emit(
        Event("message", text=N_("The untrained encoder looks for each question's neighbours."))
    )
    targets = start_from_neighbours(net, known)
    ids = [row for assistant in ASSISTANTS for row in known[assistant].ids]
    plan = Plan(
        epochs=epochs,
        rate=5e-4,
        betas=(0.9, 0.98),
        factors={"scales": 10.0},
        seed=settings.seed,
    )
    seed_everything(settings.seed)
    batches = TextBatches(ids, targets, 64, settings.seed)
    fit(net, batches, own_assistant, against(held), plan, run, name)
    return net, known


def settle_bank(
    net: IntentNet, parts: dict[str, Splits[Texts]], settings: Settings, run: Run
) -> None:
    """Find the bank's temperature on questions that several networks did not learn from.

    Args:
        net: The first network.
        parts: What it learned from and was validated on.
        settings: As of the first network: the others differ by what is left out.
        run: Its constants get the temperature; unchanged where it is stopped.
    """
    held = [as_questions(parts["bank"].validation)]
    own = [own_logits(net, held[0].ids, "bank")]
    for left_out in range(1, TENTHS):
        others = {**parts, "bank": banking77.load(intent_ids("bank"), seed=left_out)}
        other, _known = learn(others, settings, run, f"left_out_{left_out}")
        if run.cancelled():
            return
        held.append(as_questions(others["bank"].validation))
        own.append(own_logits(other, held[-1].ids, "bank"))

    def fitted(y: Tensor, labels: Tensor) -> float:
        return fit_temperature(y, labels, evenly(labels))

    truth = [questions.labels for questions in held]
    run.facts["bank_temperatures"] = [fitted(*pair) for pair in zip(own, truth, strict=True)]
    temperature = fitted(torch.cat(own), torch.cat(truth))
    run.constants["temperatures"][ASSISTANTS.index("bank")] = temperature


def few(part: Texts, each: int, seed: int) -> Texts:
    """Some questions of each intent."""
    rng = np.random.default_rng(seed)
    rows = [
        rng.permutation(np.flatnonzero(part.labels == k))[:each] for k in np.unique(part.labels)
    ]
    return part.take(np.sort(np.concatenate(rows)))


def some(questions: Questions) -> Questions:
    """A few questions from everywhere."""
    step = max(1, len(questions.ids) // ENOUGH)
    return Questions(questions.ids[::step], questions.labels[::step])


def as_questions(part: Texts) -> Questions:
    return Questions(encode_all(part.texts), torch.from_numpy(part.labels))


@torch.inference_mode()
def meanings(net: IntentNet, ids: Sequence[Sequence[int]], size: int = 64) -> Tensor:
    """Meanings (N, 384), float32, of texts, in batches of similar length."""
    net.eval()
    order = sorted(range(len(ids)), key=lambda i: len(ids[i]))
    out = torch.zeros(len(ids), WIDTH)
    for start in range(0, len(order), size):
        rows = order[start : start + size]
        with autocast(True):
            z = net.meaning(pad_texts([ids[row] for row in rows], PAD).to(net.scales.device))
        out[rows] = z.float().cpu()
    return out


def start_from_neighbours(net: IntentNet, known: dict[str, Questions]) -> Tensor:
    """Point every intent at the mean of its questions, and ask each question's neighbours.

    Returns:
        Targets (N, 227) of all assistants' questions one after the other: each row sums to 1
        over the intents of its own assistant.
    """
    rows = []
    for name, part in known.items():
        start, stop = place(name)
        classes = stop - start
        # A copy: the targets must not be closed to gradients.
        z = meanings(net, part.ids).clone()
        means = torch.zeros(classes, WIDTH).index_add_(0, part.labels, z)
        with torch.no_grad():
            net.directions[start:stop] = F.normalize(means, dim=1)
        said = ask_neighbours(z, part.labels, classes)
        own = F.one_hot(part.labels, classes).float()
        told = torch.lerp(own, said, SHARE[name])
        rows.append(F.pad(told, (start, sum(SIZES) - stop)))
    return torch.cat(rows)


def ask_neighbours(z: Tensor, labels: Tensor, classes: int) -> Tensor:
    """What the nearest other questions say, (N, classes), by cosine; in pieces to save memory."""
    out = []
    for start in range(0, len(z), 2048):
        likeness = z[start : start + 2048] @ z.T
        own = torch.arange(len(likeness))
        likeness[own, own + start] = -1.0
        nearest, who = likeness.topk(NEIGHBOURS, dim=1)
        weights = torch.softmax(nearest * SHARPNESS, dim=1)
        out.append(torch.zeros(len(likeness), classes).scatter_add_(1, labels[who], weights))
    return torch.cat(out)


def own_assistant(net: nn.Module, batch: tuple[Tensor, Tensor]) -> Tensor:
    """Cross-entropy of soft targets (B, 227) over the intents of each question's own assistant."""
    x, targets = batch
    y = net(x)[:, : targets.shape[1]].float()
    loss = torch.zeros((), device=y.device)
    for name in ASSISTANTS:
        start, stop = place(name)
        told = targets[:, start:stop]  # rows of other assistants are zero and count nothing
        loss = loss - (told * F.log_softmax(y[:, start:stop], dim=1)).sum()
    return loss / len(y)


def evenly(labels: Tensor) -> Tensor:
    """Weights (N,) that let every intent count the same, mean 1."""
    counts = torch.bincount(labels).clamp(min=1).float()
    weights = 1 / counts[labels]
    return weights / weights.mean()


def own_logits(net: nn.Module, ids: Sequence[Sequence[int]], assistant: str) -> Tensor:
    """Logits (N, intents) of the assistant that was asked."""
    start, stop = place(assistant)
    return all_logits(net, ids)[:, start:stop]


def against(held: dict[str, Questions]) -> Validate:
    """Accuracy of each assistant, every intent counting the same, and of both together."""

    def validate(net: nn.Module) -> dict[str, float]:
        right, loss = {}, 0.0
        for name, part in held.items():
            y, weights = own_logits(net, part.ids, name), evenly(part.labels)
            right[name] = float(((y.argmax(dim=1) == part.labels).float() * weights).mean())
            rows = F.cross_entropy(y, part.labels, reduction="none")
            loss += float((rows * weights).mean()) / len(held)
        return {"accuracy": sum(right.values()) / len(right), "loss": loss, **right}

    return validate


def keep_typical(net: IntentNet, known: dict[str, Questions], seed: int) -> None:
    """Store the centres of each intent's training questions: what is far from all is out of scope."""
    from sklearn.cluster import KMeans

    centres = []
    for part in known.values():
        z = meanings(net, part.ids).numpy()
        labels = part.labels.numpy()
        for k in range(int(labels.max()) + 1):
            own = z[labels == k]
            count = min(TYPICAL, len(own))
            found = KMeans(count, n_init=1, random_state=seed).fit(own).cluster_centers_
            # An intent with few questions repeats its centres: the nearest counts, not how many.
            centres.append(found[np.arange(TYPICAL) % count])
    kept = F.normalize(torch.from_numpy(np.stack(centres)).float(), dim=2)
    net.typical.copy_(kept.to(net.typical.device))


def lines(net: nn.Module, held: dict[str, Questions]) -> dict[str, list[float]]:
    """Temperature of each assistant, and the familiarity below which it does not know."""
    found: dict[str, list[float]] = {"temperatures": [], "thresholds": []}
    for index, (name, part) in enumerate(held.items()):
        y = all_logits(net, part.ids)
        start, stop = place(name)
        temperature = fit_temperature(y[:, start:stop], part.labels, evenly(part.labels))
        found["temperatures"].append(temperature)
        line = torch.quantile(y[:, sum(SIZES) + index], REFUSED)
        found["thresholds"].append(round(float(line), 4))
    return found


def tell_apart(
    net: nn.Module, inside: Questions, outside: Sequence[Sequence[int]]
) -> dict[str, float]:
    """How well familiarity, and two measures of the logits, tell validation questions apart (AUROC)."""
    start, stop = place("everyday")
    y = torch.cat([all_logits(net, inside.ids), all_logits(net, outside)])
    truth = np.repeat([1, 0], [len(inside.ids), len(outside)])
    measures = {
        "familiarity": y[:, sum(SIZES) + ASSISTANTS.index("everyday")],
        "largest_logit": y[:, start:stop].amax(dim=1),
        "energy": y[:, start:stop].logsumexp(dim=1),
    }
    return {name: auc(truth, values.numpy()) for name, values in measures.items()}
