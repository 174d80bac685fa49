"""Errors that reach users as one sentence."""

from __future__ import annotations


class ParticleSamError(Exception):
    """Something the user can mend; the message names the file or value and the mend."""


class BadFileError(ParticleSamError):
    """A file or folder that cannot be read or written as what it should be."""


class BadValueError(ParticleSamError):
    """A setting or argument outside what it may be."""


class BadModelError(ParticleSamError):
    """A model or adapter that is missing, damaged, untrusted or made for another base."""


class BadActionError(ParticleSamError):
    """A change that the annotation session refuses."""


class CancelledError(ParticleSamError):
    """A long job was cancelled by its token."""


class PausedError(CancelledError):
    """A long job was asked to pause; it can go on from what it kept."""


class JobError(ParticleSamError):
    """A long job failed for a reason that is not the user's."""
