"""What `predict` adds to the bare forward pass, and methods beside their usual implementations.

Both sides of a comparison take turns in one process, so that whatever else the machine does hits
both alike; medians are compared.
"""

import statistics
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch

from dlportal.assets import AssetError
from dlportal.bench.row import Row, bounded, compared, skipped
from dlportal.cards import case_ids
from dlportal.case import Case, case_class
from dlportal.commands.predict import TEXTS, answer_all
from dlportal.kinds.text import TextCase
from dlportal.results import to_json
from dlportal.serving import get_case

SUITE = "predict"
SHARE, MILLISECONDS = 0.10, 5.0  # what predict may add: either is enough
SECONDS, MOST, LEAST = 8.0, 200, 10  # for one case: time, rounds at most and at least
STEPS, GAP = 50, 1e-3  # of integrated gradients: Captum's default; largest difference allowed
IG_ROUNDS = 5
STREAM_ROUNDS, STREAM_BAR = 5, 0.8
MAPS_BAR = 2.0  # times the bare forward pass of a detector
SPEECH_ROUNDS, SPEECH_BAR = 5, 0.1
PICTURES_ROUNDS, PICTURES_BAR = 5, 3.0
LINES, LINES_ROUNDS, LINES_BAR = 256, 5, 0.7


def measure() -> Iterator[Row]:
    """All rows of this suite."""
    for case_id in case_ids():
        if not issubclass(case_class(case_id), Case):
            continue
        try:
            case = get_case(case_id)
        except (AssetError, OSError) as error:
            yield skipped(SUITE, case_id, str(error))
            continue
        if not case.one_pass:
            yield skipped(SUITE, case_id, "it writes token by token: one pass is no yardstick")
            continue
        yield overhead(case)
        if isinstance(case, TextCase) and case.batches:
            yield lines_of_text(case)
        if case_id == "imagenet_classification":
            yield from beside_captum(case)
        if case_id == "object_detection":
            yield beside_bare_maps(case)
        if case_id == "text_generation":
            yield beside_generate(case)
        if case_id == "speech_synthesis":
            yield real_time_factor(case)
        if case_id == "image_generation":
            yield sixteen_pictures(case)


def taking_turns(
    functions: list[Callable[[], Any]], seconds: float, most: int, least: int
) -> list[list[float]]:
    """Seconds of each call; every round calls all, the first one changing."""
    for function in functions:
        function()  # caches, kernels chosen at the first call
    times: list[list[float]] = [[] for _ in functions]
    end = time.perf_counter() + seconds
    for number in range(most):
        if number >= least and time.perf_counter() > end:
            break
        order = range(len(functions))
        for index in order if number % 2 else reversed(order):
            started = time.perf_counter()
            functions[index]()
            times[index].append(time.perf_counter() - started)
    return times


def overhead(case: Any) -> Row:
    """`predict` beside the bare network on the same input."""
    raw = case.examples()[0].load()
    first = case.predict(raw)
    steps = len(first.tokens) if hasattr(case, "stream") else 0
    whole, bare = taking_turns(
        [lambda: case.predict(raw), lambda: forward(case, raw, steps)], SECONDS, MOST, LEAST
    )
    a, b = statistics.median(whole), statistics.median(bare)
    added = 1000 * (a - b)
    return Row(
        SUITE,
        f"{case.card.id}, predict",
        1000 * a,
        "ms",
        "encode and the bare network",
        1000 * b,
        a / b,
        f"adds at most {SHARE:.0%} or {MILLISECONDS:g} ms",
        added <= max(MILLISECONDS, 1000 * b * SHARE),
        f"adds {added:.2f} ms; medians of {len(whole)} calls each, taking turns",
    )


@torch.inference_mode()
def forward(case: Any, raw: Any, steps: int = 0) -> None:
    """Encode and run the network, nothing else; a generator takes bare steps."""
    if hasattr(case, "path"):  # from noise to pictures: the network runs twice a step
        case.path(raw)
        return
    x = case.encode(raw).to(case.device)
    if not steps:
        case.net(x)
        return
    cache = case.net.cache(x.shape[1] + steps)
    for _step in range(steps):
        x = case.net.step(x, cache).argmax().view(1, 1)


def lines_of_text(case: Any) -> Row:
    """`predict --lines` beside the bare network on the same texts, tokenised and sorted by length."""
    examples = [example.load() for example in case.examples()]
    # Of different lengths, in no order: the examples one after another, each cut somewhere.
    words = [examples[i % len(examples)].split() for i in range(LINES)]
    given = [" ".join(row[: max(3, len(row) - i % 5)]) for i, row in enumerate(words)]
    encoded = sorted((case.encode(text) for text in given), key=lambda ids: ids.shape[1])

    @torch.inference_mode()
    def bare() -> None:
        for start in range(0, LINES, TEXTS):
            case.net(case.collate(encoded[start : start + TEXTS]).to(case.device))

    def whole() -> None:
        for _text, result in answer_all(case, given):
            to_json(result)

    times = taking_turns([whole, bare], 0.0, LINES_ROUNDS, LINES_ROUNDS)
    rates = [[LINES / seconds for seconds in part] for part in times]
    return compared(
        SUITE,
        f"{case.card.id}, predict --lines",
        rates[0],
        "texts/s",
        "bare network, batches sorted by length",
        rates[1],
        "at least",
        LINES_BAR,
        f"{LINES} texts, batches of {TEXTS}, median of {LINES_ROUNDS} rounds, taking turns",
    )


def beside_bare_maps(case: Any) -> Row:
    """From a picture of the network's own size to boxes, beside the convolutions alone."""
    wide, high = case.canvas
    raw = case.examples()[0].load().resize((wide, high))
    x = case.encode(raw).to(case.device)

    @torch.inference_mode()
    def bare() -> None:
        case.net.maps(x)

    times = taking_turns([lambda: case.predict(raw), bare], SECONDS, MOST, LEAST)
    return compared(
        SUITE,
        f"{case.card.id}, picture to boxes at {wide}×{high}",
        [1000 * t for t in times[0]],
        "ms",
        "the bare forward pass",
        [1000 * t for t in times[1]],
        "at most",
        MAPS_BAR,
        f"medians of {len(times[0])} calls each, taking turns",
    )


def beside_captum(case: Any) -> Iterator[Row]:
    """Integrated gradients beside Captum's call with its defaults."""
    from captum.attr import IntegratedGradients

    from dlportal.explain import get_explainer

    raw = case.examples()[0].load()
    target = case.targets(raw)[0]
    view = case.differentiable(raw)
    ours, captum = get_explainer("integrated_gradients"), IntegratedGradients(case.net)

    def own() -> np.ndarray:
        return ours.explain(case, raw, target, steps=STEPS).values

    def theirs() -> np.ndarray:
        found = captum.attribute(view.x, view.baseline, target=target, n_steps=STEPS)
        return view.reduce(found.detach())

    a, b = own(), theirs()
    times = taking_turns([own, theirs], 0.0, IG_ROUNDS, IG_ROUNDS)
    how = f"{STEPS} steps, {case.card.id}, median of {IG_ROUNDS}, taking turns"
    yield compared(
        SUITE,
        "integrated gradients",
        times[0],
        "s",
        "captum.attr.IntegratedGradients, default call",
        times[1],
        "at most",
        1.0,
        how,
    )
    yield bounded(
        SUITE,
        "integrated gradients, largest difference from Captum's",
        float(np.abs(a - b).max() / np.abs(b).max()),
        "",
        "at most",
        GAP,
        "relative to the map's largest value",
    )


def beside_generate(case: Any) -> Row:
    """Streamed tokens per second beside a bare `generate()` of transformers."""
    from transformers import AutoModelForCausalLM

    text = case.example("story")
    weights = next(case.net.parameters())
    bare = AutoModelForCausalLM.from_pretrained(case.folder, dtype=weights.dtype)
    bare = bare.to(case.device).eval()
    ids = case.encode(text).to(case.device)
    knobs = {"temperature": 0.7, "top_k": 50, "top_p": 0.9}

    def streamed(seed: int) -> float:
        started = time.perf_counter()
        tokens = sum(1 for _token in case.stream(text, length=80, seed=seed, **knobs))
        return tokens / (time.perf_counter() - started)

    @torch.inference_mode()
    def generated(seed: int) -> float:
        torch.manual_seed(seed)
        started = time.perf_counter()
        out = bare.generate(ids, do_sample=True, max_new_tokens=80, pad_token_id=0, **knobs)
        return (out.shape[1] - ids.shape[1]) / (time.perf_counter() - started)

    streamed(0), generated(0)
    pairs = [(streamed(seed), generated(seed)) for seed in range(1, STREAM_ROUNDS + 1)]
    return compared(
        SUITE,
        f"{case.card.id}, streamed",
        [pair[0] for pair in pairs],
        "tokens/s",
        "bare generate(), same settings",
        [pair[1] for pair in pairs],
        "at least",
        STREAM_BAR,
        f"{knobs}, 80 tokens at most, {weights.dtype}, {STREAM_ROUNDS} seeds, taking turns",
    )


def sixteen_pictures(case: Any) -> Row:
    """Seconds for the sixteen pictures that the page shows at first."""
    times = []
    for example in case.examples()[:PICTURES_ROUNDS]:
        raw = example.load()
        started = time.perf_counter()
        count = len(case.predict(raw).pixels)
        times.append((time.perf_counter() - started) * 16 / count)
    return bounded(
        SUITE,
        f"{case.card.id}, 16 pictures",
        statistics.median(times),
        "s",
        "at most",
        PICTURES_BAR,
        f"median of {len(times)} examples, {raw.steps} steps with guidance",
    )


def real_time_factor(case: Any) -> Row:
    """Seconds of computing for a second of speech."""
    factors = []
    for example in case.examples()[:SPEECH_ROUNDS]:
        raw = example.load()
        case.predict(raw)
        started = time.perf_counter()
        spoken = case.predict(raw)
        seconds = time.perf_counter() - started
        factors.append(seconds * spoken.rate / len(spoken.samples))
    return bounded(
        SUITE,
        f"{case.card.id}, real-time factor",
        statistics.median(factors),
        "",
        "at most",
        SPEECH_BAR,
        f"median of {len(factors)} examples",
    )
