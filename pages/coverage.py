"""The article's claims, each linked to the case and the step that shows it."""

from dlportal.ui.coverage import article
from dlportal.ui.router import require_router

require_router()
article()
