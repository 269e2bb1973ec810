"""What the server does before it takes its first visitor, who would otherwise wait for it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib import import_module

import streamlit as st
from streamlit import delta_generator
from streamlit.runtime.pages_manager import PagesManager

from dlportal.cards import all_cards
from dlportal.serving import freeze_imports
from dlportal.training.spare import Spares
from dlportal.ui.language import LANGUAGES, catalogue
from dlportal.ui.tiles import thumbnail

# The first page's own, and what Streamlit would import in the first run only.
MODULES = ("dlportal.ui.frame", "dlportal.ui.gallery", "streamlit.material_icon_names")


@asynccontextmanager
async def ready(_app: st.App) -> AsyncIterator[None]:
    """Import the gallery, read the cards, the languages and the thumbnails; no torch, no model."""
    PagesManager.uses_pages_directory = False  # `portal.py` says which pages there are
    for module in MODULES:
        import_module(module)
    for code in LANGUAGES:
        catalogue(code)
    for case_id in all_cards():
        thumbnail(case_id)
    # The first element drawn looks through the source of the whole stack to find out whether it runs
    # in a console: the first visitor would wait a tenth of a second for a warning to a developer.
    delta_generator._use_warning_has_been_displayed = True
    Spares.wanted = True
    freeze_imports()
    yield
