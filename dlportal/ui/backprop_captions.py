"""What stands in, below and behind the units of the drawn network, phase by phase."""

from dataclasses import dataclass

from dlportal.labs.backprop_net import ACTIVATIONS, Pass
from dlportal.labs.backprop_paths import Weight, gradient_of, value_of
from dlportal.ui.backprop_numbers import brief, sub
from dlportal.ui.language import _


@dataclass(frozen=True)
class Look:
    """What the picture shows.

    Attributes:
        phase: Of the step, from 0: forward layer by layer, the loss, back layer by layer, update.
        view: "values", "gradients" or "paths".
        weight: The chosen one; "paths" shows how it reaches the outputs.
        activation: The bend's name, for its slopes.
    """

    phase: int
    view: str
    weight: Weight
    activation: str

    def forward_known(self, layer: int) -> bool:
        """Whether the forward pass has reached a layer (0: the inputs)."""
        return self.view != "values" or self.phase >= layer - 1

    def backward_known(self, layer: int, layers: int) -> bool:
        """Whether the backward pass has reached a layer with weights (from 1)."""
        return self.view == "paths" or self.phase >= 2 * layers - layer

    def active_layer(self, layers: int) -> int | None:
        """The layer that this phase works on, None in the update."""
        if self.phase < layers:
            return self.phase + 1
        return 2 * layers - self.phase or None


def unit_text(step: Pass, look: Look, layer: int, unit: int) -> tuple[str, str]:
    """What stands in a unit and below it; empty while it is not known yet."""
    at, last = unit - 1, layer == step.layers
    h = brief(step.h[layer][at])
    if look.view == "paths":
        return path_text(step, look, layer, unit)
    if layer == 0:
        return h, sub("x", unit)
    if look.view == "values":
        if not look.forward_known(layer):
            return "", ""
        return h, f"{sub('z', unit)} {brief(step.z[layer - 1][at])}"
    if not look.backward_known(layer, step.layers):
        return "", ""
    below = "" if last else f"∂{sub('h', unit)} {brief(step.dh[layer][at])}"
    return brief(step.dz[layer - 1][at]), below


def path_text(step: Pass, look: Look, layer: int, unit: int) -> tuple[str, str]:
    """A unit's factor in the paths of the chosen weight; empty beside the paths."""
    chosen, at = look.weight, unit - 1
    if layer == chosen.layer - 1 and unit == chosen.source:
        return brief(step.h[layer][at]), sub("h" if layer else "x", unit)
    if layer < chosen.layer or (layer == chosen.layer and unit != chosen.to):
        return "", ""
    if layer == step.layers:
        return brief(step.dz[-1][at]), sub("δ", unit)
    slope = ACTIVATIONS[look.activation].slope(step.z[layer - 1])[at]
    return brief(float(slope)), f"σ′({sub('z', unit)})"


def unit_hover(step: Pass, layer: int, unit: int) -> str:
    at = unit - 1
    if layer == 0:
        return f"{sub('x', unit)} = {step.h[0][at]:.4g}".replace("-", "−")
    rows = [f"z = {step.z[layer - 1][at]:.4g}", f"h = {step.h[layer][at]:.4g}"]
    rows += [f"b = {step.b[layer - 1][at]:.4g}", f"∂L/∂z = {step.dz[layer - 1][at]:.4g}"]
    if layer < step.layers:
        rows.append(f"∂L/∂h = {step.dh[layer][at]:.4g}")
    return "<br>".join(rows).replace("-", "−")


def weight_hover(step: Pass, w: Weight) -> str:
    name = _("layer {layer}: from unit {source} to unit {to}")
    numbers = f"<br>w = {value_of(step, w):.4g}<br>∂L/∂w = {gradient_of(step, w):.4g}"
    return name.format(layer=w.layer, to=w.to, source=w.source) + numbers.replace("-", "−")
