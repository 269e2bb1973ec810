"""A Chinese text as the character taggers read it: one code point a character, no spaces."""

import unicodedata
from functools import lru_cache

from dlportal.kinds.chinese import FEWEST, HAN, PIECE
from dlportal.messages import N_, InputError

# Common characters that simplified writing does not have.
TRADITIONAL = frozenset(
    "們個來時國會對說過這為與學後麼樣還沒發無將長東車見門問間開關經現實點體頭機電話語讓親認識該請誰謝證變讀"
    "買賣錢錯鐵陳陽陸險雖難離雲須順預領顧題願類風飛飯館馬驗魚鳥麗黃黨齊龍龜書畫當應歷灣臺區號單員場壓處"
    "備復夠夢婦孫寫寧專導屬岡島師帶幣廠廣張強彎從總態擔據擇擊數斷條極樂構檢權歐歲漢滿滅潔濟濕災爭爾獎獨"
    "獲產異療盡盤監礎禮種稱穩窮競筆節範簡糧紀紅純級組細終結絕統絲線練縣績織繼續聖聞職聯聲聽腦臉節藝藥蘇"
    "術衛裝補複規視覺觀計討記許設訪評詩試詳誤課調談論諸謀議護財貨貧責貴費資賓賽質贊趙軍輕輸辦農運達違遠"
    "適選遺鄉鄧鄭醫釋錄鋼鎮隊階際雙雜靈靜項頓頻額顏顯飲馮駐騎驚髮鬆鬥魯鮮麥"
)


@lru_cache(8192)
def fold(character: str) -> str:
    """Half width and lower case, where that is one character; "" of spaces and what is invisible
    (format and control signs)."""
    if character.isspace() or unicodedata.category(character) in ("Cf", "Cc"):
        return ""
    folded = unicodedata.normalize("NFKC", character).lower()
    return folded if len(folded) == 1 else character


def readable(text: str) -> tuple[list[int], list[int]]:
    """Code points of a text without what `fold` leaves out, and the place of each in the text."""
    folded = [(i, f) for i, c in enumerate(text) if (f := fold(c))]
    return [ord(f) for _i, f in folded], [i for i, _f in folded]


def pieces_of(text: str) -> tuple[list[str], list[int]]:
    """What a text is made of for a reader (single characters, Latin words and numbers whole), and
    for each readable character the index of its piece."""
    places = readable(text)[1]
    pieces: list[str] = []
    piece_of: list[int] = []
    at = 0
    for found in PIECE.finditer(text):
        inside = 0
        while at + inside < len(places) and places[at + inside] < found.end():
            inside += 1
        if inside:
            piece_of += [len(pieces)] * inside
            pieces.append(found[0])
            at += inside
    return pieces, piece_of


def traditional(text: str) -> bool:
    """Whether a text seems to be written in traditional characters: more than one in twenty of
    its Chinese characters is one that simplified writing does not have."""
    chinese = sum(bool(HAN.match(c)) for c in text)
    return 20 * sum(c in TRADITIONAL for c in text) > chinese


def check_sentence(text: str) -> None:
    """Refuse a text in which fewer than two letters, or fewer than a third, are Chinese.

    Raises:
        InputError: No letters, or too few Chinese ones.
    """
    letters = [c for c in text if c.isalpha()]
    if not letters:
        raise InputError(N_("There is no word in this text. Type a sentence in Chinese."))
    chinese = sum(bool(HAN.match(c)) for c in letters)
    if chinese < FEWEST or 3 * chinese < len(letters):
        raise InputError(N_("This model reads Chinese only. Type a sentence in Chinese."))
