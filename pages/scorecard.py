"""Every metric of every case, with the command that measured it."""

from dlportal.ui.router import require_router
from dlportal.ui.scorecard import scorecard

require_router()
scorecard()
