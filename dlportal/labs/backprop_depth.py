"""Vanishing and exploding gradients: how much of the gradient reaches each layer.

Glorot and Bengio 2010, https://proceedings.mlr.press/v9/glorot10a.html
He et al. 2015, https://arxiv.org/abs/1502.01852
"""

from dataclasses import dataclass

import numpy as np
import torch

from dlportal.labs.backprop_data import DATA, INPUTS, OUTPUTS, POINTS, one_hot
from dlportal.labs.backprop_net import loss_of, mlp, start

ACTIVATIONS = ("sigmoid", "tanh", "relu", "leaky_relu")
INITS = ("small", "xavier", "he", "large")
FADED, BLOWN_UP = 1e-5, 1e3  # norms below and above which a layer cannot learn


@dataclass(frozen=True)
class Depths:
    """Gradient norms of fresh networks: by (activation, init), shape (layers,), first first."""

    norms: dict[tuple[str, str], np.ndarray]

    def verdict(self, key: tuple[str, str]) -> str:
        """What reaches the first layers: "vanishes", "explodes" or "arrives"."""
        norms = self.norms[key]
        if norms.max() > BLOWN_UP:
            return "explodes"
        return "vanishes" if norms.min() < FADED else "arrives"


def gradient_norms(
    activation: str, init: str, depth: int, width: int, data: str, loss: str, seed: int
) -> np.ndarray:
    """Norm of ∂loss/∂W for each of `depth` hidden layers of a fresh net, shape (depth,).

    The loss is the mean over all examples of the data set.
    """
    x, label = DATA[data](POINTS, 0.1, seed)
    net = mlp([INPUTS[data], *[width] * depth, OUTPUTS[data]], activation)
    start(net, init, seed)
    loss_of(loss, net(x), one_hot(label, OUTPUTS[data])).backward()
    grads = [layer.weight.grad for layer in net if isinstance(layer, torch.nn.Linear)]
    return np.array([g.norm().item() for g in grads[:-1] if g is not None])


def all_depths(depth: int, width: int, data: str, loss: str, seed: int) -> Depths:
    """The experiment for every activation and initialisation."""
    return Depths(
        {
            (activation, init): gradient_norms(activation, init, depth, width, data, loss, seed)
            for activation in ACTIVATIONS
            for init in INITS
        }
    )
