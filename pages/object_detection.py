"""Find everyday objects in a photograph, and see which part of it each box rests on."""

from dlportal.ui import page

case = page.open_case("object_detection")

# Imported here: the title is drawn before torch loads.
from dlportal.ui import detection

left, right = page.columns()
with left:
    picked = page.pick_input(case)
    case = detection.thresholds(case)
    network = detection.choose_network()
with right:
    if network == "large":
        answer = detection.by_larger(case, picked)
    else:
        answer = page.run(case, picked)
    detection.draw_boxes(case, picked, answer)
    page.show(case, answer)
page.panels(
    case,
    detection.settled(case, picked),
    extra={"trust": lambda: detection.trust(case)},
    replaced=detection.explained_instead(answer, network),
    titles=detection.TITLES,
)
