"""Type a sentence, hear it, see every phoneme, and let a recogniser check each word."""

from functools import partial

from dlportal.messages import N_
from dlportal.ui import page
from dlportal.ui.language import _

case = page.open_case("speech_synthesis")

# Imported here: the title is drawn before torch loads.
from dlportal.ui import synthesis, views_audio  # noqa: F401 (views_audio registers the view)
from dlportal.ui.words import note

left, right = page.columns()
with left:
    picked = synthesis.choose_manner(page.pick_input(case))
with right:
    answer = page.run(case, picked)
    page.show(case, answer)
    if answer is None:
        note(_("The sound appears here once there is a text."))
    else:
        synthesis.download(answer.result)

extra = {}
if picked is not None and answer is not None:
    synthesis.round_trip(answer.result)
    extra["explain"] = partial(synthesis.decisions, case, picked.raw, answer.result)
page.panels(case, picked, extra=extra, titles={"explain": N_("What did it decide?")})
