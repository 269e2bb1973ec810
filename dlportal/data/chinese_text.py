"""Chinese sentences without labels, from other datasets: what a network can learn to read with.

CMRC 2018 (Cui et al. 2019, https://aclanthology.org/D19-1600/) and XQuAD (Artetxe et al. 2020,
https://arxiv.org/abs/1910.11856) hold questions on paragraphs of Wikipedia; here the paragraphs
alone are read.
"""

import re

from dlportal.data.files import dataset_file
from dlportal.data.xquad import load_paragraphs

SENTENCE = re.compile(r"[^。！？\n]+[。！？]?[”』」）]*")
LONGEST = 150  # characters; what is longer is cut


def sentences() -> list[str]:
    """All different sentences of the paragraphs.

    Raises:
        AssetError: A file is neither here nor to be had.
    """
    texts = [paragraph.text for paragraph in load_paragraphs("zh")]
    for part in ("dev", "trial"):
        path = dataset_file("cmrc2018_zh", f"cmrc2018_{part}.json")
        texts += [paragraph.text for paragraph in load_paragraphs(data=path)]
    found = (piece for text in dict.fromkeys(texts) for piece in pieces(text))
    return [piece for piece in dict.fromkeys(found) if len(piece) > 1]


def pieces(text: str) -> list[str]:
    """Sentences of a text, at most `LONGEST` characters each."""
    found = [sentence.strip() for sentence in SENTENCE.findall(text)]
    return [s[i : i + LONGEST] for s in found for i in range(0, len(s), LONGEST)]
