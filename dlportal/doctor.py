"""`doctor`: what is installed, reachable and cached, and what to do about what is missing."""

import os
import platform
import re
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from dlportal.assets import ASSETS, BUNDLES, Asset, AssetError, Bundle, cache_dir, is_cached
from dlportal.assets.asset import HubFile, PackageMember, megabytes, short_path
from dlportal.assets.package_index import PackageIndex
from dlportal.assets.transfer import Unreachable
from dlportal.assets.web import hub_reachable
from dlportal.data import DATASETS, is_available

REQUIREMENTS = Path(__file__).parents[1] / "requirements.txt"
OLDEST_PYTHON = (3, 11)
SMALLEST_MEMORY = 2.7e9  # bytes; the host that everything must fit
SMALLEST_DISK = 1.5e9  # bytes; all assets, unpacked, and a training's checkpoints
KNOCK = 5.0  # seconds to find out whether the package index answers
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")


@dataclass(frozen=True)
class Check:
    """One thing looked at. `needed`: the portal does not work without it."""

    name: str
    ok: bool
    detail: str
    advice: str = ""
    needed: bool = True


@dataclass(frozen=True)
class Report:
    """All checks; `ok` unless something needed is missing."""

    checks: tuple[Check, ...]

    @property
    def ok(self) -> bool:
        return all(check.ok for check in self.checks if check.needed)

    def __iter__(self) -> Iterator[Check]:
        return iter(self.checks)

    def to_json(self) -> dict[str, Any]:
        """For `--json`."""
        return {"ok": self.ok, "checks": [asdict(check) for check in self.checks]}

    def to_text(self) -> str:
        """One line a check, with the advice below where there is something to do."""
        width = max(len(check.name) for check in self.checks)
        lines = []
        for check in self.checks:
            mark = "ok" if check.ok else "NO" if check.needed else "--"
            lines.append(f"{mark}  {check.name:<{width}}  {check.detail}")
            if check.advice and not check.ok:
                lines.append(f"    {'':<{width}}  {check.advice}")
        return "\n".join(lines)


def report() -> Report:
    """Look at everything; takes a few seconds, most of them for importing torch."""
    looks: tuple[Callable[[], Check], ...] = (
        python,
        packages,
        device,
        memory,
        disk,
        cache,
        package_index,
        hub,
    )
    parts: list[Asset | Bundle] = [*BUNDLES.values()]
    parts += [asset for name, asset in ASSETS.items() if "/" not in name]
    index, model_hub = [look() for look in looks[-2:]]
    checks = [look() for look in looks[:-2]] + [index, model_hub]
    checks += [asset_check(part, index.ok, model_hub.ok) for part in parts]
    return Report((*checks, data(), browser(), synthesiser()))


def python() -> Check:
    """The Python that runs this."""
    return Check(
        "python",
        sys.version_info >= OLDEST_PYTHON,
        f"{platform.python_version()}, {platform.system()} {platform.machine()}",
        f"Install Python {'.'.join(map(str, OLDEST_PYTHON))} or newer.",
    )


def packages() -> Check:
    """Whether what `requirements.txt` pins is installed, in the pinned versions."""
    if not REQUIREMENTS.exists():
        return Check("packages", True, "requirements.txt is not here; not compared", needed=False)
    pins = re.findall(r"(?m)^([\w.-]+)(?:\[.*?\])?==([^\s;#]+)", REQUIREMENTS.read_text("utf-8"))
    missing, other = [], []
    for name, pin in pins:
        try:
            if (found := version(name).partition("+")[0]) != pin:
                other.append(f"{name} {found} (pinned {pin})")
        except PackageNotFoundError:
            missing.append(name)
    detail = f"{len(pins) - len(missing) - len(other)} of {len(pins)} as pinned"
    if missing:
        detail += f"; missing: {', '.join(missing)}"
    if other:
        detail += f"; other versions: {', '.join(other)}"
    advice = "Run `python -m pip install -r requirements.txt`."
    # Another version may work and is only said; a missing package stops cases from loading.
    return Check("packages", not (missing or other), detail, advice, needed=bool(missing))


def device() -> Check:
    """Where networks run."""
    try:
        import torch

        from dlportal.device import has_fast_bf16, pick_device

        where = pick_device()
    except (ImportError, ValueError) as error:
        return Check("device", False, str(error), "Install torch, or unset DLPORTAL_DEVICE.")
    name = torch.cuda.get_device_name(where) if where.type == "cuda" else where.type
    speed = "fast bf16" if has_fast_bf16() else "float32"
    cores = f"{torch.get_num_threads()} threads of {os.cpu_count()}"
    return Check("device", True, f"{name}, {speed}, {cores}, torch {torch.__version__}")


def memory() -> Check:
    """Memory of this machine, or what a container may use of it."""
    import psutil

    total, free = psutil.virtual_memory().total, psutil.virtual_memory().available
    limit = Path("/sys/fs/cgroup/memory.max")
    text = limit.read_text().strip() if limit.is_file() else "max"
    if text.isdigit() and int(text) < total:
        total = int(text)
        free = min(free, total)
    return Check(
        "memory",
        total >= SMALLEST_MEMORY,
        f"{total / 1e9:.1f} GB, {free / 1e9:.1f} GB free",
        f"{SMALLEST_MEMORY / 1e9:.1f} GB are needed; set DLPORTAL_MEMORY_MB to keep fewer cases.",
        needed=False,
    )


def disk() -> Check:
    """Room where fetched files and checkpoints go."""
    folder = cache_dir()
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    return Check(
        "disk",
        free >= SMALLEST_DISK,
        f"{free / 1e9:.1f} GB free",
        "Free some space, or set DLPORTAL_CACHE_DIR to a folder on another disk.",
        needed=False,
    )


def cache() -> Check:
    """Whether fetched files can be kept."""
    folder = cache_dir()
    probe = folder / f".probe-{os.getpid()}"
    advice = "Make it writable, or set DLPORTAL_CACHE_DIR to a folder that is."
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe.touch()
        probe.unlink()
    except OSError as error:
        return Check("cache", False, f"{short_path(folder)}: {error.strerror}", advice)
    size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    return Check("cache", True, f"{short_path(folder)}, {size / 1e6:.0f} MB in it")


def package_index() -> Check:
    """Whether pip's index answers and has one of the archives that carry assets."""
    advice = "Set PIP_INDEX_URL to an index that this machine reaches, or go online."
    member = next(
        source
        for asset in ASSETS.values()
        for source in asset.sources
        if isinstance(source, PackageMember)
    )
    try:
        index = PackageIndex(timeout=KNOCK)
        found = index.find(member.project, member.archive)
    except AssetError as error:
        return Check("package index", False, str(error), needed=False)
    except Unreachable as error:
        return Check("package index", False, str(error), advice, needed=False)
    host = urlsplit(found.url).hostname or "a folder of this machine"
    return Check("package index", True, f"answers; archives come from {host}", needed=False)


def hub() -> Check:
    """Whether the model hub answers."""
    reached = hub_reachable()
    offline = os.environ.get("HF_HUB_OFFLINE")
    detail = "answers" if reached else "switched off (HF_HUB_OFFLINE)" if offline else "no answer"
    advice = "Not needed where the package index answers; else go online or set HF_ENDPOINT."
    return Check("model hub", reached, detail, advice, needed=False)


def asset_check(part: Asset | Bundle, index_ok: bool, hub_ok: bool) -> Check:
    """Whether an asset is cached, and whether it could be fetched if not."""
    assets = part.assets if isinstance(part, Bundle) else (part,)
    cached = is_cached(part.name)
    kinds = (HubFile,) * hub_ok + (PackageMember,) * index_ok
    can = all(any(isinstance(source, kinds) for source in asset.sources) for asset in assets)
    state = "cached" if cached else "not cached, can be fetched" if can else "not cached"
    advice = (
        "`python -m dlportal fetch --all` fetches it; a page also does when it needs it."
        if can
        else "Its cases do not work until the package index or the model hub answers."
    )
    detail = f"{state}, {megabytes(part.size)}, {part.licence}"
    return Check(f"asset {part.name}", cached, detail, advice, needed=False)


def data() -> Check:
    """Which datasets are here; they are needed for full trainings and evaluations only."""
    missing = [name for name in DATASETS if not is_available(name)]
    detail = f"{len(DATASETS) - len(missing)} of {len(DATASETS)} here"
    where = os.environ.get("DLPORTAL_DATA_DIR")
    detail += f", DLPORTAL_DATA_DIR={where}" if where else ", DLPORTAL_DATA_DIR is not set"
    advice = (
        "Needed only to train or evaluate. Most are downloaded when they are; for the others set "
        f"DLPORTAL_DATA_DIR. Missing: {', '.join(missing)}."
    )
    return Check("datasets", not missing, detail, advice, needed=False)


def browser() -> Check:
    """A browser for the page tests."""
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    return Check(
        "chromium",
        bool(found),
        found or "not found",
        "Only the page tests need it: install chromium.",
        needed=False,
    )


def synthesiser() -> Check:
    """The small speech synthesiser whose voices the digits' full training hears."""
    found = shutil.which("flite")
    return Check(
        "flite",
        bool(found),
        found or "not found",
        "Only a full training of spoken_digits needs it: install flite.",
        needed=False,
    )
