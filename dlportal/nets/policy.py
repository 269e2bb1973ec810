"""The policy of a Stable-Baselines3 agent as a plain torch module.

The library's own zip files run pickled code when they are opened, so the portal keeps tensors
only and rebuilds the network around them. What the library normalises outside of the network
(`VecNormalize`) is part of this module: states go in as the environment gives them.

PPO: Schulman et al. 2017, https://arxiv.org/abs/1707.06347
Library: Raffin et al. 2021, https://jmlr.org/papers/v22/20-1364.html
"""

from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn

CLIP = 10.0  # normalised states are cut off here, as the library does
EPSILON = 1e-8


@dataclass(frozen=True)
class PolicyShape:
    """What a policy network looks like.

    Attributes:
        states: Numbers in a state.
        actions: Discrete actions.
        hidden: Widths of the hidden layers.
    """

    states: int
    actions: int
    hidden: tuple[int, ...]


class Policy(nn.Module):
    """State in, one number for each action out; frozen statistics included.

    `typical` is the mean state of the agent's own episodes: what explanations and masking put
    in place of an input that is hidden.
    """

    mean: Tensor
    std: Tensor
    typical: Tensor

    def __init__(self, shape: PolicyShape) -> None:
        super().__init__()
        self.shape = shape
        self.actor = perceptron((shape.states, *shape.hidden, shape.actions))
        self.critic = perceptron((shape.states, *shape.hidden, 1))
        self.register_buffer("mean", torch.zeros(shape.states))
        self.register_buffer("std", torch.ones(shape.states))
        self.register_buffer("typical", torch.zeros(shape.states))

    def normalise(self, x: Tensor) -> Tensor:
        return ((x - self.mean) / self.std).clamp(-CLIP, CLIP)

    def forward(self, x: Tensor) -> Tensor:
        """Score the actions.

        Args:
            x: States as the environment gives them, shape (B, S).

        Returns:
            Preferences, shape (B, A), with mean 0 over the actions: a shift common to all of them
            changes no decision, so it is taken out and no explanation can pick it up.
        """
        y = self.actor(self.normalise(x))
        return y - y.mean(dim=-1, keepdim=True)

    def value(self, x: Tensor) -> Tensor:
        """The discounted return the agent expects from states (B, S) on; shape (B,)."""
        return self.critic(self.normalise(x)).squeeze(-1)

    def act(self, x: Tensor) -> Tensor:
        """The action without exploring: index of the preferred one, shape (B,)."""
        return self(x).argmax(dim=-1)


def perceptron(widths: tuple[int, ...]) -> nn.Sequential:
    """Linear layers of these widths with tanh between them."""
    layers: list[nn.Module] = []
    for wide, narrow in pairwise(widths):
        layers += [nn.Linear(wide, narrow), nn.Tanh()]
    return nn.Sequential(*layers[:-1])


def from_library(
    shape: PolicyShape,
    tensors: dict[str, Tensor],
    statistics: tuple[Tensor, Tensor] | None = None,
    reward_scale: float = 1.0,
) -> Policy:
    """Rebuild a policy from the state dict of the library's `MlpPolicy`.

    Args:
        shape: What the network looks like.
        tensors: `model.policy.state_dict()` of PPO or A2C.
        statistics: Mean and variance of `VecNormalize`, each (S,), where it was used.
        reward_scale: What `VecNormalize` divided rewards by; the critic is scaled back, so that
            values are in the environment's own units.

    Raises:
        RuntimeError: A tensor is missing or has another shape.
    """
    policy = Policy(shape)
    last = 2 * len(shape.hidden)  # index of the output layer in a Sequential
    names = {
        "actor": ("mlp_extractor.policy_net", "action_net"),
        "critic": ("mlp_extractor.value_net", "value_net"),
    }
    renamed = {"typical": policy.typical, "mean": policy.mean, "std": policy.std}
    for ours, (body, output) in names.items():
        for kind in ("weight", "bias"):
            for layer in range(0, last, 2):
                renamed[f"{ours}.{layer}.{kind}"] = tensors[f"{body}.{layer}.{kind}"]
            renamed[f"{ours}.{last}.{kind}"] = tensors[f"{output}.{kind}"]
    if statistics is not None:
        mean, variance = statistics
        renamed["mean"] = mean.float()
        renamed["std"] = torch.sqrt(variance + EPSILON).float()
    policy.load_state_dict(renamed)
    with torch.no_grad():
        for tensor in policy.critic[last].parameters():
            tensor.mul_(reward_scale)
    return policy.eval()
