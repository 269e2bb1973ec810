"""The article's four questions, answered with measurements."""

from dlportal.ui.faq import questions
from dlportal.ui.router import require_router

require_router()
questions()
