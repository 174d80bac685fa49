"""Zip files that no tool writes."""

from __future__ import annotations

import struct
import warnings
import zipfile


def zipped(path, *entries, compression=zipfile.ZIP_DEFLATED):
    with warnings.catch_warnings(), zipfile.ZipFile(path, "w", compression) as archive:
        warnings.simplefilter("ignore")
        for name, content in entries:
            archive.writestr(name, content)
    return path


def info(name, mode=0, **more):
    member = zipfile.ZipInfo(name)
    member.external_attr = mode << 16
    for key, value in more.items():
        setattr(member, key, value)
    return member


def raw_name(path, old, new):
    """Write a name into both directories that Python would not write."""
    path.write_bytes(path.read_bytes().replace(old, new))
    return path


def flagged(path, flag):
    content = bytearray(path.read_bytes())
    for mark, at in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        content[content.index(mark) + at] |= flag
    path.write_bytes(bytes(content))


def resized(path, size):
    content = bytearray(path.read_bytes())
    for mark, at in ((b"PK\3\4", 22), (b"PK\1\2", 24)):
        struct.pack_into("<I", content, content.index(mark) + at, size)
    path.write_bytes(bytes(content))
