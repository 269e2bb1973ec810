"""The gallery: every case, by domain."""

from dlportal.ui.gallery import gallery
from dlportal.ui.router import require_router

require_router()
gallery()
