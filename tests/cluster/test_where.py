"""What the word behind --on means."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster.errors import ClusterError
from cluster.where import Batch, Existing, Jobs, Local, Where, where


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("local", Local()),
        (" local ", Local()),
        ("auto", Existing(address="auto")),
        ("10.0.0.1:6379", Existing(address="10.0.0.1:6379")),
        ("head.example.org:6379", Existing(address="head.example.org:6379")),
        ("[fd00::1]:6379", Existing(address="[fd00::1]:6379")),
        ("http://head:8265", Jobs(address="http://head:8265")),
        ("https://head.example.org/", Jobs(address="https://head.example.org")),
        ("slurm", Batch(profile="slurm")),
        ("mycluster", Batch(profile="mycluster")),
    ],
)
def test_words(text: str, meant: Where) -> None:
    assert where(text, profiles=["mycluster"]) == meant


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Local", "did you mean local?"),
        ("slrum", "did you mean slurm?"),
        ("myclustre", "did you mean mycluster?"),
        ("head", "choose local, auto, slurm, mycluster, host:port"),
        ("head:99999", "is not a place"),
        ("ray://head:10001", "http://host:8265"),
        ("", "is not a place"),
    ],
)
def test_other_words_are_refused_with_what_is_allowed(text: str, said: str) -> None:
    with pytest.raises(ClusterError) as caught:
        where(text, profiles=["mycluster"])
    assert said in str(caught.value)


@given(text=st.text())
def test_any_text_is_a_place_or_a_sentence(text: str) -> None:
    with suppress(ClusterError):
        assert where(text)
