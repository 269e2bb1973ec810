"""The logo and the tab's icon.

`st.logo` and `page_icon` import numpy and Pillow to find out that a picture needs no change: a
seventh of the gallery's memory and time to first render, for two small files. The messages that
they would send are sent here; Streamlit is pinned, and a test looks at the logo in a browser.
"""

import base64
from functools import cache
from pathlib import Path

from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.Logo_pb2 import Logo
from streamlit.proto.PageConfig_pb2 import PageConfig
from streamlit.runtime.scriptrunner import get_script_run_ctx

from dlportal.ui.theme import is_dark

IMAGES = Path(__file__).parent / "images"


def brand() -> None:
    """Put the logo on the page and the icon on its tab."""
    context = get_script_run_ctx()
    if context is None:
        return
    logo, icon = ForwardMsg(), ForwardMsg()
    logo.logo.image = picture("logo_dark.png" if is_dark() else "logo_light.png")
    logo.logo.image_type = Logo.ImageType.IMAGE
    logo.logo.size = "medium"  # at 390 pixels "large" would push the menu off the screen
    page = icon.page_config_changed
    page.favicon = picture("icon.png")
    page.layout, page.initial_sidebar_state = PageConfig.LAYOUT_UNSET, PageConfig.SIDEBAR_UNSET
    context.enqueue(logo)
    context.enqueue(icon)


@cache
def picture(name: str) -> str:
    """One of our pictures as a data address."""
    data = (IMAGES / name).read_bytes()
    return "data:image/png;base64," + base64.b64encode(data).decode()
