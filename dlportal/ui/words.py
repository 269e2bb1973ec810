"""Small pieces of text and buttons that look the same everywhere."""

from typing import Any

import streamlit as st

from dlportal.cards import Card
from dlportal.messages import N_
from dlportal.ui.language import _, language
from dlportal.ui.theme import is_dark

# Provenance: name, colour, icon; the colour never stands alone.
PROVENANCE = {
    "pretrained": (N_("pretrained"), "blue", ":material/inventory_2:"),
    "fine_tuned": (N_("fine-tuned here"), "violet", ":material/tune:"),
    "trained": (N_("trained here"), "green", ":material/model_training:"),
    "live": (N_("trained live"), "gray", ":material/play_circle:"),
    "synthetic": (N_("synthetic data"), "orange", ":material/science:"),
}
# Names of the panels of a case.
PANEL_NAMES = {
    "explain": N_("Explain"),
    "trust": N_("Trust"),
    "train": N_("Train"),
    "code": N_("Code"),
}
# Metric names; a name that is missing here shows as it is on the card.
METRIC_NAMES = {
    "accuracy": N_("accuracy"),
    "top1_accuracy": N_("top-1 accuracy"),
    "top5_accuracy": N_("top-5 accuracy"),
    "balanced_accuracy": N_("balanced accuracy"),
    "macro_f1": N_("macro F1"),
    "micro_f1": N_("micro F1"),
    "f1": "F1",
    "auc": "AUC",
    "oos_auroc": N_("AUC against out-of-scope questions"),
    "oos_recall": N_("out-of-scope questions refused"),
    "accuracy_with_refusals": N_("accuracy, refusals counted as wrong"),
    "average_precision": N_("average precision"),
    "auc_lead": N_("lead in AUC"),
    "good_refused": N_("good payers refused"),
    "not_monotone": N_("customers that break the order"),
    "average_precision_lead": N_("lead in average precision"),
    "average_precision_handbook": N_("average precision, Handbook's protocol"),
    "average_precision_handbook_columns": N_("average precision, Handbook's protocol and columns"),
    "precision_at_50": N_("precision at 50 alerts a day"),
    "money_saved": N_("money saved after checks"),
    "ece": "ECE",
    "wer": N_("word error rate"),
    "bleu": "BLEU",
    "chrf": "chrF",
    "round_trip_wer": N_("round-trip word error rate"),
    "rtf": N_("real-time factor"),
    "loso_accuracy": N_("accuracy on a new voice"),
    "kept_answer": N_("answers that survive on a fifth of the spectrogram"),
    "known_voices": N_("known voices"),
    "new_voices": N_("new voices"),
    "reward": N_("reward"),
    "perplexity": N_("perplexity"),
    "bits_per_byte": N_("bits per byte"),
    "perplexity_no_punctuation": N_("perplexity, punctuation left out"),
    "next_token_accuracy": N_("next-token accuracy"),
    "val_loss": N_("loss, nats a character"),
    "val_loss_apart": N_("the same, windows side by side"),
    "copied_share": N_("copied from the training text"),
    "form_kept": N_("poems that keep their form"),
    "sensitivity": N_("sensitivity"),
    "specificity": N_("specificity"),
    "precision": N_("precision"),
    "recall": N_("recall"),
    "rmse": "RMSE",
    "coverage": N_("measurements within their 90% interval"),
    "rank_correlation": N_("rank correlation of error and disagreement"),
    "faithful_share": N_("answers with a faithful map"),
    "insertion_gain": N_("insertion, gain over random maps"),
    "deletion_gain": N_("deletion, gain over random maps"),
    "gain_on_the_worse_curve": N_("gain over random maps, worse curve"),
    "brier": N_("Brier score"),
    "qlike": "QLIKE",
    "qlike_below_garch": N_("QLIKE below GARCH(1,1)"),
    "qlike_below_har": N_("QLIKE below HAR"),
    "qlike_below_log_har": N_("QLIKE below HAR in logarithms"),
    "return_coverage": N_("returns within their 90% interval"),
    "volatility_coverage": N_("volatilities within their 90% interval"),
    "oos_r2": N_("out-of-sample R² of returns"),
    "direction_accuracy": N_("direction right"),
    "dm_p_garch": N_("Diebold–Mariano p against GARCH(1,1)"),
    "dm_p_har": N_("Diebold–Mariano p against HAR"),
    "dm_p_log_har": N_("Diebold–Mariano p against HAR in logarithms"),
    "dm_p_garch_squared_returns": N_("the same p, judged by squared returns"),
    "skill": N_("loss saved, days in order"),
    "skill_shuffled": N_("loss saved, dates shuffled"),
    "map50": N_("mAP, overlap of a half"),
    "ap50_rbc": N_("AP, red cells"),
    "ap50_wbc": N_("AP, white cells"),
    "ap50_platelets": N_("AP, platelets"),
    "count_mae": N_("counts off by"),
    "count_mae_rbc": N_("red cells off by"),
    "count_mae_wbc": N_("white cells off by"),
    "count_mae_platelets": N_("platelets off by"),
    "on_stain": N_("boxes on stained matter"),
    "share_right": N_("boxes that were right"),
    "perfect": N_("as it should be"),
    "train_on_synthetic_accuracy": N_("accuracy, learned from generated"),
    "class_agreement": N_("read as asked"),
    "variety": N_("variety (1: as the data)"),
    "nearer_than_real": N_("nearer than 95% of real ones"),
    "agreement_strongest_fifth": N_("read as asked, a fifth pulled"),
    "generated": N_("generated"),
    "real_test_pictures": N_("real test pictures"),
    "first_kind": N_("read as the first kind"),
    "second_kind": N_("read as the second kind"),
    "outside_auc": N_("AUC of telling others from them"),
    "marked_outside": N_("marked as unlike the training data"),
    "exact_match": N_("exact match"),
    "f1_best_of_3": N_("F1, best of three answers"),
    "no_answer_auroc": N_("AUC of questions without an answer"),
    "answerable_kept": N_("questions with an answer kept"),
    "unanswerable_refused": N_("questions without an answer refused"),
}


def note(text: str, **where: Any) -> None:
    """Secondary text; `st.caption` has too little contrast."""
    st.markdown(f":small[:gray[{text}]]", **where)


def together(*sentences: str) -> str:
    """Sentences one after another; Chinese ones need no space between them."""
    return ("" if language() == "zh" else " ").join(filter(None, sentences))


def provenance_badge(card: Card) -> None:
    label, color, icon = PROVENANCE[card.provenance]
    st.badge(_(label), color=color, icon=icon)  # type: ignore[arg-type]


def metric_name(name: str) -> str:
    return _(METRIC_NAMES[name]) if name in METRIC_NAMES else name.replace("_", " ")


def main_button(label: str, **kwargs: Any) -> bool:
    """The one primary button of a screen; white on the dark accent would be unreadable."""
    return st.button(label, type="secondary" if is_dark() else "primary", **kwargs)


def count(n: int) -> str:
    """A number of parameters in words: 4.7 M, 470 万."""
    if language() == "zh":
        return f"{n / 1e8:.2f} 亿" if n >= 1e8 else f"{n / 1e4:,.0f} 万" if n >= 1e4 else f"{n:,}"
    return f"{n / 1e6:.1f} M" if n >= 1e6 else f"{n / 1e3:.0f} K" if n >= 1e3 else f"{n:,}"


def duration(seconds: float) -> str:
    """A time span, short: 19 ms, 4.2 s, 3 min."""
    if seconds < 1:
        return f"{1000 * seconds:.0f} ms"
    if seconds < 60:
        return f"{seconds:.1f} s"
    return _("{n} min").format(n=round(seconds / 60))
