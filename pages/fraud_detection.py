"""Which of today's simulated card payments should somebody check, and why?"""

from dlportal.ui import page

case = page.open_case("fraud_detection")

# Imported here: the title is drawn before torch loads.
from dlportal.ui import fraud_queue, fraud_replay, own_table
from dlportal.ui.language import _
from dlportal.ui.words import note

left, right = page.columns()
with left:
    queue = fraud_queue.choose_payments(case)
    rule = fraud_queue.choose_rule(case)
picked = None
if queue is not None:
    with right:
        fraud_queue.show_outcome(queue, rule)
    fraud_queue.show_queue(queue, rule)
    fraud_replay.show_replay(case, queue, rule)
    picked, place = fraud_queue.pick_payment(case, queue)
    answer = page.run(case, picked)
    left, right = page.columns()
    with left:
        fraud_queue.show_facts(picked)
    with right:
        if answer is not None:
            fraud_queue.show_verdict(case, picked, answer, rule)
page.panels(case, picked, extra={"train": lambda: own_table.own_section(case.card)})
note(_("All payments shown as examples are simulated. Not investment advice."))
