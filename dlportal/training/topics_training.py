"""Train the titles' network: on labelled titles, and on words that belong to one subject."""

from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dlportal import cases
from dlportal.case import Settings
from dlportal.data import csl
from dlportal.data.splits import Texts
from dlportal.kinds.chinese import plain
from dlportal.nets.title_net import (
    AT_ONCE,
    MASK,
    NO,
    PAD,
    TitleNet,
    known_characters,
    known_grams,
)
from dlportal.training.calibration import fit_temperature
from dlportal.training.events import Run
from dlportal.training.fit import Plan, Validate, fit, seed_everything
from dlportal.training.metrics import accuracy, macro_f1
from dlportal.training.texts import TextBatches, all_logits, pad_texts

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

EPOCHS = 8
RATE = 3e-3
SIZE = 64  # titles of a batch
SMOOTHING = 0.1  # of the labels: a journal's subject is not always the paper's
OFTEN = (2, 3, 3)  # times that a pair, a three, a four must occur in the titles
HIDDEN = 0.15  # share of the characters that are hidden from all members, anew in each epoch
UNSEEN = 0.3  # share of the n-grams that each member, by itself, does not see
BALANCE = 0.5  # 0: every title counts the same; 1: every subject does
TOGETHER = 3  # words of the list that make one text, at most
QUICK = 2000  # titles of the quick training
QUICK_EPOCHS = 4
PENALTY, SCALE = 0.3, 0.2  # C of the linear model, and what its features are multiplied by
# Of the linear model, once it is as sure as the members are.
WEIGHTS = (0.0, 0.25, 0.5, 0.75, 1.0, 1.5)
REFUSED = 0.03  # share of the validation titles that may be taken for no titles


@cache
def word_list() -> tuple[tuple[str, ...], ...]:
    """Words that belong to one subject, for each subject; written for this portal."""
    path = Path(cases.__file__).with_name("topic_words.txt")
    rows = dict(line.split("\t") for line in path.read_text("utf-8").splitlines())
    return tuple(tuple(plain(word) for word in rows[name].split()) for name in csl.CLASSES)


def train_on_titles(settings: Settings, run: Run) -> nn.Module:
    """Train both parts; validation picks epoch, temperature and threshold."""
    from dlportal.cases.chinese_topics import familiarity

    seed_everything(settings.seed)
    parts = csl.load()
    train, epochs = parts.train, EPOCHS
    if settings.budget == "quick":
        order = np.random.default_rng(settings.seed).permutation(len(train))
        train, epochs = train.take(np.sort(order[:QUICK])), QUICK_EPOCHS
    titles = [plain(text) for text in train.texts]
    net = start(titles)
    held = points(parts.validation.texts)
    truth = torch.from_numpy(parts.validation.labels)
    plan = Plan(
        epochs=epochs, rate=RATE, metric="macro_f1", bf16=False, clip=None, seed=settings.seed
    )
    batches = TitlesAndWords(titles, train.labels, settings.seed)
    fit(net, batches, loss_of(train), against(truth, held), plan, run)
    weights, bias = linear_model(net, titles, train.labels)
    run.facts["linear"] = add_linear(net, weights, bias, held, truth)
    run.constants["temperature"] = fit_temperature(all_logits(net, held), truth)
    run.constants["blind"] = float(np.bincount(parts.train.labels).max() / len(parts.train))
    known = np.array([familiarity(net, text) for text in parts.validation.texts])
    run.constants["familiar"] = round(float(np.quantile(known, REFUSED)), 4)
    return net


def start(titles: Sequence[str]) -> TitleNet:
    """An untrained network that knows what occurs twice in the titles, and the listed words."""
    ids = points(titles)
    listed = points([word for row in word_list() for word in row])
    characters = torch.cat([known_characters(ids, 2), known_characters(listed, 2)]).unique()
    twice = known_grams(ids, characters, OFTEN)
    grams = torch.cat([twice, known_grams(listed, characters, (1, 1, 1))]).unique()
    return TitleNet(characters, grams, len(csl.CLASSES))


def points(texts: Sequence[str]) -> list[list[int]]:
    """The network's input: code points of texts."""
    return [[ord(c) for c in plain(text)] for text in texts]


class TitlesAndWords:
    """Batches of titles, and of texts that are made of the words of one subject.

    In every epoch each listed word occurs once, alone or with up to two others of its subject.
    """

    def __init__(self, titles: Sequence[str], labels: np.ndarray, seed: int) -> None:
        self.titles, self.labels, self.seed = titles, labels, seed
        self.steps_per_epoch = self.batches(0).steps_per_epoch

    def batches(self, epoch: int) -> TextBatches:
        rng = np.random.default_rng((self.seed, epoch))
        texts, labels = made_of_words(rng)
        # The number of texts depends on the draw; what is over is left out, so that all epochs
        # have as many steps.
        ids = points([*self.titles, *texts])
        kept = SIZE * (len(ids) // SIZE - 1)
        both = torch.from_numpy(np.append(self.labels, labels))
        rows = np.sort(rng.permutation(len(ids))[:kept])
        return TextBatches([ids[r] for r in rows], both[rows], SIZE, self.seed * 1009 + epoch, PAD)

    def __call__(self, epoch: int) -> Iterator[tuple[Tensor, Tensor]]:
        return self.batches(epoch)(epoch)


def made_of_words(rng: np.random.Generator) -> tuple[list[str], np.ndarray]:
    """Texts of one to three words of one subject, all words used once, and their subjects."""
    texts, labels = [], []
    for label, words in enumerate(word_list()):
        order = [words[i] for i in rng.permutation(len(words))]
        for count in np.tile(np.arange(1, TOGETHER + 1), len(words)):
            if not order:
                break
            texts.append("的".join(order[:count]))
            labels.append(label)
            order = order[count:]
    return texts, np.array(labels)


def counts_of(net: TitleNet, ids: Sequence[Sequence[int]]) -> "csr_matrix":
    """How often each row of the table occurs in each text, by the root of the text's length.

    Returns:
        Sparse, (N, rows).
    """
    from scipy.sparse import csr_matrix

    texts, rows = [], []
    for start in range(0, len(ids), AT_ONCE):
        found = net.cpu().gram_rows(pad_texts(ids[start : start + AT_ONCE], PAD))
        text, place, size = (found != NO).nonzero(as_tuple=True)
        texts.append(text + start)
        rows.append(found[text, place, size])
    text, row = torch.cat(texts), torch.cat(rows)
    length = torch.tensor([float(len(one)) for one in ids]).clamp(min=1)
    values = length[text].rsqrt()
    shape = (len(ids), net.table.num_embeddings)
    return csr_matrix((values.numpy(), (text.numpy(), row.numpy())), shape)


def linear_model(net: TitleNet, titles: Sequence[str], labels: np.ndarray) -> tuple[Tensor, Tensor]:
    """A linear support vector machine on the n-grams that the network knows, rare ones raised.

    Like the network it learns from titles and from the listed words.

    Returns:
        Weights (rows of the table, 13) and bias (13,).
    """
    from scipy.sparse import diags
    from sklearn.svm import LinearSVC

    words = [word for row in word_list() for word in row]
    subjects = np.repeat(np.arange(len(word_list())), [len(row) for row in word_list()])
    counts = counts_of(net, points([*titles, *words]))
    often = np.asarray((counts > 0).sum(axis=0)).ravel()
    raised = SCALE * (np.log((1 + counts.shape[0]) / (1 + often)) + 1)  # inverse document frequency
    model = LinearSVC(C=PENALTY, class_weight="balanced", random_state=0)
    model.fit(counts @ diags(raised), np.append(labels, subjects))
    weights = torch.from_numpy(model.coef_.T * raised[:, None])
    return weights.float(), torch.from_numpy(model.intercept_).float()


def add_linear(
    net: TitleNet, weights: Tensor, bias: Tensor, held: Sequence[Sequence[int]], truth: Tensor
) -> dict[str, Any]:
    """Put the linear model beside the members, with the weight that serves validation best.

    Returns:
        For the receipt: validation accuracy of both, and the log loss at each weight.
    """
    members = all_logits(net, held)
    net.set_linear(weights, bias)
    linear = all_logits(net, held) - members
    sure = fit_temperature(members, truth) / fit_temperature(linear, truth)
    losses = {weight: scaled_loss(members + weight * sure * linear, truth) for weight in WEIGHTS}
    best = min(losses, key=lambda weight: losses[weight])
    net.set_linear(best * sure * weights, best * sure * bias)
    right = {
        name: accuracy(truth.numpy(), y.argmax(dim=1).numpy())
        for name, y in (
            ("members", members),
            ("linear", linear),
            ("both", members + best * sure * linear),
        )
    }
    return {"weight": best, "accuracy": right, "loss": losses}


def scaled_loss(y: Tensor, truth: Tensor) -> float:
    """Mean cross-entropy of logits (N, 13) at their best temperature."""
    return float(F.cross_entropy(y / fit_temperature(y, truth), truth))


def loss_of(train: Texts) -> "Loss":
    counts = np.bincount(train.labels, minlength=len(csl.CLASSES)).clip(1)
    weights = (counts / counts.mean()) ** -BALANCE
    return Loss(torch.from_numpy(weights / weights[train.labels].mean()).float())


class Loss:
    """Cross-entropy of every member by itself, with some characters hidden from all of them and
    some n-grams from each: what they do not see alike, they do not learn alike."""

    def __init__(self, weights: Tensor) -> None:
        self.weights = weights

    def __call__(self, net: nn.Module, batch: tuple[Tensor, Tensor]) -> Tensor:
        x, labels = batch
        hide = (torch.rand(x.shape, device=x.device) < HIDDEN) & (x != PAD)
        x = torch.where(hide, MASK, x)
        e = net.unseen(net.embed(x), UNSEEN)  # type: ignore[operator]
        votes = net.votes(e, x != PAD)[0].float().transpose(1, 2)  # type: ignore[operator]
        truth = labels.unsqueeze(1).expand(-1, votes.shape[2])
        # Weights given to it by class would weigh the smoothing, too: most would go to the rarest.
        rows = F.cross_entropy(votes, truth, label_smoothing=SMOOTHING, reduction="none")
        weights = self.weights.to(x.device)[labels]
        return (rows.sum(dim=1) * weights).sum() / weights.sum()


def against(truth: Tensor, held: Sequence[Sequence[int]]) -> Validate:
    """Accuracy, macro-F1 and loss on titles of which the subject is known."""

    def validate(net: nn.Module) -> dict[str, float]:
        y = all_logits(net, held)
        guesses = y.argmax(dim=1).numpy()
        return {
            "accuracy": accuracy(truth.numpy(), guesses),
            "macro_f1": macro_f1(truth.numpy(), guesses),
            "loss": float(F.cross_entropy(y, truth)),
        }

    return validate
