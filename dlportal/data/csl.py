"""CSL: titles of Chinese papers, each with one of 13 subjects.

Li et al. 2022, https://aclanthology.org/2022.coling-1.344/
The subject is that of the journal in the national catalogue, not one that a reader gave the paper.
"""

from pathlib import Path

import numpy as np

from dlportal.data.splits import Splits, Texts
from dlportal.data.text_files import load_parts, read_lines
from dlportal.messages import N_, InputError

# As the files write them, the commonest first.
CLASSES = (
    "工学", "农学", "理学", "医学", "管理学", "法学", "教育学", "经济学", "文学", "哲学", "历史学",
    "艺术学", "军事学",
)  # fmt: skip


def load(folder: Path | None = None) -> Splits[Texts]:
    """Read CSL in its official split.

    A training title that occurs twice, or in another part too, is dropped.

    Args:
        folder: A folder with `train.tsv`, `dev.tsv` and `test.tsv` to read instead.

    Raises:
        AssetError: The files are neither here nor to be had.
        InputError: A file in `folder` has another layout.
    """
    return load_parts("csl_category_zh", read, folder)


def read(path: Path) -> Texts:
    """Read a file of `prompt<TAB>title<TAB>subject` lines without a header.

    The prompt is the same in every line and is dropped.

    Raises:
        InputError: Not such a file.
    """
    place = {name: number for number, name in enumerate(CLASSES)}
    texts, labels = [], []
    for number, line in enumerate(read_lines(path), 1):
        if not line.strip():
            continue
        row = [cell.strip() for cell in line.split("\t")]
        if len(row) != 3 or not row[1] or row[2] not in place:
            raise InputError(
                N_(
                    "Line {line} of {file} is not a prompt, a tab, a title, a tab and one of the 13"
                    " subjects, such as 工学; put that line right."
                ),
                line=number,
                file=path.name,
            )
        texts.append(row[1])
        labels.append(place[row[2]])
    if not texts:
        raise InputError(N_("{file} holds no title."), file=path.name)
    return Texts(tuple(texts), np.array(labels, dtype=np.int64))
