"""What a policy would do and expect in states that differ in two quantities."""

from dataclasses import dataclass

import numpy as np
import torch

from dlportal.kinds.world import Axis
from dlportal.nets.policy import Policy

SIDE = 61  # points along each axis


@dataclass(frozen=True)
class PolicyMap:
    """A policy on a grid.

    Attributes:
        x: Places along the first axis, shape (SIDE,).
        y: Places along the second axis, shape (SIDE,).
        actions: Index of the preferred action, shape (SIDE, SIDE), rows along y.
        values: Discounted return it expects, shape (SIDE, SIDE).
    """

    x: np.ndarray
    y: np.ndarray
    actions: np.ndarray
    values: np.ndarray


def map_policy(policy: Policy, state: np.ndarray, across: Axis, up: Axis) -> PolicyMap:
    """Ask a policy on a grid around a state.

    Args:
        policy: The agent.
        state: What stays as it is, shape (S,).
        across: What varies from left to right.
        up: What varies from bottom to top.
    """
    x = np.linspace(across.low, across.high, SIDE)
    y = np.linspace(up.low, up.high, SIDE)
    grid = np.tile(np.asarray(state, dtype=np.float32), (SIDE, SIDE, 1))
    put(grid, up, y[:, None])
    put(grid, across, x[None, :])
    states = torch.from_numpy(grid)
    with torch.inference_mode():
        actions, values = policy.act(states), policy.value(states)
    return PolicyMap(x, y, actions.numpy(), values.numpy())


def put(states: np.ndarray, axis: Axis, value: np.ndarray) -> None:
    """Set a quantity in states (..., S), in place."""
    if len(axis.places) == 1:
        states[..., axis.places[0]] = value
    else:
        cosine, sine = axis.places
        states[..., cosine], states[..., sine] = np.cos(value), np.sin(value)


def read(states: np.ndarray, axis: Axis) -> np.ndarray:
    """A quantity of states (..., S)."""
    if len(axis.places) == 1:
        return states[..., axis.places[0]]
    cosine, sine = axis.places
    return np.arctan2(states[..., sine], states[..., cosine])
