"""A phase of a training step in words and formulas, with this step's numbers beside them."""

from collections.abc import Callable

import numpy as np
import streamlit as st

from dlportal.labs.backprop_formulas import (
    Sum,
    backward_sum,
    delta,
    forward_sum,
    loss_by_hand,
    output_gradient,
    slope,
)
from dlportal.labs.backprop_net import ACTIVATIONS, Pass
from dlportal.labs.backprop_paths import Path, Weight, gradient_of, paths_of, value_of
from dlportal.messages import N_
from dlportal.ui.backprop_captions import Look
from dlportal.ui.backprop_numbers import alike, closed, num, product, source_symbol, symbol
from dlportal.ui.language import _
from dlportal.ui.words import note

MOST_TERMS = 8  # of a sum that is written out
MOST_PATHS = 6
MOST_UNITS = 4  # of a layer that are all written out
SIGMA = {
    "tanh": r"\tanh",
    "sigmoid": r"\sigma",
    "relu": r"\mathrm{ReLU}",
    "leaky_relu": r"\mathrm{LeakyReLU}",
    "linear": "",
}
PHASE_WORDS = {
    "forward": N_(
        "Each unit multiplies what it gets by its weights, adds its bias: that is z. Then σ bends z into h, which goes on to the next layer."
    ),
    "answer": N_("One last sum, squashed into a probability: the network's answer p."),
    "loss": N_(
        "The loss L says how wrong the answer is. Its slope at the output, δ, says which way to move: this starts the way back."
    ),
    "back": N_(
        "A unit's share of the blame is the δ behind it, carried back through the weights between, times the slope of its own bend. This is the chain rule."
    ),
    "update": N_(
        "Every weight moves a little against its gradient; η says how far. Then the next example comes in."
    ),
}


def phase_kind(phase: int, layers: int) -> str:
    """ "forward", "answer", "loss", "back" or "update"."""
    if phase < layers - 1:
        return "forward"
    if phase == layers - 1:
        return "answer"
    if phase == layers:
        return "loss"
    return "update" if phase == 2 * layers else "back"


def phase_name(phase: int, layers: int) -> str:
    """Short name of a phase, for the switch."""
    kind = phase_kind(phase, layers)
    if kind == "forward":
        return _("Forward {n}").format(n=phase + 1)
    if kind == "back":
        return _("Back {n}").format(n=2 * layers - phase)
    return {"answer": _("Answer"), "loss": _("Loss"), "update": _("Update")}[kind]


def products(total: Sum, decimals: int = 3) -> str:
    """A sum written out; of long ones the strongest terms, the rest in one number."""
    order = np.argsort(-np.abs(total.products))
    shown = sorted(order[:MOST_TERMS]) if len(order) > MOST_TERMS else range(len(order))
    parts = [
        rf"{{{closed(a, decimals)}\cdot{closed(b, decimals)}}}"
        for a, b in total.factors[list(shown)]
    ]
    rest = [i for i in range(len(order)) if i not in set(shown)]
    if rest:
        text = _("{n} smaller").format(n=len(rest))
        value = closed(float(total.products[rest].sum()), decimals)
        parts.append(rf"\underset{{\text{{{text}}}}}{{{value}}}")
    return " + ".join(parts)


def explain_phase(step: Pass, look: Look, rate: float, loss: str) -> None:
    """One sentence, the formula, and the numbers of this phase."""
    kind = phase_kind(look.phase, step.layers)
    st.markdown(_(PHASE_WORDS[kind]))
    if kind in ("forward", "answer"):
        forward(step, look.phase + 1, look.activation, loss, look.weight)
    elif kind == "loss":
        output(step, look, loss)
    elif kind == "back":
        backward(step, 2 * step.layers - look.phase, look)
    else:
        update(step, look.weight, rate)


def forward(step: Pass, layer: int, activation: str, loss: str, chosen: Weight) -> None:
    """h = σ(W h + b), unit by unit."""
    last = layer == step.layers
    before = "x" if layer == 1 else f"h^{{({layer - 1})}}"
    name = "p" if last else f"h^{{({layer})}}"
    bend = answer_bend(step, loss) if last else SIGMA[activation]
    st.markdown(rf"$${name} = {bend}\,(W^{{({layer})}} {before} + b^{{({layer})}})$$")
    if last:
        index = "_j" if "softmax" in bend else ""
        how = r"\frac{e^{z_j}}{\sum_k e^{z_k}}" if "softmax" in bend else r"\frac{1}{1+e^{-z}}"
        st.markdown(rf"${bend}(z){index} = {how}$")
    elif activation != "linear":
        st.markdown(rf"${bend}(z) = {ACTIVATIONS[activation].formula}$")
    letter = "p" if last else "h"

    def line(unit: int) -> str:
        total = forward_sum(step, layer, unit)
        return (
            rf"$z_{{{unit}}} = {products(total)} + \underset{{b}}{{{closed(total.offset)}}}"
            rf" = \boldsymbol{{{num(float(step.z[layer - 1][unit - 1]))}}},\;\; {ending(unit)}$"
        )

    def ending(unit: int) -> str:
        h = num(float(step.h[layer][unit - 1]))
        bent = f"{bend}(z)_{{{unit}}}" if "softmax" in bend else f"{bend}(z_{{{unit}}})"
        return rf"{letter}_{{{unit}}} = {bent} = \boldsymbol{{{h}}}"

    def short(unit: int) -> str:
        return rf"$z_{{{unit}}} = {num(float(step.z[layer - 1][unit - 1]))},\;\; {ending(unit)}$"

    write_out(len(step.z[layer - 1]), chosen if chosen.layer == layer else None, line, short)


def write_out(
    count: int, chosen: Weight | None, line: Callable[[int], str], short: Callable[[int], str]
) -> None:
    """All units of a layer: each in full, or of a large layer one, and the results of the rest."""
    if count <= MOST_UNITS:
        st.markdown("\n".join(f"- {line(unit)}" for unit in range(1, count + 1)))
        return
    first = chosen.to if chosen is not None else 1
    rest = [short(unit) for unit in range(1, count + 1) if unit != first]
    st.markdown("\n".join([f"- {line(first)}", *(f"- {text}" for text in rest)]))


def answer_bend(step: Pass, loss: str) -> str:
    many = len(step.target) > 1 and loss == "cross_entropy"
    return r"\mathrm{softmax}" if many else r"\sigma"


def output(step: Pass, look: Look, loss: str) -> None:
    """The loss, its slope at the output, and the gradients of the last layer's weights."""
    p, t, many = step.h[-1], step.target, len(step.target) > 1
    value = num(loss_by_hand(step, loss))
    if loss == "mse":
        squares = " + ".join(rf"({num(a)} - {b:.0f})^2" for a, b in zip(p, t))
        st.markdown(
            r"$$L = \tfrac12 \sum_k (p_k - t_k)^2$$"
            + f"\n\n$L = \\tfrac12\\,({squares}) = \\boldsymbol{{{value}}}$"
        )
    elif many:
        right = int(t.argmax())
        st.markdown(
            rf"$$L = -\ln p_{{{right + 1}}} = -\ln {num(p[right])} = \boldsymbol{{{value}}}$$"
        )
    elif t[0] == 1:
        st.markdown(rf"$$L = -\ln p = -\ln {num(p[0])} = \boldsymbol{{{value}}}$$")
    else:
        st.markdown(rf"$$L = -\ln(1-p) = -\ln(1-{num(p[0])}) = \boldsymbol{{{value}}}$$")
    extra = r"\cdot p\,(1-p)" if loss == "mse" else ""
    st.markdown(rf"$$\delta = \frac{{\partial L}}{{\partial z}} = (p - t){extra}$$")
    lines = []
    for k, value_k in enumerate(output_gradient(step, loss)):
        tail = rf"\cdot {num(p[k])}\cdot(1 - {num(p[k])})" if loss == "mse" else ""
        lines.append(
            rf"- $\delta_{{{k + 1}}} = ({num(p[k])} - {t[k]:.0f}){tail} = \boldsymbol{{{num(value_k)}}}$"
        )
    st.markdown("\n".join(lines))
    weight_gradient(step, step.layers, look.weight)


def backward(step: Pass, layer: int, look: Look) -> None:
    """δ of a hidden layer by the chain rule, then the gradients of its weights."""
    st.markdown(
        rf"$$\delta^{{({layer})}}_i = \sigma'(z_i)\,\sum_j w^{{({layer + 1})}}_{{ji}}\,\delta^{{({layer + 1})}}_j$$"
    )
    st.markdown(rf"$$\sigma'(z) = {ACTIVATIONS[look.activation].slope_formula}$$")

    def line(unit: int) -> str:
        bend = slope(step, layer, unit, look.activation)
        total = backward_sum(step, layer, unit)
        return (
            rf"$\delta_{{{unit}}} = \underset{{\sigma'(z_{{{unit}}})}}{{{num(bend)}}}\cdot"
            rf"({products(total)}) = \boldsymbol{{{value(unit)}}}$"
        )

    def value(unit: int) -> str:
        return num(delta(step, layer, unit, look.activation))

    def short(unit: int) -> str:
        return rf"$\delta_{{{unit}}} = \boldsymbol{{{value(unit)}}}$"

    chosen = look.weight if look.weight.layer == layer else None
    write_out(len(step.z[layer - 1]), chosen, line, short)
    weight_gradient(step, layer, look.weight)


def weight_gradient(step: Pass, layer: int, chosen: Weight) -> None:
    """∂L/∂w = δ h of one weight of this layer: the chosen one if it is there."""
    weight = chosen if chosen.layer == layer else Weight(layer, 1, 1)
    d = float(step.dz[layer - 1][weight.to - 1])
    h = 1.0 if weight.source == 0 else float(step.h[layer - 1][weight.source - 1])
    st.markdown(_("With δ, each weight into this layer has its gradient, for example:"))
    st.markdown(
        rf"$\frac{{\partial L}}{{\partial {symbol(weight)}}} = \delta_{{{weight.to}}}\cdot {source_symbol(weight)}"
        rf" = {closed(d)}\cdot{closed(h)} = \boldsymbol{{{num(gradient_of(step, weight))}}}$"
    )


def update(step: Pass, chosen: Weight, rate: float) -> None:
    """w ← w - η ∂L/∂w for every weight into the chosen one's unit, and what it did."""
    st.markdown(r"$$w \leftarrow w - \eta\,\frac{\partial L}{\partial w}$$")
    at, row = chosen.layer - 1, chosen.to - 1
    lines = []
    for source in [*range(1, step.w[at].shape[1] + 1), 0]:
        weight = Weight(chosen.layer, chosen.to, source)
        new = step.new_w[at][row, source - 1] if source else step.new_b[at][row]
        if source > MOST_TERMS and source != chosen.source:
            continue
        old, gradient = value_of(step, weight), gradient_of(step, weight)
        lines.append(
            rf"- ${symbol(weight)} = {num(old, 4)} - {rate:g}\cdot{closed(gradient, 4)}"
            rf" = \boldsymbol{{{num(float(new), 4)}}}$"
        )
    st.markdown("\n".join(lines))
    st.markdown(
        _("The same example once more: its loss went from {before} to {after}.").format(
            before=f"**{step.loss:.4f}**", after=f"**{step.loss_after:.4f}**"
        )
    )


def explain_paths(step: Pass, look: Look) -> None:
    """The chosen weight's gradient as a sum over its paths to the outputs."""
    weight = look.weight
    found = paths_of(step, weight, look.activation)
    st.markdown(
        _(
            "A weight reaches the loss along every path to the output. Multiply along each path, add the paths up: that is its gradient."
        )
    )
    exact = gradient_of(step, weight)
    decimals = alike([*(path.product for path in found), exact])
    lines = [
        f"- ${factors(path, weight)} = {product(path.product, decimals)}$"
        for path in found[:MOST_PATHS]
    ]
    rest = found[MOST_PATHS:]
    if rest:
        value = product(sum(path.product for path in rest), decimals)
        lines.append("- " + _("{n} weaker paths together").format(n=len(rest)) + f" $= {value}$")
    st.markdown("\n".join(lines))
    total = sum(path.product for path in found)
    st.markdown(
        rf"$\frac{{\partial L}}{{\partial {symbol(weight)}}} = \sum = \boldsymbol{{{product(total, decimals)}}}$"
        + " · "
        + _("autograd says {value}").format(value=f"${product(exact, decimals)}$")
    )
    note(_("Shown rounded; the last digit of a sum may differ by one."))


def factors(path: Path, weight: Weight) -> str:
    """A path's factors, each with its name below."""
    names = [source_symbol(weight)]
    units = path.units
    for layer, (here, there) in enumerate(zip(units, units[1:]), weight.layer):  # noqa: RUF007
        names += [rf"\sigma'(z^{{({layer})}}_{{{here}}})", symbol(Weight(layer + 1, there, here))]
    names.append(rf"\delta_{{{units[-1]}}}")
    return r"\cdot".join(
        rf"\underset{{{name}}}{{{closed(value)}}}" for name, value in zip(names, path.factors)
    )
