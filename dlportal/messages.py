"""Sentences for visitors: marked for translation here, translated where they are shown."""

from typing import Any


def N_(message: str) -> str:
    """Mark a sentence for the language catalogue without translating it."""
    return message


class UserError(Exception):
    """Something a visitor can put right; shown as one sentence, never as a traceback.

    Args:
        message: English sentence with `{name}` fields, marked with `N_` (it is the catalogue key).
        params: Values of the fields.
    """

    def __init__(self, message: str, **params: Any) -> None:
        super().__init__(message)
        self.message = message
        self.params = params

    def __str__(self) -> str:
        return self.message.format(**self.params)


class InputError(UserError):
    """The visitor's input cannot be used: says what is wrong and what to do."""
