"""Where ranks run, and how they agree on where a trial ends; without Ray."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable

import pytest

from orchestrator.core.node_health import Node
from orchestrator.worker.ranks.parts import Place, parts_of, ranked
from orchestrator.worker.ranks.verdicts import Announcer, HeldPort, Listener
from trainables.trial import Trial

HERE, THERE = Node(id="b", name="10.0.0.1"), Node(id="a", name="10.0.0.2")


def place(node: Node, *gpus: str) -> Place:
    return Place(node=node, gpu_ids=gpus)


def test_the_ranks_of_a_node_are_in_a_row_and_see_its_gpus_together() -> None:
    places = [place(HERE, "3"), place(THERE, "0"), place(HERE, "1"), place(THERE, "2")]
    order = ranked(places)
    assert order == [0, 2, 1, 3]
    parts = parts_of([places[at] for at in order], master_port=1, verdict_port=2)
    names = ("RANK", "LOCAL_RANK", "GROUP_RANK", "CUDA_VISIBLE_DEVICES")
    assert [tuple(part.environ[name] for name in names) for part in parts] == [
        ("0", "0", "0", "3,1"),
        ("1", "1", "0", "3,1"),
        ("2", "0", "1", "0,2"),
        ("3", "1", "1", "0,2"),
    ]
    same = {"WORLD_SIZE": "4", "LOCAL_WORLD_SIZE": "2", "MASTER_ADDR": "10.0.0.1", "MASTER_PORT": "1"}
    assert all(part.environ.items() >= same.items() for part in parts)
    assert [(part.rank, part.ranks) for part in parts] == [(rank, 4) for rank in range(4)]


@pytest.mark.parametrize("gpus", [("0", "0"), ()])
def test_ranks_that_share_a_gpu_or_have_none_see_what_ray_shows_them(gpus: tuple[str, ...]) -> None:
    places = [place(HERE, *gpus[:1]), place(HERE, *gpus[1:])]
    assert all("CUDA_VISIBLE_DEVICES" not in each.environ for each in parts_of(places, master_port=1, verdict_port=2))


class Said:
    """What a rank's reports return, one after the other, in a thread of their own."""

    def __init__(self, listener: Listener, *steps: int) -> None:
        self.answers: list[bool] = []
        self._thread = threading.Thread(target=self._ask, args=(listener, steps))
        self._thread.start()

    def _ask(self, listener: Listener, steps: tuple[int, ...]) -> None:
        for step in steps:
            self.answers.append(listener.goes_on(step))

    def all(self) -> list[bool]:
        self._thread.join(10)
        assert not self._thread.is_alive()
        return self.answers


ENDS: dict[str, tuple[Callable[[Announcer], object], bool]] = {
    "ended": (lambda announcer: announcer.over(finished=False), False),
    "returned": (lambda announcer: announcer.over(finished=True), True),
    "died": (lambda announcer: announcer.close(), False),
}


@pytest.mark.parametrize("how", ENDS)
@pytest.mark.parametrize("late", [False, True])
def test_a_report_waits_for_the_word_of_rank_0(how: str, late: bool) -> None:
    end, goes_on = ENDS[how]
    port = HeldPort()
    announcer = Announcer(("127.0.0.1", port.number), others=2)
    listeners = [Listener(("127.0.0.1", port.number)) for _ in range(2)]
    if not late:
        said = [Said(each, 1, 2, 3) for each in listeners]
    for each in listeners:
        each.listen()
    assert announcer.all_there(10)
    announcer.decided(1)
    announcer.decided(2)
    if late:
        said = [Said(each, 1, 2, 3) for each in listeners]
    end(announcer)
    assert [each.all() for each in said] == [[True, True, goes_on]] * 2
    announcer.close()
    port.let_go()
    for thread in threading.enumerate():
        if thread.name == "verdicts":
            thread.join(10)
            assert not thread.is_alive()


def test_what_rank_0_does_first_is_done_before_the_others_begin() -> None:
    port = HeldPort()
    address = ("127.0.0.1", port.number)
    announcer, listeners = Announcer(address, others=2), [Listener(address) for _ in range(2)]
    done: list[str] = []
    first = Trial(config={}, rank=0, world_size=3, turn=announcer.turn)
    others = [Trial(config={}, rank=1, world_size=3, turn=_turn_of(each)) for each in listeners]

    def twice(trial: Trial) -> None:
        for block in "ab":
            with trial.rank_0_first():
                done.append(f"{block}{trial.rank}")

    threads = [threading.Thread(target=twice, args=(each,)) for each in others]
    for thread, listener in zip(threads, listeners, strict=True):
        thread.start()
        listener.listen()
    assert announcer.all_there(10)
    announcer.decided(7)  # of an earlier attempt: it is no word about a block
    with first.rank_0_first():
        assert done == []
        done.append("a0")
    with first.rank_0_first():
        threads[0].join(0.2)  # the others may pass the first block, and wait at this one
        assert set(done) <= {"a0", "a1"}
        done.append("b0")
    for thread in threads:
        thread.join(10)
    assert sorted(done) == ["a0", "a1", "a1", "b0", "b1", "b1"]
    announcer.close()
    port.let_go()


@pytest.mark.parametrize("how", ENDS)
def test_where_rank_0_ends_before_it_has_done_it_nobody_waits(how: str) -> None:
    end, goes_on = ENDS[how]
    port = HeldPort()
    address = ("127.0.0.1", port.number)
    announcer, listener = Announcer(address, others=1), Listener(address)
    listener.listen()
    assert announcer.all_there(10)
    end(announcer)
    assert listener.turn() is goes_on
    announcer.close()
    port.let_go()


def _turn_of(listener: Listener) -> Callable[[], None]:
    def turn() -> None:
        assert listener.turn()

    return turn


def test_a_rank_that_is_to_end_does_not_wait() -> None:
    port = HeldPort()
    listener = Listener(("127.0.0.1", port.number))  # nobody listens there
    listener.listen()
    said = Said(listener, 1)
    listener.close()
    assert said.all() == [False]
    port.let_go()


def test_a_held_port_is_given_to_nobody_and_rank_0_listens_on_it() -> None:
    port = HeldPort()
    with socket.socket() as other, pytest.raises(OSError, match="in use"):
        other.bind(("", port.number))
    announcer = Announcer(("127.0.0.1", port.number), others=1)
    assert not announcer.all_there(0)
    announcer.close()
    port.let_go()
