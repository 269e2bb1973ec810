"""Weights on disk: safetensors only, float16 by default, written atomically."""

import hashlib
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor, nn


def without_aliases(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Keep one name of tensors that share memory (tied weights)."""
    seen: set[tuple[int, tuple[int, ...], tuple[int, ...]]] = set()
    kept = {}
    for name, tensor in state.items():
        place = (tensor.data_ptr(), tuple(tensor.shape), tuple(tensor.stride()))
        if tensor.numel() and place in seen:
            continue
        seen.add(place)
        kept[name] = tensor
    return kept


def to_half(tensor: Tensor) -> Tensor:
    """float16 where that loses no magnitude, else the tensor as it is."""
    if not tensor.is_floating_point() or tensor.dtype == torch.float16:
        return tensor
    half = tensor.half()
    return half if torch.isfinite(half).all() or not torch.isfinite(tensor).all() else tensor


def save_weights(
    net_or_state: nn.Module | Mapping[str, Tensor], path: Path, half: bool = True
) -> None:
    """Write a network's tensors as safetensors.

    Args:
        net_or_state: A network, or its state dict (or a part of it).
        path: The file; it is replaced at once or not at all.
        half: Store floats as float16; half the size, and the nets here lose nothing visible.
    """
    state = net_or_state.state_dict() if isinstance(net_or_state, nn.Module) else net_or_state
    tensors = {
        name: (to_half(tensor.detach()) if half else tensor.detach()).contiguous().cpu().clone()
        for name, tensor in without_aliases(state).items()
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".partial")
    save_file(tensors, partial)
    partial.replace(path)


def load_weights(net: nn.Module, path: Path, strict: bool = True) -> nn.Module:
    """Fill a network from a safetensors file; float16 becomes the network's own dtype.

    Args:
        net: The network, changed in place.
        path: A file written by `save_weights`.
        strict: Whether every tensor of the network must be in the file. `False` is for files
            that hold only what differs from a pretrained body.

    Returns:
        The same network.

    Raises:
        ValueError: A tensor is missing, unknown, or has another shape.
    """
    state = load_file(path)
    own = net.state_dict()
    kept = without_aliases(own)
    missing = [name for name in kept if name not in state]
    unknown = [name for name in state if name not in own]
    if unknown or (strict and missing):
        raise ValueError(f"{path.name} does not fit: missing {missing[:5]}, unknown {unknown[:5]}")
    with torch.no_grad():
        for name, tensor in state.items():
            if own[name].shape != tensor.shape:
                raise ValueError(
                    f"{path.name}: {name} is {tuple(tensor.shape)}, not {tuple(own[name].shape)}"
                )
            own[name].copy_(tensor)
    return net


def saved_shapes(path: Path) -> dict[str, tuple[int, ...]]:
    """Names and shapes of the tensors in a safetensors file; reads its head alone."""
    with safe_open(path, framework="pt") as file:
        names = file.keys()
        return {name: tuple(file.get_slice(name).get_shape()) for name in names}


def file_sha256(path: Path) -> str:
    """SHA-256 of a file, as hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
