"""Turn a sentence into its opposite: take its "not" out, or put one in."""

import re

# What "not" stands behind in English, and the contracted forms that hold it.
AUXILIARY = re.compile(
    r"\b(am|is|are|was|were|do|does|did|have|has|had|can|could|will|would|shall|should|must|may|might)\b",
    re.IGNORECASE,
)
CONTRACTED = re.compile(
    r"\b(is|are|was|were|do|does|did|have|has|had|could|would|should|must|might)n['’]t\b",
    re.IGNORECASE,
)
IRREGULAR = {"can't": "can", "cannot": "can", "won't": "will", "shan't": "shall"}
NOT = re.compile(r"\b(not|never|hardly)\b\s*", re.IGNORECASE)


def negate(text: str) -> str | None:
    """The sentence with its first negation taken out, or else with one put in.

    Returns:
        None where there is neither a negation nor a verb that "not" could follow.
    """
    found = CONTRACTED.search(text)
    if found:
        return text[: found.start()] + found[1] + text[found.end() :]
    for form, plain in IRREGULAR.items():
        if match := re.search(rf"\b{form}\b", text.replace("’", "'"), re.IGNORECASE):
            return text[: match.start()] + plain + text[match.end() :]
    if found := NOT.search(text):
        return text[: found.start()] + text[found.end() :]
    if found := AUXILIARY.search(text):
        return f"{text[: found.end()]} not{text[found.end() :]}"
    return None
