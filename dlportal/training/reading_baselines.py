"""Answers without a network: the sentence that shares most with the question, and its likely span."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

from dlportal.kinds import passage_zh
from dlportal.kinds.passage_en import MONTHS, NUMBERS, STOP, stem

ENGLISH_SENTENCE = re.compile(r"[^.?!]+(?:[.?!](?=\S)[^.?!]*)*[.?!]*\s*")
CHINESE_SENTENCE = re.compile(r"[^。！？；]+[。！？；]?")
WORD = re.compile(r"\w+(?:[-'’.,]\w+)*")
NUMBER = re.compile(r"[\d.,]*\d[\d.,]*%?(?:\s(?:million|billion|thousand|percent))?")
NAME = re.compile(r"[A-Z][\w'’-]*(?:\s(?:of\s|the\s|and\s)?[A-Z][\w'’-]*)*")
DATE = re.compile(
    r"(?:January|February|March|April|May|June|July|August|September|October|November|December)"
    r"(?:\s\d{1,2})?(?:,?\s\d{4})?|\b[12]\d{3}s?\b"
)
CHINESE_NUMBER = re.compile(r"[\d.,]+[^\W\d_]?|[一二三四五六七八九十百千万亿两]{1,8}[^\W\d_]")
CHINESE_DATE = re.compile(r"\d{2,4}年(?:\d{1,2}月)?(?:\d{1,2}日)?|\d{1,2}月(?:\d{1,2}日)?")
CHINESE_CLAUSE = re.compile(r"[^，、。！？；：,]+")


@dataclass(frozen=True)
class Rule:
    """What a question asks for: a pattern of question words, and one of answers."""

    asked: re.Pattern[str]
    answer: re.Pattern[str]


ENGLISH_RULES = (
    Rule(re.compile(r"\bhow (?:many|much|long|far|old|often)|percent|number\b", re.I), NUMBER),
    Rule(re.compile(r"\bwhen|what (?:year|date|month)|which year\b", re.I), DATE),
    Rule(re.compile(r"\bwho|whose|whom|where|which|name\b", re.I), NAME),
)
CHINESE_RULES = (
    Rule(re.compile(r"何时|时候|哪年|哪一年|哪天|时间|年份"), CHINESE_DATE),
    Rule(re.compile(r"多少|几|多长|多大|多高"), CHINESE_NUMBER),
)


def english_overlap(question: str) -> Callable[[str], float]:
    """How many stems of the question a text has."""
    asked = {stem(w) for w in WORD.findall(question) if w.lower() not in STOP}
    return lambda text: len(asked & {stem(w) for w in WORD.findall(text)})


def chinese_overlap(question: str) -> Callable[[str], float]:
    """How many pairs of neighbouring characters of the question a text has."""
    asked = pairs(question)
    return lambda text: len(asked & pairs(text))


def pairs(text: str) -> set[str]:
    kept = [c for c in map(passage_zh.folded, text) if c.isalnum()]
    return {a + b for a, b in pairwise(kept)}


def best_sentence(language: str, question: str, paragraph: str) -> str:
    """The sentence that has most of the question; the first of equals."""
    pattern = CHINESE_SENTENCE if language == "zh" else ENGLISH_SENTENCE
    overlap = chinese_overlap(question) if language == "zh" else english_overlap(question)
    sentences = [found[0].strip() for found in pattern.finditer(paragraph)] or [paragraph]
    return max(sentences, key=overlap)


def best_span(language: str, question: str, paragraph: str) -> str:
    """In that sentence the number, date or name that the question word asks for and that is not
    in the question; else the clause or run of words that shares least with it."""
    sentence = best_sentence(language, question, paragraph)
    rules = CHINESE_RULES if language == "zh" else ENGLISH_RULES
    for rule in rules:
        if rule.asked.search(question):
            for found in rule.answer.finditer(sentence):
                said = found[0].strip()
                if said and said.lower() not in question.lower():
                    return said
            break
    if language == "zh":
        clauses = CHINESE_CLAUSE.findall(sentence) or [sentence]
        overlap = chinese_overlap(question)
        return max(clauses, key=lambda text: overlap(text) - len(text) / 100)
    return unasked_words(question, sentence)


def unasked_words(question: str, sentence: str) -> str:
    """The longest run of words that are neither common nor in the question."""
    asked = {stem(w) for w in WORD.findall(question)}
    best, run = (0, 0, 0), None
    for found in WORD.finditer(sentence):
        word = found[0]
        usual = word.lower() in STOP and word.lower() not in NUMBERS | MONTHS
        if usual or stem(word) in asked:
            run = None
            continue
        run = (1, found.start(), found.end()) if run is None else (run[0] + 1, run[1], found.end())
        best = max(best, run, key=lambda r: r[0])
    return sentence[best[1] : best[2]] or sentence
