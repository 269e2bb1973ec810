"""How long training takes: here and now, beside the receipts of all cases."""

from typing import Any

import streamlit as st

from dlportal.cards import all_cards
from dlportal.coverage import Place
from dlportal.faq.timing import ALL, PICTURES, HereAndNow, Timed, receipts
from dlportal.ui.charts import bars, show_chart
from dlportal.ui.faq_parts import measured_here, percent, see
from dlportal.ui.language import _, language
from dlportal.ui.words import count, duration, note


def duration_of_training() -> None:
    found = receipts()
    st.markdown(
        _(
            "As long as weights, data and passes multiply to. The article speaks of hours to days; what this portal ships was trained in {least} to {most}, on processors, because the networks are small or start from pretrained weights."
        ).format(least=duration(found[-1].seconds), most=duration(found[0].seconds))
    )
    left, right = st.columns([4, 8], gap="large")
    with left:
        st.markdown("**" + _("How fast is this machine?") + "**")
        note(
            _(
                "The practice lab's best setting on at most {n} pictures, beside logistic regression on the same pixels."
            ).format(n=f"{int(PICTURES):,}")
        )

        def work() -> Any:
            from dlportal.faq.timing import here_and_now

            return here_and_now()

        timed = measured_here("time", _("Train here and now"), work)
        if timed is not None:
            here(timed)
    with right:
        st.markdown("**" + _("What the receipts say") + "**")
        cards = all_cards()
        names = [
            _("{case}, {n} weights trained").format(
                case=cards[r.case].title(language()), n=count(r.trained)
            )
            for r in found
        ]
        texts = [duration(r.seconds) for r in found]
        show_chart(
            bars(names, [r.seconds for r in found], texts),
            alt="; ".join(f"{name}: {text}" for name, text in zip(names, texts)),
            key="receipts",
        )
        devices = _("; ").join(sorted({r.device for r in found}))
        note(
            _(
                "Whole trainings of what is shipped, validation included; machine: {devices}. Other programs ran beside them, so a quiet machine is faster. Each receipt lies in `models/<case>/receipt.json` with the command that repeats it."
            ).format(devices=devices)
        )
    see(
        Place(case="practice_lab", step="Best practice against naive"),
        Place(case="classic_control", step="Train your own"),
        Place(case="sentiment", step="Train it yourself"),
    )


def here(found: HereAndNow) -> None:
    """Two tiles, and what a whole pass would take."""
    with st.grid(2, min_column_width=120):
        tile(_("small CNN"), found.network)
        tile(_("logistic regression"), found.linear)
    if found.data == "fashion_mnist":
        note(
            _("A pass over all {n} pictures of Fashion-MNIST would take {time} here.").format(
                n=f"{ALL:,}", time=duration(found.per_pass)
            )
        )
    else:
        note(_("Fashion-MNIST is not on this machine; scikit-learn's digits stood in."))
    note(
        _(
            "{device}. {n} pictures, {epochs} passes; {held} others held out, exact 95% intervals; always the same class: {blind}."
        ).format(
            n=f"{found.pictures:,}",
            epochs=found.epochs,
            device=found.device,
            held=f"{found.held:,}",
            blind=percent(found.blind),
        )
    )


def tile(name: str, timed: Timed) -> None:
    with st.container(border=True, gap="xsmall"):
        st.metric(name, duration(timed.seconds))
        note(
            _("{share} right ({low}–{high}), {n} weights").format(
                share=percent(timed.accuracy),
                low=f"{100 * timed.low:.1f}",
                high=percent(timed.high),
                n=count(timed.weights),
            )
        )
