"""What a measurement ran on."""

import os
import platform
from typing import Any

import psutil

PACKAGES = ("streamlit", "transformers", "captum", "onnxruntime", "faster-whisper", "plotly")
SETTINGS = ("OMP_NUM_THREADS", "OMP_WAIT_POLICY", "GOMP_SPINCOUNT", "DLPORTAL_MEMORY_MB")


def machine() -> dict[str, Any]:
    """Processor, cores, memory, and how busy others keep it; a busy machine spoils times."""
    from dlportal.training.receipts import describe_device

    return {
        "device": describe_device(),
        "cores": len(os.sched_getaffinity(0))
        if hasattr(os, "sched_getaffinity")
        else os.cpu_count(),
        "memory_mb": round(psutil.virtual_memory().total / 1e6),
        "system": platform.platform(),
        "load_average": [round(load, 1) for load in psutil.getloadavg()],
        "settings": {name: os.environ[name] for name in SETTINGS if name in os.environ},
    }


def software() -> dict[str, str]:
    """Versions of what was measured."""
    from dlportal.training.receipts import versions

    return versions(*PACKAGES)
