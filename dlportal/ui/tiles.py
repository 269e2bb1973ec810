"""The gallery's pills, search and tiles as one element.

Built of Streamlit's own elements a tile takes four, and fifty-six of them take the browser a third
of a second and the server, beside other visitors, a wait for its turn each. This is one component
that draws all at once and filters in the browser, at every key; a click on a tile asks the server
for the page, so that nothing is loaded anew. The script is `tiles.js`.
"""

import base64
import json
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import streamlit as st

from dlportal.cards import DOMAINS, Card, all_cards, show_value
from dlportal.ui.language import _, language
from dlportal.ui.router import DOMAIN_ICONS, DOMAIN_NAMES, page_of
from dlportal.ui.state import share
from dlportal.ui.words import PROVENANCE, metric_name

CROWD = 3  # cases a domain from which on each domain gets its own heading
SCRIPT = Path(__file__).with_suffix(".js")
STYLE = """
.gallery { font: 400 0.875rem/1.5 var(--st-font); color: var(--st-text-color); }
.bar { display: flex; flex-wrap: wrap; gap: 0.75rem 1rem; align-items: center; justify-content: space-between; }
.pills { display: flex; flex-wrap: wrap; gap: 0.25rem; flex: 1 1 20rem; }
.pill {
  display: inline-flex; gap: 0.5rem; align-items: center; padding: 0.25rem 0.75rem; min-height: 2rem;
  font: inherit; color: inherit; background: var(--st-background-color); cursor: pointer;
  border: 1px solid var(--st-border-color); border-radius: 999px;
}
.pill:hover { border-color: var(--st-primary-color); color: var(--st-primary-color); }
.pill[aria-pressed=true] {
  border-color: var(--st-primary-color); color: var(--st-primary-color);
  background: color-mix(in srgb, var(--st-primary-color) 12%, transparent);
}
.icon { font: 400 1.125rem/1 "Material Symbols Rounded"; user-select: none; }
.search {
  display: flex; gap: 0.5rem; align-items: center; padding: 0 0.75rem; height: 2.5rem; flex: 0 1 14.5rem;
  box-sizing: border-box; background: var(--st-secondary-background-color);
  border: 1px solid var(--st-border-color); border-radius: 0.625rem;
}
.search:focus-within { border-color: var(--st-primary-color); }
.search .icon, .search input::placeholder { color: var(--st-gray-text-color); opacity: 1; }
.search input { flex: 1; min-width: 0; font: inherit; color: inherit; background: none; border: 0; outline: 0; }
@media (max-width: 640px) { .search { flex: 1 1 100%; } }
.tiles {
  display: grid; gap: 1.5rem 1.25rem;
  grid-template-columns: repeat(auto-fill, minmax(max(9.5rem, calc((100% - 5rem) / 5)), 1fr));
}
h2 { font: 600 1.5rem/1.2 var(--st-heading-font); margin: 2.5rem 0 1rem; }
.shelf > :first-child { margin-top: 1.25rem; }
a { display: block; color: inherit; text-decoration: none; border-radius: 0.625rem; }
a:focus-visible, .pill:focus-visible { outline: 2px solid var(--st-primary-color); outline-offset: 4px; }
img { display: block; width: 100%; aspect-ratio: 8 / 5; border-radius: 0.625rem; }
a:hover img { filter: brightness(1.08); }
.domain { margin-bottom: 0.375rem; }
.title { font-weight: 600; margin: 0.625rem 0 0.25rem; }
a:hover .title { text-decoration: underline; }
.quiet { color: var(--st-gray-text-color); }
.facts { display: flex; flex-wrap: wrap; gap: 0.25rem 0.5rem; align-items: center; margin-top: 0.375rem; }
.badge { padding: 0 0.375rem; border-radius: 0.375rem; white-space: nowrap; }
"""


def tiles() -> str | None:
    """Draw the filter and all cases that have a page; the chosen domain goes into the address.

    Returns:
        The id of the case that was just chosen, if one was.
    """
    draw = st.components.v2.component("tiles", css=STYLE, js=script())
    # A case without its page cannot be linked to; it is missing here and nowhere else.
    cards = [card for card in all_cards().values() if page_of(card.id).exists()]
    seed = {key: st.session_state.get(key) or "" for key in ("domain", "search")}
    if all(card.domain != seed["domain"] for card in cards):
        seed["domain"] = ""
    # The seed comes last in the same object: what is before it is the same for every visitor.
    kept = packed(tuple(card.id for card in cards), language())
    data = kept[:-1] + b"," + json.dumps(seed).encode()[1:]
    chosen = draw(
        data=data, key="tiles", on_chosen_change=lambda: None, on_domain_change=share_domain
    ).chosen
    return chosen if chosen in all_cards() else None


def share_domain() -> None:
    """Keep the domain that was just pressed, and put it into the address."""
    st.session_state["domain"] = st.session_state["tiles"].domain
    share("domain", st.session_state["domain"])


@cache
def script() -> str:
    return SCRIPT.read_text(encoding="utf-8")


@lru_cache(maxsize=8)
def packed(case_ids: tuple[str, ...], lang: str) -> bytes:
    """The component's data in the session's language `lang`; kept, since every visitor gets it.

    As bytes: in a dict Streamlit would look for tables, and import numpy and pandas to do so.
    """
    cards = [all_cards()[case_id] for case_id in case_ids]
    present = {card.domain for card in cards}
    data = {
        "words": {
            "domain": _("Domain"),
            "search": _("Search {n} cases").format(n=len(cards)),
            "none": _("No case fits. Clear the search or choose another domain."),
        },
        "crowd": CROWD,
        "domains": [
            {
                "id": name,
                "name": _(DOMAIN_NAMES[name]),
                "icon": DOMAIN_ICONS[name].split("/")[1][:-1],
            }
            for name in DOMAINS
            if name in present
        ],
        "tiles": [tile(card, lang) for card in cards],
    }
    return json.dumps(data).encode()


def tile(card: Card, lang: str) -> dict[str, Any]:
    """What the browser needs to know of one case; `text` is where a search looks."""
    label, color, _icon = PROVENANCE[card.provenance]
    names = (card.title.en, card.title.zh, card.summary.en, card.summary.zh, card.model)
    return {
        "id": card.id,
        "href": f"./{card.id}?lang={lang}",
        "domain": card.domain,
        "image": thumbnail(card.id),
        "title": card.title(lang),
        "summary": card.summary(lang),
        "badge": _(label),
        "color": color,
        "metric": metric_name(card.main.name) if card.main else "",
        "value": show_value(card.main) if card.main else "",
        "text": " ".join((card.id, *names)).lower(),
    }


@cache
def thumbnail(case_id: str) -> str:
    """A case's picture as a data address; "" where it has none."""
    path = all_cards()[case_id].thumbnail
    if not path.exists():
        return ""
    return "data:image/webp;base64," + base64.b64encode(path.read_bytes()).decode()
