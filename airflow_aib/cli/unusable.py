"""A call with which nothing can be done."""

from __future__ import annotations


class UnusableCallError(Exception):
    """Report a wrong option, a path that does not exist or a parameters file that cannot be read.

    :param message: what is wrong, and what to do
    """
