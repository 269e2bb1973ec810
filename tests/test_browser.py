"""The portal in a real browser: deep links, language, uploads, downloads, tours, trainings.

One server serves all tests except the cold deep links. Every wait is for a condition.
"""

import ast
import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from browser.portal import NAMELESS, NARROW, PATIENCE, SIDEWAYS, Tab, portal
from PIL import Image
from playwright.sync_api import expect

from dlportal.bench.browser import missing_browser, open_browser
from dlportal.bench.server import Server
from dlportal.cards import all_cards, load_card
from dlportal.ui.language import catalogue
from dlportal.ui.router import PAGES

pytestmark = [
    pytest.mark.browser,
    pytest.mark.assets,
    pytest.mark.skipif(bool(missing_browser()), reason=missing_browser() or "-"),
]

NAMES = sorted(path.stem for path in PAGES.glob("*.py"))
TITLES = {
    "home": "Deep learning you can try, question and check",
    "scorecard": "Scorecard",
    "coverage": "The article, claim by claim",
    "faq": "Four questions",
}
TOURED = "optimizer_race"
PRESS_AND_HOLD = """(gallery, held) => {
  gallery.classList.add("old")
  gallery.querySelector(".pill[data-id=vision]").click()
  gallery.querySelector(held).focus()
}"""
TRAINED = "classic_control"  # needs no dataset


def title_of(name: str, language: str) -> str:
    if name in TITLES:
        return catalogue(language).gettext(TITLES[name])
    return load_card(name).title(language)


def address_of(name: str) -> str:
    return "" if name == "home" else name


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    with open_browser() as running:
        yield running


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with portal(tmp_path_factory.mktemp("portal")) as running:
        yield running


@pytest.mark.parametrize("name", NAMES)
def test_cold_deep_link(name: str, browser: Any, tmp_path: Path) -> None:
    """The first visitor of a fresh server may come by any link: portal.py must run, not the page."""
    with portal(tmp_path) as fresh, Tab(browser, fresh) as tab:
        tab.page.goto(f"{fresh.address}/{address_of(name)}", wait_until="commit")
        tab.page.get_by_role("heading", level=1, name=title_of(name, "en")).wait_for()
        # The frame around the page is drawn by portal.py alone.
        tab.page.locator("[data-testid=stTopNavLinkContainer]").first.wait_for(state="attached")
        tab.page.get_by_text("中文", exact=True).wait_for()
        tab.page.wait_for_function("() => document.title.endsWith('DL Portal')")
        tab.page.get_by_test_id("stHeaderLogo").wait_for()
        icon = "() => document.querySelector('link[rel*=icon]').href.startsWith('data:image/png')"
        tab.page.wait_for_function(icon)
        assert "Page not found" not in tab.text()


@pytest.mark.parametrize("name", NAMES)
def test_page_on_a_telephone_in_chinese(name: str, browser: Any, server: Server) -> None:
    """Title in the browser's language, no sideways scrolling, everything has a name."""
    with Tab(browser, server, "zh-CN", NARROW) as tab:
        tab.open(address_of(name))
        headings = tab.page.get_by_role("heading", level=1)
        assert headings.all_inner_texts() == [title_of(name, "zh")]
        assert tab.page.evaluate(SIDEWAYS) <= 0
        assert tab.page.evaluate(NAMELESS) == []
        tab.check()


def test_language_switch(browser: Any, server: Server) -> None:
    with Tab(browser, server) as tab:
        tab.open("scorecard")
        tab.choose("中文")
        tab.page.get_by_role("heading", level=1, name=title_of("scorecard", "zh")).wait_for()
        assert "lang=zh" in tab.page.url
        tab.open("optimizer_race?lang=zh")
        tab.choose("English")
        tab.page.get_by_role("heading", level=1, name=title_of("optimizer_race", "en")).wait_for()
        tab.check()


def test_the_gallery_filters_and_opens_without_a_reload(browser: Any, server: Server) -> None:
    with Tab(browser, server) as tab:
        tab.page.goto(server.address)
        tiles = tab.page.locator(".tiles a")
        tiles.filter(has_text="Sentiment").wait_for()
        assert tiles.count() == len(all_cards())
        tab.page.evaluate("() => { window.stays = true }")
        search = tab.page.get_by_placeholder("Search")
        search.fill("nothing of this kind")
        tab.page.get_by_text("No case fits.").wait_for()
        search.fill("control classic")
        expect(tiles).to_have_count(1)
        tab.page.locator(".pill", has_text="Vision").click()
        expect(tiles).to_have_count(0)
        tab.page.wait_for_url("**domain=vision*")
        tab.page.locator(".pill", has_text="Vision").click()
        expect(tiles).to_have_count(1)
        tiles.first.focus()
        tab.page.keyboard.press("Enter")
        title = load_card("classic_control").title("en")
        tab.page.get_by_role("heading", level=1, name=title).wait_for()
        assert tab.page.evaluate("() => window.stays")


def test_the_gallery_drawn_anew_leaves_the_keyboard_where_it_was(
    browser: Any, server: Server
) -> None:
    with Tab(browser, server) as tab:
        tab.open("")
        gallery = tab.page.locator(".gallery")
        for held in (".pill[data-id=speech]", ".tiles a", "input"):
            # The server hears of the domain, answers, and all is drawn anew.
            gallery.evaluate(PRESS_AND_HOLD, held)
            expect(gallery).not_to_have_class("gallery old")
            expect(gallery.locator(held).first).to_be_focused()
        tab.check()


def test_a_link_to_the_gallery_carries_its_filter(browser: Any, server: Server) -> None:
    cards = [card for card in all_cards().values() if card.domain == "medical"]
    with Tab(browser, server, "zh-CN") as tab:
        tab.open("?domain=medical&lang=zh")
        tiles = tab.page.locator(".tiles a")
        expect(tiles).to_have_count(len(cards))
        for card in cards:
            tiles.filter(has_text=card.title("zh")).wait_for()
        tab.open("?domain=nowhere&search=whisper")
        expect(tiles.filter(has_text=load_card("speech_recognition").title("zh"))).to_have_count(1)
        tab.check()


def picture(side: int = 64) -> bytes:
    """A PNG of smooth random colours."""
    coarse = np.random.default_rng(0).integers(0, 256, (6, 8, 3), dtype=np.uint8)
    out = io.BytesIO()
    Image.fromarray(coarse).resize((side, side), Image.Resampling.BICUBIC).save(out, "PNG")
    return out.getvalue()


def bomb() -> bytes:
    """A small PNG of 13000 × 13000 pixels."""
    out = io.BytesIO()
    Image.new("1", (13000, 13000)).save(out, "PNG")
    return out.getvalue()


def test_uploads_good_and_bad(browser: Any, server: Server) -> None:
    """A picture is answered; a bomb and a text get one sentence; then a picture is answered."""
    files = {
        "good.png": (picture(), "Your picture"),
        "bomb.png": (bomb(), "13000×13000"),
        "text.png": (b"hello, I am a text", "This is not a picture we can read."),
        "again.png": (picture(96), "Your picture"),
    }
    with Tab(browser, server) as tab:
        tab.open("imagenet_classification?panel=code")
        tab.choose("Upload")
        for name, (data, expected) in files.items():
            tab.page.locator("[data-testid=stFileUploader] input[type=file]").set_input_files(
                {"name": name, "mimeType": "image/png", "buffer": data}
            )
            if expected == "Your picture":
                tab.page.get_by_alt_text(expected).wait_for()
                tab.page.get_by_text('case.read("picture.png")').wait_for()
            else:
                tab.page.get_by_text(expected).wait_for()
            tab.settle()
            assert tab.page.locator("[data-testid=stAlert]").count() == ("Your" not in expected)
            tab.check()


def test_download_of_the_scorecard(browser: Any, server: Server) -> None:
    with Tab(browser, server) as tab:
        tab.open("scorecard")
        with tab.page.expect_download(timeout=PATIENCE) as waiting:
            tab.button("Download CSV").click()
        text = Path(waiting.value.path()).read_text(encoding="utf-8")
        rows = list(csv.DictReader(io.StringIO(text)))
        assert rows and {"case", "kind", "name", "value", "command"} <= rows[0].keys()
        assert waiting.value.suggested_filename == "dlportal-scorecard.csv"
        tab.check()


def test_download_of_the_code(browser: Any, server: Server) -> None:
    with Tab(browser, server) as tab:
        tab.open("optimizer_race?panel=code")
        with tab.page.expect_download(timeout=PATIENCE) as waiting:
            tab.button("Download").click()
        code = Path(waiting.value.path()).read_text(encoding="utf-8")
        assert "torch" in code and ast.parse(code).body
        tab.check()


def test_walkthrough_to_the_end(browser: Any, server: Server) -> None:
    """Every step shows itself, is in the address, and the last one closes the bar."""
    steps = load_card(TOURED).tour()
    with Tab(browser, server) as tab:
        tab.open(TOURED)
        tab.button("Walk me through").click()
        for number, step in enumerate(steps, start=1):
            tab.page.get_by_text(step.title.en, exact=True).wait_for()
            tab.page.get_by_text(f"{number} / {len(steps)}", exact=True).wait_for()
            tab.settle()
            assert f"step={number}" in tab.page.url
            tab.check()
            tab.button("Finish" if number == len(steps) else "Next").click()
        tab.page.get_by_text(f"/ {len(steps)}").wait_for(state="detached")
        assert "step=" not in tab.page.url


# A training has made some of its steps.
ADVANCED = "() => /Step [1-9][0-9,]* of/.test(document.body.innerText)"
# Between two looks the number of steps has not changed.
HOLDS = """() => {
  const now = document.body.innerText.match(/Step [0-9,]+/)[0]
  const same = now === window.last
  window.last = now
  return same
}"""
# How many charts are drawn now, how few there ever were, and whether they are still the same nodes.
WATCH = """() => {
  const host = () => [...document.querySelectorAll('[data-testid=stElementContainer] *')]
    .map(e => e.shadowRoot).find(root => root?.querySelector('.drawn'))
  const charts = () => [...(host()?.querySelectorAll('svg.chart') || [])]
    .filter(e => e.querySelector('path') && e.getBoundingClientRect().height > 100)
  const faded = () => {
    let e = host()?.host
    while (e && getComputedStyle(e).opacity === '1') e = e.parentElement
    return Boolean(e)
  }
  window.first = charts()
  window.seen = { fewest: window.first.length, pictures: new Set(), faded: 0 }
  const look = () => {
    const now = charts()
    window.seen.fewest = Math.min(window.seen.fewest, now.length)
    if (now.length) window.seen.pictures.add(now.at(-1).innerHTML)
    window.seen.faded += faded()
    requestAnimationFrame(look)
  }
  look()
  return window.first.length
}"""
SEEN = "[window.seen.fewest, window.seen.faded, window.first.every(e => e.isConnected)]"


def test_training_goes_on_after_a_reload(browser: Any, server: Server) -> None:
    """Started, seen to advance, still there after a reload, stopped, and still known."""
    with Tab(browser, server) as tab:
        tab.open(f"{TRAINED}?panel=train")
        tab.button("Train").click()
        tab.page.wait_for_function(ADVANCED)
        tab.page.reload(wait_until="commit")
        tab.page.locator("[data-testid=stProgress]").wait_for()
        tab.button("Stop").click()
        tab.page.get_by_text("Stopped after").wait_for()
        tab.page.reload(wait_until="commit")
        tab.page.get_by_text("Stopped after").wait_for()
        tab.button("Train").wait_for()
        tab.check()


def test_a_training_pauses_steps_and_keeps_its_chart(browser: Any, server: Server) -> None:
    """The chart is drawn in place from the first point to the end; a pause outlives a reload."""
    with Tab(browser, server) as tab:
        tab.open(f"{TRAINED}?panel=train")
        tab.button("Train").click()
        tab.page.wait_for_function(ADVANCED)  # until then an earlier training's chart stands there
        tab.page.locator("svg.chart").first.wait_for()
        assert tab.page.evaluate(WATCH) == 1
        tab.page.wait_for_function("window.seen.pictures.size > 4")
        tab.button("Pause").click()
        tab.button("Go on").wait_for()
        tab.page.wait_for_function(HOLDS, polling=1500)
        for _again in range(2):
            tab.page.evaluate(
                "() => { window.before = document.body.innerText.match(/Step [0-9,]+/)[0] }"
            )
            tab.button("One step").click()
            tab.page.wait_for_function(
                "() => !document.body.innerText.includes(window.before + ' ')"
            )
            tab.page.wait_for_function(HOLDS, polling=1500)
        tab.choose("Trust")
        tab.button("Go on").wait_for(state="detached")
        tab.settle()  # a click while the other panel is being drawn may get lost
        tab.choose("Train")
        tab.button("Go on").wait_for()
        tab.settle()
        tab.page.reload(wait_until="commit")
        tab.button("Go on").wait_for()
        tab.page.locator("svg.chart").first.wait_for()
        assert tab.page.evaluate(WATCH) == 1
        tab.button("Go on").click()
        tab.button("Pause").wait_for()
        tab.page.wait_for_function("window.seen.pictures.size > 2")
        tab.button("Pause").click()
        tab.button("Go on").wait_for()
        tab.button("Stop").click()
        tab.page.get_by_text("Stopped after").wait_for()
        assert tab.page.evaluate(SEEN) == [1, 0, True]
        tab.check()


def test_moving_charts_are_never_away(browser: Any, server: Server) -> None:
    """While a training draws itself, no chart vanishes, fades or is put up anew."""
    say = catalogue("zh").gettext
    with Tab(browser, server, "zh-CN", (1440, 900)) as tab:
        tab.page.goto(f"{server.address}/regularization_lab?epochs=200", wait_until="commit")
        tab.page.locator("svg.chart path").first.wait_for()
        assert tab.page.evaluate(WATCH) == 6
        tab.button(say("Pause")).click()
        tab.button(say("One step")).click()
        tab.button(say("Go on")).click()
        tab.button(say("Again")).wait_for()
        assert tab.page.evaluate(SEEN) == [6, 0, True]
        assert tab.page.evaluate("window.seen.pictures.size") > 10, "it drew as it trained"
        tab.check()


def test_charts_of_an_experiment_stay_to_its_end(browser: Any, server: Server) -> None:
    """The practice lab's charts are the same nodes from the first point to the end."""
    with Tab(browser, server) as tab:
        tab.open("practice_lab?data=digits&pictures=1000&epochs=10&width=32&batch=16&part=train")
        tab.button("Start").click()
        tab.page.locator("svg.chart").nth(1).wait_for()
        tab.page.wait_for_function(f"({WATCH})() === 2")
        tab.button("Start").wait_for()
        tab.page.get_by_text("Done", exact=True).wait_for()
        assert tab.page.evaluate(SEEN) == [2, 0, True]
        assert tab.page.evaluate("window.seen.pictures.size") > 2, "it drew as it trained"
        tab.check()
