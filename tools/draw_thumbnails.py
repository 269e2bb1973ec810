"""Draw the gallery's pictures and the logo.

python tools/draw_thumbnails.py              # models/<case>/thumbnail.webp of the cases that exist
python tools/draw_thumbnails.py --all DIR    # every picture into DIR, and one sheet with them all
python tools/draw_thumbnails.py --logo       # dlportal/ui/images/*.png
"""

from __future__ import annotations

import argparse
import io
from collections.abc import Callable
from pathlib import Path

from PIL import Image
from thumbnails import (
    control,
    finance,
    foundations,
    frontiers,
    language,
    logo,
    medical,
    speech,
    vision,
)
from thumbnails.canvas import HEIGHT, WIDTH, Canvas

ROOT = Path(__file__).parents[1]
IMAGES = ROOT / "dlportal" / "ui" / "images"
QUALITY = 74
MOST_BYTES = 180_000  # for all pictures together: the gallery loads them at once

PICTURES: list[Callable[[], Canvas]] = [
    foundations.backprop_lab,
    foundations.optimizer_race,
    foundations.regularization_lab,
    foundations.architecture_tour,
    foundations.practice_lab,
    vision.imagenet_classification,
    vision.clothing_classification,
    vision.fashion_classification,
    vision.object_detection,
    vision.image_generation,
    language.sentiment,
    language.emotions,
    language.intents,
    language.chinese_topics,
    language.named_entities,
    language.chinese_entities,
    language.translation,
    language.question_answering,
    language.text_generation,
    language.poetry_generation,
    speech.speech_recognition,
    speech.speech_synthesis,
    speech.spoken_digits,
    medical.chest_xray,
    medical.blood_cells,
    medical.drug_discovery,
    finance.stock_forecast,
    finance.fraud_detection,
    finance.credit_default,
    control.classic_control,
    control.lunar_lander,
    frontiers.few_shot,
    frontiers.knowledge_graph,
    frontiers.compression,
    frontiers.explanation_lab,
]


def encode(canvas: Canvas) -> bytes:
    """Return a finished picture as WebP."""
    file = io.BytesIO()
    canvas.image().save(file, "WEBP", quality=QUALITY, method=6)
    return file.getvalue()


def draw_all() -> dict[str, bytes]:
    """Draw every picture; the key is the case's id.

    Raises:
        ValueError: Together they are too large to load at once.
    """
    pictures = {draw.__name__: encode(draw()) for draw in PICTURES}
    total = sum(map(len, pictures.values()))
    if total > MOST_BYTES:
        raise ValueError(f"the pictures take {total} bytes, at most {MOST_BYTES} are allowed")
    return pictures


def sheet(pictures: dict[str, bytes], columns: int = 5) -> Image.Image:
    """Put all pictures side by side, to look at them together."""
    gap = 20
    rows = -(-len(pictures) // columns)
    size = (columns * (WIDTH + gap) + gap, rows * (HEIGHT + gap) + gap)
    whole = Image.new("RGB", size, "#FBFAF6")
    for i, data in enumerate(pictures.values()):
        row, column = divmod(i, columns)
        at = (gap + column * (WIDTH + gap), gap + row * (HEIGHT + gap))
        whole.paste(Image.open(io.BytesIO(data)), at)
    return whole


def main() -> None:
    """Read the command line and draw."""
    parser = argparse.ArgumentParser(description="Draw the gallery's pictures and the logo.")
    parser.add_argument("--all", type=Path, metavar="DIR", help="draw every picture into DIR")
    parser.add_argument("--logo", action="store_true", help="draw the logo and the icon")
    options = parser.parse_args()
    if options.logo:
        IMAGES.mkdir(parents=True, exist_ok=True)
        for theme in logo.THEMES:
            logo.logo(theme).save(IMAGES / f"logo_{theme}.png", optimize=True)
        logo.icon().save(IMAGES / "icon.png", optimize=True)
        print(f"logo and icon: {IMAGES}")
        return
    pictures = draw_all()
    if options.all:
        options.all.mkdir(parents=True, exist_ok=True)
        for case, data in pictures.items():
            (options.all / f"{case}.webp").write_bytes(data)
        sheet(pictures).save(options.all / "sheet.png")
        print(f"{len(pictures)} pictures, {sum(map(len, pictures.values()))} bytes: {options.all}")
        return
    # A folder in models/ is a case, so none is made here.
    written = [case for case in pictures if (ROOT / "models" / case).is_dir()]
    for case in written:
        (ROOT / "models" / case / "thumbnail.webp").write_bytes(pictures[case])
    print(f"{len(written)} of {len(pictures)} pictures: {', '.join(written) or 'no such folder'}")


if __name__ == "__main__":
    main()
