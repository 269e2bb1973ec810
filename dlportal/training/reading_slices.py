"""How well each kind of question is answered."""

import re
from collections.abc import Sequence

import numpy as np

from dlportal.cards import Bilingual, Slice
from dlportal.training.reading_exam import Exam

LEAST = 20  # questions below which a slice says nothing
ENGLISH_TYPES = (
    (r"\bhow (many|much)\b", Bilingual(en="English: how many", zh="英文：how many")),
    (
        r"\bwhen\b|\b(what|which) (year|date|century)",
        Bilingual(en="English: when", zh="英文：when"),
    ),
    (r"\bwho|whose|whom\b", Bilingual(en="English: who", zh="英文：who")),
    (r"\bwhere\b", Bilingual(en="English: where", zh="英文：where")),
    (r"\bwhy\b", Bilingual(en="English: why", zh="英文：why")),
    (r"\bwhich\b", Bilingual(en="English: which", zh="英文：which")),
    (r"\bwhat\b", Bilingual(en="English: what", zh="英文：what")),
    (r"\bhow\b", Bilingual(en="English: how", zh="英文：how")),
)
CHINESE_TYPES = (
    (r"谁", Bilingual(en="Chinese: who (谁)", zh="中文：谁")),
    (r"何时|时候|哪年|哪一年|哪天|时间", Bilingual(en="Chinese: when (何时)", zh="中文：何时")),
    (r"多少|几", Bilingual(en="Chinese: how many (多少)", zh="中文：多少、几")),
    (r"为什么|为何|原因", Bilingual(en="Chinese: why (为什么)", zh="中文：为什么")),
    (r"哪里|何处|哪儿|什么地方", Bilingual(en="Chinese: where (哪里)", zh="中文：哪里")),
    (r"哪", Bilingual(en="Chinese: which (哪)", zh="中文：哪")),
    (r"什么", Bilingual(en="Chinese: what (什么)", zh="中文：什么")),
)
LENGTHS = {
    "en": (
        (1, 1, Bilingual(en="English: answer of one word", zh="英文：答案 1 个词")),
        (2, 3, Bilingual(en="English: answer of 2 or 3 words", zh="英文：答案 2 到 3 个词")),
        (4, 10**6, Bilingual(en="English: longer answer", zh="英文：更长的答案")),
    ),
    "zh": (
        (1, 5, Bilingual(en="Chinese: answer up to 5 characters", zh="中文：答案不超过 5 个字")),
        (6, 15, Bilingual(en="Chinese: answer of 6 to 15", zh="中文：答案 6 到 15 个字")),
        (16, 10**6, Bilingual(en="Chinese: longer answer", zh="中文：更长的答案")),
    ),
}


def slices(exam: Exam) -> list[Slice]:
    """F1 by what is asked and by how long the (first) right answer is."""
    scores = exam.scores(exam.answers)
    types = CHINESE_TYPES if exam.language == "zh" else ENGLISH_TYPES
    asked = np.array([type_of(row.asked.question, types) for row in exam.rows])
    lengths = np.array([length_of(row.asked.accepted[0], exam.language) for row in exam.rows])
    parts = [(part, asked == k) for k, (_pattern, part) in enumerate(types)]
    parts += [(part, (lengths >= a) & (lengths <= b)) for a, b, part in LENGTHS[exam.language]]
    return [
        Slice(part=part, metric=exam.mean("f1", scores[rows]))
        for part, rows in parts
        if rows.sum() >= LEAST
    ]


def type_of(question: str, types: Sequence[tuple[str, Bilingual]]) -> int:
    """The first type whose words occur; -1 if none does."""
    return next((k for k, (p, _name) in enumerate(types) if re.search(p, question, re.I)), -1)


def length_of(answer: str, language: str) -> int:
    return len(answer) if language == "zh" else len(answer.split())
