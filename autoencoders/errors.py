"""What can go wrong in ways that a person can mend: the message is the one line that they see."""

from __future__ import annotations


class InputError(Exception):
    """Something that was asked for or handed in is wrong (exit code 2)."""


class StorageError(Exception):
    """The cache can't be read or written (exit code 3)."""


class TrainingError(Exception):
    """A training went wrong, a diverging loss for example (exit code 1)."""


class ReportError(Exception):
    """The report can't be made as it is: a failing notebook, an unresolved reference (exit code 1)."""
