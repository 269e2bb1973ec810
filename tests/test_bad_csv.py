"""Every reader of a visitor's CSV: understood, or refused in one sentence that says where."""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from dlportal.cards import Limits
from dlportal.data.credit_csv import KAGGLE, read_customers
from dlportal.data.fraud_csv import read_payments
from dlportal.data.own_table import Choice, make_ready, read_table
from dlportal.data.prices import read_prices
from dlportal.messages import InputError

DAYS = np.arange(np.datetime64("2015-01-01"), np.datetime64("2019-01-01"))
NUMBERS = np.random.default_rng(0).uniform(90, 120, len(DAYS)).round(2)


def price_row(i: int) -> list[str]:
    close = NUMBERS[i]
    return [
        str(DAYS[i]),
        f"{close:.2f}",
        f"{close + 1.5:.2f}",
        f"{close - 1.25:.2f}",
        f"{close:.2f}",
    ]


def payment_row(i: int) -> list[str]:
    return [
        f"{DAYS[i]} 10:00:00",
        str(i % 7),
        str(i % 11),
        f"{NUMBERS[i]:.2f}",
        str(int(i % 9 == 0)),
    ]


def customer_row(i: int) -> list[str]:
    money = [f"{NUMBERS[i] * (k + 1):.2f}" for k in range(12)]
    return ["20000", *["0"] * 6, *money]


def own_row(i: int) -> list[str]:
    return [
        f"{DAYS[i]} 10:00:00",
        f"{NUMBERS[i]:.2f}",
        "red" if i % 3 else "blue",
        str(int(i % 5 == 0)),
    ]


def own_table(data: bytes, limits: Limits) -> Any:
    """All of what the page does with a visitor's own table before it trains."""
    table = read_table(data, limits)
    columns = tuple(name for name in table.cells if name != table.label)
    return make_ready(table, Choice(table.label, table.time, columns))


@dataclass(frozen=True)
class Reader:
    """A reader with a table that it likes; `numbers` picks what it read as numbers."""

    name: str
    read: Callable[[bytes, Limits], Any]
    header: list[str]
    row: Callable[[int], list[str]]
    numbers: Callable[[Any], np.ndarray]
    number: str  # a column of numbers
    date: str = ""
    answer: str = ""
    fewest: int = 0


READERS = [
    Reader(
        "prices", read_prices, ["Date", "Open", "High", "Low", "Close"], price_row,
        lambda found: np.stack([found.open, found.high, found.low, found.close]),
        number="Close", date="Date", fewest=600,
    ),
    Reader(
        "payments", read_payments,
        ["TX_DATETIME", "CUSTOMER_ID", "TERMINAL_ID", "TX_AMOUNT", "TX_FRAUD"], payment_row,
        lambda found: found.table["TX_AMOUNT"].to_numpy(),
        number="TX_AMOUNT", date="TX_DATETIME", answer="TX_FRAUD",
    ),
    Reader(
        "customers", read_customers, list(KAGGLE), customer_row, lambda found: found,
        number="BILL_AMT3", fewest=100,
    ),
    Reader(
        "own table", own_table, ["WHEN", "SIZE", "COLOUR", "LABEL"], own_row,
        lambda found: found.x, number="SIZE", date="WHEN", answer="LABEL", fewest=500,
    ),
]  # fmt: skip
every = pytest.mark.parametrize("reader", READERS, ids=lambda r: r.name)
dated = pytest.mark.parametrize("reader", [r for r in READERS if r.date], ids=lambda r: r.name)


def table(reader: Reader, rows: int = 800) -> list[list[str]]:
    return [reader.header, *(reader.row(i) for i in range(rows))]


def write(cells: list[list[str]], mark: str = ",", comma: bool = False) -> str:
    def cell(text: str) -> str:
        return text.replace(".", ",") if comma and re.fullmatch(r"\d+\.\d+", text) else text

    return "\n".join(mark.join(cell(text) for text in row) for row in cells) + "\n"


def refusal(reader: Reader, text: str | bytes, limits: Limits | None = None) -> str:
    """The sentence with which a file is refused."""
    data = text.encode() if isinstance(text, str) else text
    with pytest.raises(InputError) as caught:
        reader.read(data, limits or Limits())
    sentence = str(caught.value)
    assert "\n" not in sentence and 20 < len(sentence) < 400
    assert "{" not in sentence, "a field was not filled"
    return sentence


@every
class TestUnderstood:
    @pytest.mark.parametrize(
        "dialect",
        ["bom", "utf-16", "semicolons and decimal commas", "tabs", "windows lines", "no last line"],
    )
    def test_dialects_say_the_same(self, reader: Reader, dialect: str) -> None:
        cells = table(reader)
        plain = write(cells)
        data = {
            "bom": b"\xef\xbb\xbf" + plain.encode(),
            "utf-16": plain.encode("utf-16"),
            "semicolons and decimal commas": write(cells, ";", comma=True).encode(),
            "tabs": write(cells, "\t").encode(),
            "windows lines": plain.replace("\n", "\r\n").encode(),
            "no last line": plain.rstrip().encode(),
        }[dialect]
        found, expected = (reader.read(d, Limits()) for d in (data, plain.encode()))
        np.testing.assert_allclose(reader.numbers(found), reader.numbers(expected), rtol=1e-6)


@every
class TestRefused:
    def test_text_in_a_number_column(self, reader: Reader) -> None:
        cells = table(reader)
        cells[41][reader.header.index(reader.number)] = "many"
        sentence = refusal(reader, write(cells)).lower()
        assert "row 42" in sentence and reader.number.lower() in sentence and "many" in sentence

    def test_a_million_rows(self, reader: Reader) -> None:
        row = (",".join(reader.row(0)) + "\n").encode()
        data = (",".join(reader.header) + "\n").encode() + row * 1_000_000
        started = time.process_time()
        assert "MB" in refusal(reader, data)  # at the limit of bytes that pages have
        sentence = refusal(reader, data, Limits(bytes=10**9))
        assert "1,000,001 rows" in sentence and "300,000" in sentence
        assert time.process_time() - started < 5

    def test_a_short_row(self, reader: Reader) -> None:
        cells = table(reader)
        cells[9] = cells[9][:-1]
        assert "Row 10 has" in refusal(reader, write(cells))

    def test_a_blank_row_would_shift_the_numbers_of_those_below(self, reader: Reader) -> None:
        cells = table(reader)
        assert "Row 10 is blank" in refusal(reader, write([*cells[:9], [], *cells[9:]]))
        assert "Row 1 is blank" in refusal(reader, "\n" + write(cells))
        reader.read((write(cells) + "\n\n").encode(), Limits())  # at the end it shifts nothing

    def test_a_name_twice(self, reader: Reader) -> None:
        place = reader.header.index(reader.number)
        cells = [[*row, row[place]] for row in table(reader)]
        cells[0][-1] = reader.number.lower()
        assert f"names the column {reader.number.upper()} twice" in refusal(reader, write(cells))

    def test_no_header(self, reader: Reader) -> None:
        if reader.name != "own table":  # its columns may have any names
            text = write(table(reader)[1:])
            assert f"Column {reader.header[0]} is missing" in refusal(reader, text)

    def test_the_header_again_in_the_middle(self, reader: Reader) -> None:
        cells = table(reader)
        sentence = refusal(reader, write([*cells[:300], cells[0], *cells[300:]]))
        if reader.name != "own table":  # there it makes a third value of the answer
            assert "Row 301, column" in sentence

    @pytest.mark.parametrize("text", ['"1\n2"', "inf", "1e400", "$7", "1.2.3"])
    def test_what_is_nearly_a_number(self, reader: Reader, text: str) -> None:
        cells = table(reader)
        cells[41][reader.header.index(reader.number)] = text
        sentence = refusal(reader, write(cells)).lower()
        assert "row 42" in sentence and reader.number.lower() in sentence

    def test_a_column_is_missing(self, reader: Reader) -> None:
        if reader.name == "own table":
            return  # its columns are whatever there is
        place = reader.header.index(reader.number)
        cells = [row[:place] + row[place + 1 :] for row in table(reader)]
        sentence = refusal(reader, write(cells))
        assert f"Column {reader.number} is missing" in sentence

    def test_ten_rows(self, reader: Reader) -> None:
        text = write(table(reader, 10))
        if reader.fewest:
            sentence = refusal(reader, text)
            assert "10" in sentence and str(reader.fewest) in sentence
        else:  # ten payments make a short queue
            assert len(reader.numbers(reader.read(text.encode(), Limits()))) == 10

    @pytest.mark.parametrize("data", [b"", b"  \n", b"\x89PNG\x00\x01", b"just words\n"])
    def test_no_table_at_all(self, reader: Reader, data: bytes) -> None:
        refusal(reader, data)


@dated
class TestDates:
    def test_no_dates(self, reader: Reader) -> None:
        place = reader.header.index(reader.date)
        cells = [row[:place] + row[place + 1 :] for row in table(reader)]
        if reader.name == "own table":  # a table need not have a time; rows are drawn by lot
            assert not reader.read(write(cells).encode(), Limits()).by_time
        else:
            assert f"Column {reader.date} is missing" in refusal(reader, write(cells))

    def test_a_cell_is_no_date(self, reader: Reader) -> None:
        cells = table(reader)
        cells[41][reader.header.index(reader.date)] = "soon"
        sentence = refusal(reader, write(cells))
        assert "Row 42" in sentence and reader.date in sentence and "soon" in sentence
        cells[41][reader.header.index(reader.date)] = ""
        sentence = refusal(reader, write(cells))
        assert "Row 42" in sentence and reader.date in sentence and ": ''" in sentence

    def test_unsorted_dates_are_put_in_order(self, reader: Reader) -> None:
        cells = table(reader)
        turned = [cells[0], *cells[:0:-1]]
        found, expected = (reader.read(write(c).encode(), Limits()) for c in (turned, cells))
        if reader.name == "own table":
            assert found.by_time
            # The last in time are tested, wherever they stand in the file.
            assert set(found.test) == set(len(found.y) - 1 - expected.test)
        else:
            assert found.sorted_here and not expected.sorted_here
            np.testing.assert_array_equal(reader.numbers(found), reader.numbers(expected))

    def test_a_date_twice(self, reader: Reader) -> None:
        cells = table(reader)
        place = reader.header.index(reader.date)
        cells[20][place] = cells[10][place]
        if reader.name == "prices":  # a day has one price
            sentence = refusal(reader, write(cells))
            assert "Rows 11 and 21" in sentence and "Date" in sentence
        else:  # two payments may fall into one second
            reader.read(write(cells).encode(), Limits())


def test_one_class_only() -> None:
    """Payments without any fraud are a queue all the same; nothing can be learned from them."""
    for reader in READERS:
        if reader.answer:
            cells = table(reader)
            for row in cells[1:]:
                row[-1] = "0"
            if reader.name == "payments":
                assert not reader.read(write(cells).encode(), Limits()).table["TX_FRAUD"].any()
            else:
                sentence = refusal(reader, write(cells))
                assert "Column LABEL has one value only (0)" in sentence


def test_an_answer_with_three_values() -> None:
    reader = READERS[-1]
    cells = table(reader)
    for i, row in enumerate(cells[1:]):
        row[-1], row[2] = str(i % 3), "red"
    assert "No column has exactly two values" in refusal(reader, write(cells))
