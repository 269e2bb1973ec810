"""Pictures with marked objects: what the parsers of detection data return."""

from dataclasses import dataclass
from pathlib import Path

from dlportal.training.detection_scores import Objects


@dataclass(frozen=True)
class Scene:
    """A picture, its width and height, and its marked objects; corners in pixels."""

    path: Path
    size: tuple[int, int]
    objects: Objects
