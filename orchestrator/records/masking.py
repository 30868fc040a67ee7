"""Masks what looks like a secret in a text that is recorded: a token that was pasted into code, for example."""

from __future__ import annotations

import math
import re
from collections import Counter

MASK = "[masked]"

_ASSIGNED = re.compile(
    r"""(?i)((?:password|passwd|secret|token|api_?key|access_?key)\w*["']?\s*[:=]\s*)(["'])[^"'\s]{6,}\2"""
)
_KNOWN = re.compile(
    r"\b(?:AKIA[A-Z0-9]{16}|gh[opsu]_\w{20,}|github_pat_\w{20,}|hf_\w{20,}|sk-[\w-]{20,}|xox[abp]-[\w-]{10,}|glpat-[\w-]{16,})"
)
_LONG = re.compile(r"[A-Za-z0-9+/_=-]{24,}")
_BITS = 4.0
"""Bits a character, from which a long word with letters of both cases and digits is random rather than a name."""


def masked(text: str) -> str:
    """The text without values that are assigned to a password or the like, tokens of known forms, and random words."""
    text = _ASSIGNED.sub(rf"\1\2{MASK}\2", text)
    text = _KNOWN.sub(MASK, text)
    return _LONG.sub(lambda found: MASK if _is_random(found[0]) else found[0], text)


def _is_random(word: str) -> bool:
    if re.fullmatch(r"[0-9a-f]{32,}|[0-9A-F]{32,}", word):
        return True
    if not (re.search("[a-z]", word) and re.search("[A-Z]", word) and len(re.findall("[0-9]", word)) > 1):
        return False
    shares = [number / len(word) for number in Counter(word).values()]
    return -sum(share * math.log2(share) for share in shares) >= _BITS
