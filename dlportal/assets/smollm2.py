"""SmolLM2-135M-Instruct, unpacked once from its 4-bit file to a folder transformers can load.

Model: Allal et al. 2025, https://arxiv.org/abs/2502.02737
The 4-bit file is small on the way, but reading it takes long and needs 1.6 GB for a while. So
it is read once, in a process of its own, and kept as bf16 safetensors (270 MB).
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from dlportal.assets.asset import AssetError, Progress
from dlportal.assets.cache import cache_dir, disk_full, explained, locked
from dlportal.assets.fetching import fetch
from dlportal.assets.gguf import DONE
from dlportal.messages import N_

NAME = "smollm2-135m-instruct"
UNPACKED = 275_000_000  # bytes that the folder needs
PATIENCE = 600  # seconds


def smollm2_dir(progress: Progress | None = None) -> Path:
    """A folder with the model (bf16) and its tokenizer, for `from_pretrained`.

    Args:
        progress: Called with bytes done and bytes in all while the 4-bit file is downloaded.

    Raises:
        AssetError: It can be neither found nor fetched, or not unpacked.
    """
    folder = cache_dir() / "assets" / f"{NAME}-bf16"
    if is_unpacked():
        return folder
    source = fetch(NAME, progress)
    with locked(folder.parent / f"{NAME}-unpacking"):
        if not is_unpacked():
            with explained(folder.parent, UNPACKED):
                _unpack(source, folder)
    return folder


def is_unpacked() -> bool:
    """Whether the folder is ready."""
    return (cache_dir() / "assets" / f"{NAME}-bf16" / DONE).is_file()


def _unpack(source: Path, folder: Path) -> None:
    """Convert beside the final place, in another process, then rename in one step."""
    if shutil.disk_usage(folder.parent).free < UNPACKED:
        raise disk_full(folder.parent, UNPACKED)
    part = folder.with_name(f".{folder.name}.partial")
    shutil.rmtree(part, ignore_errors=True)
    shutil.rmtree(folder, ignore_errors=True)  # without its last file it is of no use
    command = [sys.executable, "-m", "dlportal.assets.gguf", str(source), str(part)]
    root = Path(__file__).parents[2]
    paths = [str(root), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = os.environ | {"HF_HUB_OFFLINE": "1", "PYTHONPATH": os.pathsep.join(paths)}
    try:
        subprocess.run(command, env=environment, check=True, capture_output=True, timeout=PATIENCE)
        os.replace(part, folder)
    except (subprocess.SubprocessError, OSError) as error:
        shutil.rmtree(part, ignore_errors=True)
        raise AssetError(
            N_(
                "SmolLM2 could not be unpacked ({reason}); it needs 1.7 GB of free memory and "
                "0.3 GB of disk for half a minute, so close other programs and try again."
            ),
            reason=_reason(error),
        ) from error


def _reason(error: Exception) -> str:
    """Why the other process failed, in a few words."""
    if isinstance(error, subprocess.TimeoutExpired):
        return f"not done after {PATIENCE} s"
    if isinstance(error, subprocess.CalledProcessError):
        if error.returncode < 0:
            return f"ended by signal {-error.returncode}"
        lines = error.stderr.decode("utf-8", "replace").strip().splitlines()
        return lines[-1][:200] if lines else f"exit code {error.returncode}"
    return str(error)
