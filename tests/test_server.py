"""The server is ready before the first visitor."""

import subprocess
import sys

import pytest


@pytest.mark.parametrize("module", ["dlportal.ui.gallery", "dlportal.ui.frame"])
def test_the_server_has_read_the_first_page_before_it_takes_visitors(module: str) -> None:
    """In a process of its own, since this one has imported everything; torch stays out."""
    code = (
        "import asyncio, sys\n"
        "from dlportal.ui.ready import ready\n"
        "async def start():\n"
        "    async with ready(None):\n"
        f"        assert {module!r} in sys.modules and 'torch' not in sys.modules\n"
        "        from streamlit import delta_generator\n"
        "        delta_generator.env_util.is_repl = lambda: 1 / 0  # reads the whole stack's source\n"
        "        delta_generator._maybe_print_use_warning()\n"
        "asyncio.run(start())\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)


def test_charts_come_with_all_of_pandas() -> None:
    """Plotly fails on a pandas that another thread has imported half."""
    code = "import sys, dlportal.ui.charts; sys.modules['pandas'].Series"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)
