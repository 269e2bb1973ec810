"""Photographs that installed packages carry: plain files beside their code, with free licences."""

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from dlportal.assets.asset import AssetError
from dlportal.messages import N_

FREE = "public domain"
CC0 = "CC0-1.0"
CC_BY = "CC BY 2.0"


@dataclass(frozen=True)
class Sample:
    """A photograph: the package that carries it, the path in it, its licence, its author."""

    name: str
    package: str
    file: str
    licence: str
    credit: str


def _skimage(name: str, file: str, licence: str, credit: str) -> Sample:
    return Sample(name, "skimage", f"data/{file}", licence, credit)


# What scikit-image's wheel itself holds (its other pictures are downloaded by pooch), where its
# documentation names the licence; one photograph of matplotlib, two of scikit-learn.
SAMPLES: dict[str, Sample] = {
    sample.name: sample
    for sample in (
        _skimage("astronaut", "astronaut.png", FREE, "NASA"),
        _skimage("camera", "camera.png", CC0, "Lav Varshney"),
        _skimage("cell", "cell.png", CC0, "Paul Müller et al."),
        _skimage("chelsea", "chelsea.png", CC0, "Stéfan van der Walt"),
        _skimage("clock", "clock_motion.png", FREE, "Stéfan van der Walt"),
        _skimage("coffee", "coffee.png", CC0, "Rachel Michetti, Pikolo Espresso Bar"),
        _skimage("coins", "coins.png", "no known restrictions", "Brooklyn Museum"),
        _skimage("horse", "horse.png", CC0, "Andreas Preuss"),
        _skimage("hubble_deep_field", "hubble_deep_field.jpg", FREE, "NASA, HubbleSite"),
        _skimage("ihc", "ihc.png", "no known restrictions", "CMMI"),
        _skimage("microaneurysms", "microaneurysms.png", CC0, "Andreas Maier"),
        _skimage("retina", "retina.jpg", CC0, "Mikael Häggström"),
        _skimage("rocket", "rocket.jpg", FREE, "SpaceX"),
        Sample("hopper", "matplotlib", "mpl-data/sample_data/grace_hopper.jpg", FREE, "U.S. Navy"),
        Sample("china", "sklearn", "datasets/images/china.jpg", CC_BY, "danielbuechele, Flickr"),
        Sample("flower", "sklearn", "datasets/images/flower.jpg", CC_BY, "vultilion, Flickr"),
    )
}


def sample_path(name: str) -> Path:
    """The file of a photograph; its package is found, not imported.

    Raises:
        AssetError: The package is not installed, or no longer carries the file.
        ValueError: No such photograph.
    """
    if name not in SAMPLES:
        raise ValueError(f"no sample {name!r}; samples: {', '.join(SAMPLES)}")
    sample = SAMPLES[name]
    spec = find_spec(sample.package)
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        if (path := Path(folder) / sample.file).is_file():
            return path
    raise AssetError(
        N_(
            "The photograph {name} is missing: it comes with the package {package}; install the "
            "packages again with `python -m pip install -r requirements.txt`."
        ),
        name=name,
        package=sample.package,
    )
