"""Deep against classical learning as the training set grows, on SST-2.

Three ways to read the same n sentences: TF-IDF with logistic regression (classical), MiniLM's
frozen sentence vectors with logistic regression (a pretrained network as it is), and MiniLM with
low-rank adapters trained on the sentences (fine-tuned). The first two choose the strength of
their penalty on validation sentences; the third has nothing to choose, and its steps are fixed.
What fine-tuning reaches with all sentences is on the card of the sentiment case. The test
sentences are looked at once a seed. A seed draws the sentences and, for the third, the
training.
"""

import shutil
import sys
import tempfile
from collections.abc import Callable, Sequence
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from dlportal.assets import cache_dir
from dlportal.cases.sentiment import LABELS, RANK, as_written, encode_all
from dlportal.data import sst2
from dlportal.data.splits import Splits, Texts
from dlportal.nets.minilm import PAD, SentenceClassifier, average, shared_body
from dlportal.training.events import Run
from dlportal.training.fit import Plan, fit, seed_everything
from dlportal.training.seeds import over_seeds
from dlportal.training.sentiment_training import cross_entropy
from dlportal.training.texts import TextBatches, all_logits

SIZES = (100, 300, 1000, 3000)  # and all there are
SEEDS = (0, 1, 2)
PENALTIES = (0.1, 1.0, 10.0, 100.0)  # scikit-learn's C
STEPS = 60  # of a fine-tuning at least
EPOCHS = 2  # at least
BATCH = 32
MODELS = ("tfidf", "frozen", "tuned")

Tell = Callable[[str], None]


def draw(labels: np.ndarray, size: int, seed: int) -> np.ndarray:
    """Rows of `size` training sentences, drawn without replacement."""
    return np.random.default_rng(seed).permutation(len(labels))[:size]


class Tfidf:
    """Words and word pairs, weighted by how rare they are, and logistic regression."""

    def __init__(self, train: Texts, penalty: float) -> None:
        from sklearn.feature_extraction.text import TfidfVectorizer

        self.words = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, token_pattern=r"\S+")
        self.linear = linear(self.words.fit_transform(train.texts), train.labels, penalty)

    def __call__(self, texts: Sequence[str]) -> np.ndarray:
        return self.linear.predict(self.words.transform(texts))


def linear(x: Any, labels: np.ndarray, penalty: float) -> Any:
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(C=penalty, max_iter=1000).fit(x, labels)


def sentence_vectors(texts: Sequence[str]) -> np.ndarray:
    """MiniLM's sentence vectors (N, 384), of length 1, as the encoder was trained to give them."""
    vectors = all_logits(Frozen().eval(), encode_all(texts))
    return torch.nn.functional.normalize(vectors, dim=1).numpy()


class Frozen(torch.nn.Module):
    """The pretrained body as it is: ids (B, T) to the mean of its states (B, 384)."""

    def __init__(self) -> None:
        super().__init__()
        self.body = shared_body()

    def forward(self, ids: Tensor) -> Tensor:
        mask = (ids != PAD).long()
        return average(self.body(ids, attention_mask=mask).last_hidden_state, mask)


def best_of(candidates: Sequence[Callable[[Any], np.ndarray]], x: Any, labels: np.ndarray) -> Any:
    """The candidate with the best accuracy on validation."""
    return max(candidates, key=lambda candidate: float((candidate(x) == labels).mean()))


def by_tfidf(train: Texts, validation: Texts, test: Texts) -> np.ndarray:
    """Whether each test sentence is answered right, (N,)."""
    made = [Tfidf(train, penalty) for penalty in PENALTIES]
    return best_of(made, validation.texts, validation.labels)(test.texts) == test.labels


def by_frozen(vectors: dict[str, np.ndarray], rows: np.ndarray, parts: Splits[Texts]) -> np.ndarray:
    """Whether each test sentence is answered right, (N,)."""
    x, labels = vectors["train"][rows], parts.train.labels[rows]
    made = [linear(x, labels, penalty).predict for penalty in PENALTIES]
    best = best_of(made, vectors["validation"], parts.validation.labels)
    return best(vectors["test"]) == parts.test.labels


def by_tuning(train: Texts, parts: Splits[Texts], seed: int) -> np.ndarray:
    """Train adapters and head on the sentences; whether each test sentence is answered right."""
    batches = TextBatches(
        encode_all(as_written(train)), torch.from_numpy(train.labels), BATCH, seed
    )
    epochs = max(EPOCHS, -(-STEPS // batches.steps_per_epoch))
    seed_everything(seed)
    number = count(1)  # `fit` keeps the best epoch: rising numbers make that the last
    with tempfile.TemporaryDirectory(prefix="dlportal-") as folder:
        net = fit(
            SentenceClassifier(len(LABELS), RANK),
            batches,
            cross_entropy,
            lambda _net: {"accuracy": float(next(number))},
            Plan(epochs=epochs, rate=5e-4, betas=(0.9, 0.98), seed=seed),
            Run(Path(folder)),
        )
    found = all_logits(net, encode_all(as_written(parts.test))).argmax(dim=1).numpy()
    return found == parts.test.labels


def measure(tell: Tell = lambda text: print(text, file=sys.stderr, flush=True)) -> dict[str, Any]:
    """All sizes, models and seeds; taken up again where an earlier run was interrupted.

    Returns:
        `rows`: model, n, value and interval over seeds, the seeds' own values; `test` and
        `validation`: how many sentences; `majority`: the share of the most frequent class.
    """
    parts = sst2.load()
    kept = cache_dir() / "faq" / "learning_curve"
    kept.mkdir(parents=True, exist_ok=True)
    vectors = {
        name: once(kept / f"{name}.npy", lambda texts: sentence_vectors(as_written(texts)), part)
        for name, part in vars(parts).items()
    }
    rows = []
    for size in (*SIZES, len(parts.train)):
        right: dict[str, list[np.ndarray]] = {model: [] for model in MODELS}
        for seed in SEEDS:
            picked = draw(parts.train.labels, size, seed)
            train = parts.train.take(picked)
            named = f"{size}-{seed}.npy"
            found = once(kept / f"tfidf-{named}", by_tfidf, train, parts.validation, parts.test)
            right["tfidf"].append(found)
            found = once(kept / f"frozen-{named}", by_frozen, vectors, picked, parts)
            right["frozen"].append(found)
            if size in SIZES:
                found = once(kept / f"tuned-{named}", by_tuning, train, parts, seed)
                right["tuned"].append(found)
        for model, answers in right.items():
            if answers:
                rows.append(summed_up(model, size, answers))
                tell(str(rows[-1]))
    shutil.rmtree(kept)
    return {
        "data": "sst2",
        "test": len(parts.test),
        "validation": len(parts.validation),
        "majority": round(float(np.bincount(parts.test.labels).max() / len(parts.test)), 4),
        "rows": rows,
    }


def once(path: Path, work: Callable[..., np.ndarray], *given: Any) -> np.ndarray:
    """What an interrupted run has left in a file, or else computed and left there."""
    if path.exists():
        return np.load(path, allow_pickle=False)
    found = work(*given)
    partial = path.with_suffix(".partial.npy")
    np.save(partial, found)
    partial.replace(path)
    return found


def summed_up(model: str, size: int, right: list[np.ndarray]) -> dict[str, Any]:
    """A row: share answered right, interval over seeds and sentences, each seed's own share."""
    value, low, high = over_seeds(right)
    return {
        "model": model,
        "n": size,
        "value": round(value, 4),
        "low": round(low, 4),
        "high": round(high, 4),
        "seeds": [round(float(r.mean()), 4) for r in right],
    }


POOL, ASKED = 600, 300  # sentences to draw from, and to test on, in the visitor's own run
DRAWS = 5


@cache
def small_vectors() -> tuple[Texts, Texts, np.ndarray, np.ndarray]:
    """A pool of training sentences, some test sentences, and MiniLM's vectors of both."""
    parts = sst2.load()
    pool = parts.train.take(draw(parts.train.labels, POOL, 0))
    asked = parts.test.take(draw(parts.test.labels, ASKED, 0))
    return (
        pool,
        asked,
        sentence_vectors(as_written(pool)),
        sentence_vectors(as_written(asked)),
    )


def on_the_spot(size: int) -> dict[str, tuple[float, float, float]]:
    """TF-IDF against frozen MiniLM on `size` sentences, five draws; nothing is chosen (C = 10).

    Returns:
        Value and interval over draws and test sentences, by model.

    Raises:
        AssetError: SST-2 or MiniLM is neither here nor to be had.
    """
    pool, asked, x, test_x = small_vectors()
    right: dict[str, list[np.ndarray]] = {"tfidf": [], "frozen": []}
    for seed in range(DRAWS):
        rows = draw(pool.labels, size, seed + 1)
        train = pool.take(rows)
        right["tfidf"].append(Tfidf(train, 10.0)(asked.texts) == asked.labels)
        guesses = linear(x[rows], train.labels, 10.0).predict(test_x)
        right["frozen"].append(guesses == asked.labels)
    return {model: over_seeds(found) for model, found in right.items()}
