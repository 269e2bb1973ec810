"""A larger detector of the same kinds, for comparison, where its weights can be downloaded.

Faster R-CNN: Ren et al. 2015, https://arxiv.org/abs/1506.01497, on MobileNetV3: Howard et al. 2019,
https://arxiv.org/abs/1905.02244; network and weights are torchvision's (BSD licence).
"""

from pathlib import Path

import torch
from PIL import Image
from torch import Tensor, nn
from torchvision.models.detection import (
    FasterRCNN_MobileNet_V3_Large_320_FPN_Weights,
    fasterrcnn_mobilenet_v3_large_320_fpn,
)
from torchvision.ops import batched_nms

from dlportal.assets import web
from dlportal.assets.asset import AssetError, Progress
from dlportal.assets.cache import cache_dir, locked, sha256_of
from dlportal.assets.transfer import Unreachable, download, wrong_hash
from dlportal.kinds.image import to_tensor
from dlportal.messages import N_

WEIGHTS = FasterRCNN_MobileNet_V3_Large_320_FPN_Weights.DEFAULT
LEAST, MOST = 0.05, 300  # boxes that are kept for the sliders to choose from


class LargerDetector(nn.Module):
    """Faster R-CNN with a MobileNetV3 backbone, 19.4 M parameters, for pictures 320 high."""

    def __init__(self, weights: Path | None) -> None:
        """Build it; without a file its weights are random (for tests)."""
        super().__init__()
        self.net = fasterrcnn_mobilenet_v3_large_320_fpn(
            weights=None,
            weights_backbone=None,
            box_score_thresh=LEAST,
            box_nms_thresh=0.95,  # overlapping boxes are dropped later, as the slider says
            box_detections_per_img=MOST,
        )
        if weights is not None:
            self.net.load_state_dict(torch.load(weights, map_location="cpu", weights_only=True))
        self.eval().requires_grad_(False)

    @torch.inference_mode()
    def find(
        self, picture: Image.Image, score: float, overlap: float
    ) -> tuple[Tensor, list[str], Tensor]:
        """Corners (K, 4) in the picture's pixels, ids of the kinds, scores (K,), surest first."""
        found = self.net([to_tensor(picture.convert("RGB"))[0]])[0]
        sure = found["scores"] > score
        boxes, kinds, scores = (found[name][sure] for name in ("boxes", "labels", "scores"))
        kept = batched_nms(boxes, scores, kinds, overlap)
        return boxes[kept], [kind_id(k) for k in kinds[kept].tolist()], scores[kept]


def kind_id(index: int) -> str:
    """The id under which `coco_labels.csv` has torchvision's class."""
    return WEIGHTS.meta["categories"][index].replace(" ", "_")


def load_larger(progress: Progress | None = None) -> LargerDetector:
    """Fetch the weights (74 MB) if they are not here, and build the network.

    Raises:
        AssetError: They cannot be fetched, or are not what torchvision published.
    """
    folder = cache_dir() / "assets" / "larger-detector"
    path = folder / WEIGHTS.url.rpartition("/")[2]
    with locked(folder):
        if not path.exists():
            download_checked(path, progress)
    return LargerDetector(path)


def download_checked(path: Path, progress: Progress | None) -> None:
    """Download a file whose name ends with the beginning of its sha256."""
    fresh = path.with_name(f"new-{path.name}")
    try:
        if not web.answers(WEIGHTS.url):
            raise Unreachable(WEIGHTS.url)
        download(WEIGHTS.url, fresh, web.open_web, progress=progress)
    except Unreachable as error:
        raise AssetError(
            N_(
                "The larger network's weights (74 MB) are not on this machine and {host} cannot be reached. The small network works without them."
            ),
            host=WEIGHTS.url.split("/")[2],
        ) from error
    begins, found = path.stem.rpartition("-")[2], sha256_of(fresh)
    if not found.startswith(begins):
        fresh.unlink()
        raise wrong_hash(path.name, begins, found)
    fresh.replace(path)
