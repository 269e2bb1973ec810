"""The lines on the generator's card: guidance, steps, the moment of decision, nearness."""

from typing import Any

import numpy as np
import torch

from dlportal.cards import Bilingual, Curve
from dlportal.cases.generation_asked import GUIDANCE, STEPS, Asked, drawn, variety
from dlportal.cases.generation_guidance import end_of, switched_field
from dlportal.cases.generation_training import KINDS
from dlportal.messages import N_
from dlportal.nets.flow_sampling import draw_noise
from dlportal.training import metrics

GUIDANCES, STEP_COUNTS = (0.0, 1.0, 1.5, 2.0, 3.0, 5.0), (1, 2, 3, 5, 8, 16)


def histogram(near: np.ndarray, near_real: np.ndarray, bins: int = 25) -> Curve:
    """How near the nearest training picture is: to generated and to real test pictures."""
    edges = np.linspace(0, float(np.quantile(np.concatenate([near, near_real]), 0.995)), bins + 1)
    shares = {
        name: (np.histogram(values, edges)[0] / len(values)).round(5).tolist()
        for name, values in (("generated", near), ("real_test_pictures", near_real))
    }
    return Curve(
        name=N_("How near is the nearest training picture?"),
        x_label=Bilingual(en="root mean square difference of the pixels", zh="像素差的均方根"),
        y_label=Bilingual(en="share of the pictures", zh="图片所占比例"),
        x=((edges[1:] + edges[:-1]) / 2).round(5).tolist(),
        y=shares,
    )


def by_guidance(asked: Asked) -> dict[str, Any]:
    """Agreement and variety as guidance grows."""
    rows = [of_pictures(asked, guidance, STEPS) for guidance in GUIDANCES]
    x_label = Bilingual(en="guidance", zh="引导强度")
    return {
        "curves": [trade(N_("What guidance buys, and what it costs"), x_label, GUIDANCES, rows)]
    }


def by_steps(asked: Asked) -> dict[str, Any]:
    """Agreement and variety with more steps."""
    rows = [of_pictures(asked, GUIDANCE, steps) for steps in STEP_COUNTS]
    x_label = Bilingual(en="steps", zh="步数")
    return {"curves": [trade(N_("How many steps are enough?"), x_label, STEP_COUNTS, rows)]}


def of_pictures(asked: Asked, guidance: float, steps: int) -> tuple[float, float]:
    """Agreement and variety of a few pictures."""
    made, kind = drawn(asked.net, asked.sizes.point, 0, guidance, steps, seed=6)
    agree = metrics.accuracy(kind, asked.judge(made).argmax(dim=1))
    return float(agree), float((variety(made, kind) / asked.spread).mean())


def trade(name: str, x_label: Bilingual, x: Any, rows: list[tuple[float, float]]) -> Curve:
    agreement, spread = zip(*rows, strict=True)
    return Curve(
        name=name,
        x_label=x_label,
        y_label=Bilingual(en="share (variety: 1 is the data's)", zh="比例（多样性：1 为真实数据）"),
        x=[float(value) for value in x],
        y={
            "class_agreement": [round(value, 4) for value in agreement],
            "variety": [round(value, 4) for value in spread],
        },
    )


def by_switch(asked: Asked) -> dict[str, Any]:
    """Ask for another kind on the way: until when does the picture still become that kind?"""
    n = asked.sizes.switched
    first = torch.arange(n) % KINDS
    then = (first + 1 + torch.arange(n) // KINDS % (KINDS - 1)) % KINDS
    times = [step / STEPS for step in range(STEPS + 1)]
    rows: dict[str, list[float]] = {"first_kind": [], "second_kind": []}
    for at in times:
        field = switched_field(asked.net, first, then, at, GUIDANCE)
        said = asked.judge(end_of(field, draw_noise(n, 7), STEPS)).argmax(dim=1)
        rows["first_kind"].append(round(float(metrics.accuracy(first, said)), 4))
        rows["second_kind"].append(round(float(metrics.accuracy(then, said)), 4))
    return {
        "curves": [
            Curve(
                name=N_("When is it decided what the picture becomes?"),
                x_label=Bilingual(
                    en="time at which another kind is asked for (0 noise, 1 picture)",
                    zh="改要另一类的时刻（0 为噪声，1 为图片）",
                ),
                y_label=Bilingual(en="share read as this kind", zh="被认作该类的比例"),
                x=times,
                y=rows,
            )
        ]
    }
