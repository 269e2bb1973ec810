"""Find and count the cells in a photograph of a blood smear; not for clinical use."""

from dlportal.ui import page

case = page.open_case("blood_cells")

# Imported here: the title is drawn before torch loads.
from dlportal.ui import cells, detection

cells.warning()
left, right = page.columns()
with left:
    picked = page.pick_input(case)
    case = detection.thresholds(case)
with right:
    answer = page.run(case, picked)
    cells.draw(case, picked, answer)
page.panels(
    case,
    detection.settled(case, picked),
    extra={"trust": lambda: cells.trust(case), "train": lambda: cells.changed(case, picked)},
    replaced=detection.explained_instead(answer, "small"),
    titles=cells.TITLES,
)
