"""Why data can't be had, in one line."""

from __future__ import annotations

import errno
import socket
import urllib.error

from autoencoders.errors import InputError


class UnavailableError(InputError):
    """The data set is neither here nor to be had: the one failure for which a stand-in may step in."""

    def __init__(self, message: str, cause: str) -> None:
        super().__init__(message)
        self.cause = cause


def cause_of(error: Exception) -> str:
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        return f"no space: {error.strerror}"
    if isinstance(error, urllib.error.HTTPError):
        return f"the server answers {error.code} {error.reason}"
    if isinstance(error, urllib.error.URLError | TimeoutError | ConnectionError | socket.gaierror):
        return f"no network: {getattr(error, 'reason', error)}"
    return " ".join(str(error).split()) or type(error).__name__
