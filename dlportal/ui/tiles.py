"""The gallery's tiles as one element.

Built of Streamlit's own elements a tile takes four, and fifty-six of them take the browser a third
of a second and the server, beside other visitors, a wait for its turn each. This is one component
that draws all tiles at once; a click asks the server for the page, so that nothing is loaded anew.
"""

import base64
import json
from collections.abc import Sequence
from functools import cache, lru_cache
from typing import Any

import streamlit as st

from dlportal.cards import Card, all_cards, show_value
from dlportal.ui.language import _, language
from dlportal.ui.router import DOMAIN_NAMES
from dlportal.ui.words import PROVENANCE, metric_name

STYLE = """
.tiles {
  display: grid; gap: 1.5rem 1.25rem;
  grid-template-columns: repeat(auto-fill, minmax(max(9.5rem, calc((100% - 5rem) / 5)), 1fr));
  font: 400 0.875rem/1.5 var(--st-font); color: var(--st-text-color);
}
h2 {
  font: 600 1.5rem/1.2 var(--st-heading-font);
  margin: 2.5rem 0 1rem; color: var(--st-text-color);
}
h2:first-child { margin-top: 0; }
a { display: block; color: inherit; text-decoration: none; border-radius: 0.625rem; }
a:focus-visible { outline: 2px solid var(--st-primary-color); outline-offset: 4px; }
img { display: block; width: 100%; aspect-ratio: 8 / 5; border-radius: 0.625rem; }
a:hover img { filter: brightness(1.08); }
.domain { margin-bottom: 0.375rem; }
.title { font-weight: 600; margin: 0.625rem 0 0.25rem; }
a:hover .title { text-decoration: underline; }
.quiet { color: var(--st-gray-text-color); }
.facts { display: flex; flex-wrap: wrap; gap: 0.25rem 0.5rem; align-items: center; margin-top: 0.375rem; }
.badge { padding: 0 0.375rem; border-radius: 0.375rem; white-space: nowrap; }
"""
SCRIPT = """
export default function ({ data, parentElement, setTriggerValue }) {
  const piece = (tag, style, text) => {
    const node = document.createElement(tag)
    if (style) node.className = style
    if (text) node.textContent = text
    return node
  }
  const draw = (tile) => {
    const link = piece("a")
    link.href = tile.href
    link.onclick = (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey || event.button) return
      event.preventDefault()
      setTriggerValue("chosen", tile.id)
    }
    if (tile.domain) link.append(piece("div", "domain quiet", tile.domain))
    const image = piece("img")
    image.src = tile.image
    image.alt = ""
    const facts = piece("div", "facts")
    const badge = piece("span", "badge", tile.badge)
    badge.style.background = `var(--st-${tile.color}-background-color)`
    badge.style.color = `var(--st-${tile.color}-text-color)`
    facts.append(badge)
    if (tile.value) {
      const metric = piece("span", "quiet", tile.metric + " ")
      metric.append(piece("strong", "", tile.value))
      facts.append(metric)
    }
    link.append(image, piece("div", "title", tile.title), piece("div", "quiet", tile.summary), facts)
    return link
  }
  const root = piece("div", "groups")
  for (const group of JSON.parse(new TextDecoder().decode(data))) {
    if (group.heading) root.append(piece("h2", "", group.heading))
    const tiles = piece("div", "tiles")
    tiles.append(...group.tiles.map(draw))
    root.append(tiles)
  }
  parentElement.querySelector(".groups")?.remove()
  parentElement.append(root)
}
"""


def tiles(groups: Sequence[tuple[str, Sequence[Card]]], with_domain: bool) -> str | None:
    """Draw tiles in groups, each under its heading ("" for none).

    Returns:
        The id of the case that was just chosen, if one was.
    """
    draw = st.components.v2.component("tiles", css=STYLE, js=SCRIPT)
    named = tuple((heading, tuple(card.id for card in cards)) for heading, cards in groups)
    data = packed(named, with_domain, language())
    return draw(data=data, key="tiles", on_chosen_change=lambda: None).chosen


@lru_cache(maxsize=256)
def packed(groups: tuple[tuple[str, tuple[str, ...]], ...], with_domain: bool, lang: str) -> bytes:
    """The tiles' data in the session's language `lang`; kept, since every visitor gets the same.

    As bytes: in a dict Streamlit would look for tables, and import numpy and pandas to do so.
    """
    shown = [
        {
            "heading": heading,
            "tiles": [tile(all_cards()[case_id], with_domain, lang) for case_id in case_ids],
        }
        for heading, case_ids in groups
    ]
    return json.dumps(shown).encode()


def tile(card: Card, with_domain: bool, lang: str) -> dict[str, Any]:
    """What the browser needs to know of one case."""
    label, color, _icon = PROVENANCE[card.provenance]
    return {
        "id": card.id,
        "href": f"./{card.id}?lang={lang}",
        "domain": _(DOMAIN_NAMES[card.domain]) if with_domain else "",
        "image": thumbnail(card.id),
        "title": card.title(lang),
        "summary": card.summary(lang),
        "badge": _(label),
        "color": color,
        "metric": metric_name(card.main.name) if card.main else "",
        "value": show_value(card.main) if card.main else "",
    }


@cache
def thumbnail(case_id: str) -> str:
    """A case's picture as a data address; "" where it has none."""
    path = all_cards()[case_id].thumbnail
    if not path.exists():
        return ""
    return "data:image/webp;base64," + base64.b64encode(path.read_bytes()).decode()
