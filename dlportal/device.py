"""Where networks run: cuda, then mps, then the CPU; `DLPORTAL_DEVICE` overrides."""

import os
from functools import cache

import torch

# As torch was started (`OMP_NUM_THREADS`, else the cores), before anything changes it for a while.
THREADS = torch.get_num_threads()


@cache
def pick_device() -> torch.device:
    """Return the device every network of this process runs on.

    Raises:
        ValueError: `DLPORTAL_DEVICE` names a device that this machine lacks.
    """
    wanted = os.environ.get("DLPORTAL_DEVICE", "").strip()
    available = {"cpu": True}
    available["cuda"] = torch.cuda.is_available()
    available["mps"] = torch.backends.mps.is_available()
    if wanted:
        if not available.get(wanted.split(":")[0], False):
            usable = ", ".join(name for name, here in available.items() if here)
            raise ValueError(f"DLPORTAL_DEVICE={wanted} is not here; usable: {usable}")
        return torch.device(wanted)
    return torch.device(next(name for name in ("cuda", "mps", "cpu") if available[name]))


@cache
def has_fast_bf16() -> bool:
    """Whether bf16 autocast is faster than float32 here (AMX or AVX512-BF16, or a recent GPU)."""
    device = pick_device()
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported()
    if device.type == "cpu":
        capability = torch.cpu.get_capabilities()
        return bool(capability.get("avx512_bf16") or capability.get("amx_bf16"))
    return False


def autocast(enabled: bool = True) -> torch.autocast:
    """bf16 autocast where the processor gains from it, else a no-op context."""
    return torch.autocast(
        pick_device().type, dtype=torch.bfloat16, enabled=enabled and has_fast_bf16()
    )
