"""How sound looks: a transcript on its waveform, speech with its phonemes, words that differ."""

from typing import Any

import numpy as np
import streamlit as st

from dlportal.cards import Card
from dlportal.kinds.audio import Sound
from dlportal.kinds.word_errors import Comparison, compare
from dlportal.messages import N_
from dlportal.results import Speech, Transcript, Word
from dlportal.ui.charts import show_chart
from dlportal.ui.language import _
from dlportal.ui.lines import Mark, sound_lines
from dlportal.ui.maps import ramp
from dlportal.ui.theme import UNSIGNED, palette
from dlportal.ui.views import scope, show
from dlportal.ui.words import duration, note

SURE, UNSURE = 0.8, 0.5  # borders of the three classes of confidence
DOUBTFUL_TEXT = 0.6  # mean confidence below which the whole text is doubtful
WORD_SPAN, WORD_LANES = 4.0, 3  # seconds a line; lanes that keep words apart on a phone
PHONE_SPAN, PHONE_LANES = 2.5, 2
BANDS = 72
TALLEST_HZ = 8_000
PICTURE = 1_600  # columns of a spectrogram, at most

CONFIDENCE = {
    "sure": (N_("sure"), "solid"),
    "unsure": (N_("unsure"), "dash"),
    "doubtful": (N_("doubtful"), "dot"),
}


@show.register
def show_transcript(result: Transcript, card: Card, seconds: float) -> None:
    """What was heard, with uncertain words marked."""
    note(_("The network heard"))
    silence = "*" + _("No words were heard.") + "*"
    st.markdown(marked_text(result) if result.words else silence)
    mean = mean_confidence(result)
    with st.grid(3, min_column_width=96):
        st.metric(_("Words"), len(result.words))
        st.metric(
            _("Mean confidence"),
            f"{100 * mean:.0f}%" if result.words else "–",
            help=_("The probability that the network gives its words, averaged."),
        )
        st.metric(
            _("Time"),
            duration(seconds),
            help=_("To transcribe {duration} of sound.").format(duration=duration(result.seconds)),
        )
    if result.words:
        scope(False if mean < DOUBTFUL_TEXT else None, card)


def mean_confidence(result: Transcript) -> float:
    return float(np.mean([word.probability for word in result.words])) if result.words else 0.0


def confidence_class(probability: float) -> str:
    return "sure" if probability >= SURE else "unsure" if probability >= UNSURE else "doubtful"


def marked_text(result: Transcript) -> str:
    """The words; those that are not sure on a coloured ground, with the number."""
    out = []
    for word in result.words:
        kind = confidence_class(word.probability)
        text = escape(word.text)
        percent = f"{100 * word.probability:.0f}%"
        if kind == "sure":
            out.append(text)
        elif kind == "unsure":
            out.append(f":orange-background[{text} :small[{percent}]]")
        else:
            out.append(f":red-background[*{text}* :small[{percent}]]")
    return " ".join(out)


def escape(text: str) -> str:
    """Keep Markdown from reading recognised or typed words as marks."""
    return "".join(f"\\{c}" if c in "\\`*_{}[]()#+-.!|~$<>:&" else c for c in text)


def show_words_on_sound(result: Transcript, sound: Sound) -> None:
    """The waveform with each word at its time, barred by confidence."""
    marks = [word_mark(word) for word in result.words]
    fig = sound_lines(sound.samples, sound.rate, marks, WORD_SPAN, WORD_LANES)
    show_chart(fig, alt=_("The waveform with the words: ") + result.text, key="waveform")
    low = f"{100 * UNSURE:.0f}%"
    high = f"{100 * SURE:.0f}%"
    note(
        _(
            "Solid bars: sure (at least {high}). Dashed: unsure. Dotted: doubtful (below {low})."
        ).format(high=high, low=low)
    )


def word_mark(word: Word) -> Mark:
    colors = palette()
    kind = confidence_class(word.probability)
    name, dash = CONFIDENCE[kind]
    color = {"sure": colors.accent, "unsure": colors.second, "doubtful": colors.second}[kind]
    percent = f"{100 * word.probability:.0f}%"
    return Mark(
        text=word.text,
        below=percent,
        start=word.start,
        end=word.end,
        color=color,
        dash=dash,
        hover=f"{word.text}: {word.start:.2f}–{word.end:.2f} s, {percent}, {_(name)}",
        bold=kind != "sure",
    )


@show.register
def show_speech(result: Speech, card: Card, seconds: float) -> None:
    """The player, how fast it was made, and the phonemes below the spectrogram."""
    lasting = len(result.samples) / result.rate
    st.audio(result.samples, sample_rate=result.rate)
    with st.grid(3, min_column_width=96):
        st.metric(_("Length"), duration(lasting))
        st.metric(_("Time"), duration(seconds))
        st.metric(
            _("Real-time factor"),
            f"{seconds / lasting:.2f}",
            help=_(
                "Seconds of computing for one second of speech; below 1 is faster than talking."
            ),
        )
    picture = spectrogram(result.samples, result.rate)
    fig = sound_lines(
        result.samples, result.rate, phone_marks(result), PHONE_SPAN, PHONE_LANES, picture
    )
    symbols = " ".join(phone.symbol for phone in result.phones)
    show_chart(fig, alt=_("Spectrogram with the phonemes below: ") + symbols, key="spectrogram")
    note(
        _(
            "Spectrogram from 0 (bottom) to {top} kHz, brighter is louder; below, each phoneme for as "
            "long as it lasts."
        ).format(top=TALLEST_HZ // 1000)
    )


def phone_marks(result: Speech) -> list[Mark]:
    """Sounds in alternating colours; pauses and punctuation have no bar of their own."""
    colors = palette()
    marks = []
    for phone in result.phones:
        if not any(character.isalpha() for character in phone.symbol):
            continue
        milliseconds = 1000 * (phone.end - phone.start)
        stressed = phone.symbol[0] in "ˈˌ"
        marks.append(
            Mark(
                text=phone.symbol,
                start=phone.start,
                end=phone.end,
                color=colors.second if stressed else colors.accent,
                hover=f"{phone.symbol}: {milliseconds:.0f} ms",
                bold=stressed,
            )
        )
    return marks


def spectrogram(samples: np.ndarray, rate: int) -> np.ndarray:
    """Loudness over time and pitch as a picture, shape (BANDS, columns, 3), uint8."""
    columns = min(PICTURE, max(8, len(samples) // 256))
    width = 1024
    padded = np.pad(samples, width // 2)
    starts = np.linspace(0, len(samples) - 1, columns).astype(int)
    frames = np.lib.stride_tricks.sliding_window_view(padded, width)[starts]
    power = np.abs(np.fft.rfft(frames * np.hanning(width), axis=1)) ** 2
    power = power[:, : int(TALLEST_HZ / rate * width)]
    edges = np.linspace(0, power.shape[1], BANDS + 1).astype(int)
    bands = np.add.reduceat(power, edges[:-1], axis=1) / np.diff(edges)
    decibels = 10 * np.log10(bands.T[::-1] + 1e-10)
    top = float(decibels.max())
    return ramp(UNSIGNED, np.clip((decibels - top + 70) / 70, 0, 1))


def show_differences(said: str, heard: str) -> Comparison:
    """Mark the words that were heard differently from what was said; returns the comparison."""
    compared = compare(said, heard)
    out = []
    for pair in compared.pairs:
        if pair.kind == "equal":
            out.append(escape(pair.said))
            continue
        if pair.said:
            out.append(f":red-background[~~{escape(pair.said)}~~]")
        if pair.heard:
            out.append(f":green-background[**{escape(pair.heard)}**]")
    st.markdown(" ".join(out))
    if compared.errors:
        note(_("Struck through: said but not heard. Bold: heard instead. Spelling is normalised."))
    else:
        note(_("Every word was heard as it was said, after spelling is normalised."))
    return compared


def show_error_rate(compared: Comparison) -> None:
    st.metric(
        _("Word error rate"),
        f"{100 * compared.rate:.0f}%",
        help=_("{errors} errors in {words} words: words changed, missing or added.").format(
            errors=compared.errors, words=compared.said
        ),
    )


def table_of_phones(result: Speech) -> list[dict[str, Any]]:
    """Durations as rows, for those who prefer numbers."""
    return [
        {
            _("Phoneme"): phone.symbol.strip() or _("pause"),
            _("Start, s"): round(phone.start, 3),
            _("Length, ms"): round(1000 * (phone.end - phone.start)),
        }
        for phone in result.phones
    ]
