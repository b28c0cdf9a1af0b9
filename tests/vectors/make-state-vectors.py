#!/usr/bin/env python3
"""Writes tests/vectors/state/: slots of alice that each break one property, the verdict on line 1.

It follows docs/file-format.md and nothing else, so that the format is written down twice.
"""
import hashlib
import os

SIZE = 4096
BODY = """written = 1800000000
counter_key = "000102030405060708090a0b0c0d0e0f"
keys = [
["1f2e3d4c5b6a7988", 60000001, -3, 1],
]
recovery_sets = [
["0707070707070707", ["a1a2a3a4a5a6a7a8", "b1b2b3b4b5b6b7b8"]],
]
recovery_failures = 2
known = [
["addr:192.0.2.7", 0, 0, 1799990000],
]
counters = [
%s]
""" % ("[0, 0],\n" * 16)
# What format 2 has besides.
MORE = """booted = 1799000000
remembered = [
[0, "c1c2c3c4c5c6c7c8", 1799990000],
]
refused = [3, 1799991000, "addr:198.51.100.4"]
refused_before = [0, 0, "none:"]
"""


def slot(body=BODY, user="alice", sequence="7", form="1", digest=None, size=SIZE, magic="countersign-state"):
    header = f"{magic} {form} {sequence} "
    rest = body.encode()
    rest += b"\n" * (size - len(header) - 32 - 1 - len(rest))
    if digest is None:
        text = b"\0".join([user.encode(), form.encode(), sequence.encode(), rest])
        digest = hashlib.sha256(text).hexdigest()[:32]
    return f"{header}{digest}\n".encode() + rest


def changed(old, new):
    assert old in BODY, old
    return slot(BODY.replace(old, new, 1))


def later(old, new):
    assert old in MORE, old
    return slot(BODY + MORE.replace(old, new, 1), form="2")


VALID, INVALID = "valid 7", "invalid"
KEY = '["1f2e3d4c5b6a7988", 60000001, -3, 1],\n'
KNOWN = '["addr:192.0.2.7", 0, 0, 1799990000],\n'
REMEMBERED = '[0, "c1c2c3c4c5c6c7c8", 1799990000],\n'
SET = '["0707070707070707", ["a1a2a3a4a5a6a7a8", "b1b2b3b4b5b6b7b8"]],\n'
VECTORS = {
    "ordinary": (VALID, slot()),
    "empty_lists": (VALID, slot(BODY.replace(KEY, "").replace(KNOWN, "").replace(SET, ""))),
    "blank": ("blank", b"\n" * SIZE),
    "zeros": (INVALID, b"\0" * SIZE),
    "other_format": ("other format", slot("anything at all", form="3")),
    "other_format_torn": (INVALID, slot("anything at all", form="3", digest="0" * 32)),
    "other_user": (INVALID, slot(user="bob")),
    "digest_bad": (INVALID, slot(digest="0" * 32)),
    "digest_in_capitals": (INVALID, slot().replace(slot()[22:54], slot()[22:54].upper())),
    "magic_bad": (INVALID, slot(magic="countersign-secret")),
    "sequence_negative": (INVALID, slot(sequence="-7")),
    "sequence_beyond_64_bits": (INVALID, slot(sequence="18446744073709551616")),
    "short_by_one": (INVALID, slot(size=SIZE - 1)),
    "long_by_one": (INVALID, slot(size=SIZE + 1)),
    "unknown_key": (INVALID, changed("written", "admin = 1\nwritten")),
    "missing_key": (INVALID, changed("recovery_failures = 2\n", "")),
    "not_toml": (INVALID, slot("=====")),
    "seventeen_keys": (INVALID, changed(KEY, KEY * 17)),
    "nine_known_sources": (INVALID, changed(KNOWN, KNOWN * 9)),
    "four_recovery_sets": (INVALID, changed(SET, SET * 4)),
    "eleven_used_codes": (INVALID, changed('["a1a2a3a4a5a6a7a8", ', "[" + '"a1a2a3a4a5a6a7a8", ' * 10)),
    "fifteen_counters": (INVALID, changed("[0, 0],\n", "")),
    "drift_of_eleven": (INVALID, changed("-3, 1", "11, 1")),
    "lean_of_two": (INVALID, changed("-3, 1", "-3, 2")),
    "step_negative": (INVALID, changed("60000001", "-1")),
    "key_name_short": (INVALID, changed("1f2e3d4c5b6a7988", "1f2e")),
    "ordinary_of_format_2": (VALID, slot(BODY + MORE, form="2")),
    "nine_remembered": (INVALID, later(REMEMBERED, REMEMBERED * 9)),
    "remembered_from_nowhere": (INVALID, later("[0, ", "[1, ")),
    "remembered_place_short": (INVALID, later("c1c2c3c4c5c6c7c8", "c1c2")),
    "remembered_before_1970": (INVALID, later("1799990000", "-1")),
    "refused_by_nobody": (INVALID, later("addr:198.51.100.4", "")),
    "source_with_quote": (INVALID, changed("addr:192.0.2.7", "addr:\\\"")),
}

folder = os.path.join(os.path.dirname(os.path.abspath(__file__)), "state")
os.makedirs(folder, exist_ok=True)
for name, (verdict, content) in VECTORS.items():
    with open(os.path.join(folder, name), "wb") as file:
        file.write(b"# " + verdict.encode() + b"\n" + content)
