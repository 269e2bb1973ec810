"""Chinese questions and paragraphs as a reader sees them: characters, shapes, clauses, sentences."""

import unicodedata

# Characters that say what a question asks for; each by itself, so that 多少 is two of them.
ASKED = "谁哪什么何几多少怎为年月日时候人名字国家省市城地点方位里个种类称作叫原因第次由于被是"
NUMBERS = "一二三四五六七八九十百千万亿两零〇"
# Characters of which a match says nothing.
STOP = frozenset("的了在是有和与及为于之其这那也而就都被由对中上下等个谁哪什么何几多少怎吗呢")
SENTENCE_ENDS, CLAUSE_ENDS = "。！？；!?;", "，,：:"
OPENING, CLOSING = "《「“『（(【<〈", "》」”』）)】>〉"
SHAPES = (
    "special",
    "digit",
    "number",
    "date",
    "latin",
    "sentence_end",
    "comma",
    "opening",
    "closing",
    "sign",
    "character",
)
LAST = 0xFFFF  # rarer characters than this plane's share their numbers with others


def folded(character: str) -> str:
    """Half width and lower case, where that is still one character."""
    plain = unicodedata.normalize("NFKC", character).lower()
    return plain if len(plain) == 1 else character


def shape_name(c: str) -> str:
    """One of `SHAPES`."""
    for name, characters in (
        ("number", NUMBERS),
        ("date", "年月日时"),
        ("sentence_end", SENTENCE_ENDS),
        ("comma", "，、,：:"),
        ("opening", OPENING),
        ("closing", CLOSING),
    ):
        if c in characters:
            return name
    if c.isdigit():
        return "digit"
    if c.isascii() and c.isalpha():
        return "latin"
    return "character" if c.isalnum() else "sign"


def chinese_tokens(text: str) -> list[tuple[int, int, int, int, int]]:
    """For each character its code point, 0, its shape, sentence and clause (all numbers)."""
    rows, sentence, clause = [], 0, 0
    for c in text:
        rows.append((ord(folded(c)) & LAST or 1, 0, SHAPES.index(shape_name(c)), sentence, clause))
        sentence += c in SENTENCE_ENDS
        clause += c in SENTENCE_ENDS or c in CLAUSE_ENDS
    return rows
