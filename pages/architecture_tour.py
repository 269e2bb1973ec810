"""One task, four architectures: what each of them sees, and what breaks it."""

from dlportal.ui import page

case = page.open_case("architecture_tour")

# Imported here: the title is drawn before torch loads.
from dlportal.ui.arch import tour_and_panels

tour_and_panels(case)
