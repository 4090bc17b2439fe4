"""What stops a command and its operator can mend."""

from __future__ import annotations


class OperatorError(Exception):
    """Why a command cannot go on: the message is a sentence for the operator, told without a traceback.

    ``is_passing``: the same command may do later, with nothing changed.
    """

    is_passing = False


class StartError(OperatorError):
    """Why the server cannot start."""
