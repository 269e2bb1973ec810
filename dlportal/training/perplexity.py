"""How well a language model foretells text, beside models that only count."""

import time
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from dlportal.cards import Bilingual, Curve, Measured, Metric
from dlportal.case import Evaluation, Progress
from dlportal.data.xquad import Paragraph, load_paragraphs
from dlportal.messages import N_
from dlportal.training.metrics import RowMetric, measured
from dlportal.training.ngrams import NGrams

if TYPE_CHECKING:
    from dlportal.cases.text_generation import TextGeneration

DATA = "xquad_en"
FOLDS = 5
POSITIONS = (0, 2, 4, 8, 16, 32, 64, 128, 256)  # tokens read before, for the curve
COMMAND = "python -m dlportal evaluate text_generation"

# Of nats and tokens, one row a paragraph.
perplexity = RowMetric("perplexity", lambda nats, tokens: (nats, tokens), np.exp)
# Of nats and bytes: does not depend on how a model cuts text into tokens.
bits_per_byte = RowMetric("bits_per_byte", lambda nats, size: (nats / np.log(2), size))
hit_rate = RowMetric("next_token_accuracy", lambda hits, tokens: (hits, tokens))


def evaluate_perplexity(
    case: "TextGeneration",
    data: Path | None,
    limit: int | None,
    progress: Progress | None,
) -> Evaluation:
    """Measure perplexity on the paragraphs of XQuAD (Wikipedia), beside n-grams.

    Every paragraph is read on its own, after the token that separates documents. The n-grams
    count the other articles: five folds, so that they never see the article they are asked
    about, but do see Wikipedia, which is more than they could claim otherwise.
    """
    started = time.monotonic()
    paragraphs = load_paragraphs("en", data)[:limit]
    texts = [[0, *case.tokenizer.encode(p.text).ids] for p in paragraphs]  # 0: a document starts
    tokens = np.array([len(ids) - 1 for ids in texts], dtype=np.float64)
    sizes = np.array([len(p.text.encode()) for p in paragraphs], dtype=np.float64)
    found: list[np.ndarray] = []  # nats of each token, text by text
    hits = np.zeros(len(texts))
    for row, ids in enumerate(texts):
        likelihoods, right = case.score(ids)
        found.append(-likelihoods.double().numpy())
        hits[row] = float(right.sum())
        if progress is not None:
            progress(row + 1, len(texts))

    name = DATA if data is None else data.stem

    def quote(kind: str, metric: RowMetric, *arrays: np.ndarray, model: str = "") -> Metric:
        return measured(kind, name, "test", metric, *arrays, command=COMMAND, model=model)

    nats = totals(found)
    lines = {case.card.model: by_position(found)}
    baselines = []
    for order, model in ((1, "unigram counts"), (3, "trigram counts")):
        tokenwise = cross_validated(order, case.net.shape.vocabulary, paragraphs, texts)
        counted = totals(tokenwise)
        lines[model] = by_position(tokenwise)
        baselines.append(quote("perplexity", perplexity, counted, tokens, model=model))
        baselines.append(quote("bits_per_byte", bits_per_byte, counted, sizes, model=model))
    result = Measured(
        case=case.card.id,
        parameters=sum(p.numel() for p in case.net.parameters()),
        metrics=[
            quote("perplexity", perplexity, nats, tokens),
            quote("bits_per_byte", bits_per_byte, nats, sizes),
            quote("next_token_accuracy", hit_rate, hits, tokens),
        ],
        baselines=baselines,
        curves=[
            Curve(
                name=N_("What is context worth?"),
                x_label=Bilingual(en="tokens read before", zh="此前读过的词元数"),
                y_label=Bilingual(en="bits a token", zh="每个词元的比特数"),
                x=[float(start) for start in POSITIONS[:-1]],
                y=lines,
            )
        ],
    )
    seconds = time.monotonic() - started
    return Evaluation(case.card.id, "test", len(texts), seconds, result)


def totals(tokenwise: Sequence[np.ndarray]) -> np.ndarray:
    return np.array([nats.sum() for nats in tokenwise])


def by_position(tokenwise: Sequence[np.ndarray]) -> list[float]:
    """Mean bits of the tokens between one of POSITIONS and the next: what context is worth."""
    means = []
    for start, end in pairwise(POSITIONS):
        tokens = np.concatenate([nats[start:end] for nats in tokenwise])
        means.append(float(tokens.mean() / np.log(2)) if len(tokens) else 0.0)
    return means


def cross_validated(
    order: int, vocabulary: int, paragraphs: Sequence[Paragraph], texts: Sequence[Sequence[int]]
) -> list[np.ndarray]:
    """Nats of each text's tokens under n-grams counted on the other folds' articles."""
    articles = list(dict.fromkeys(p.article for p in paragraphs))
    fold_of = {article: place % FOLDS for place, article in enumerate(articles)}
    found: list[np.ndarray] = [np.zeros(0)] * len(texts)
    for fold in range(FOLDS):
        inside = [fold_of[p.article] == fold for p in paragraphs]
        model = NGrams(order, vocabulary).fit(t for t, i in zip(texts, inside) if not i)
        for row in np.flatnonzero(inside):
            found[row] = model.nats(texts[int(row)])
    return found
