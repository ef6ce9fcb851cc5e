"""What a run says of itself where there is no terminal."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from rich.progress import Progress

from autoencoders.running import progress


def tasks(**work: float) -> Any:
    return {key: SimpleNamespace(name=f"smoke/photos10/{key}", work=amount) for key, amount in work.items()}


def test_account_says_what_is_done_left_and_running() -> None:
    now = [100.0]
    planned = tasks(a=1, b=2, c=1)
    account, board = progress.Account(planned, clock=lambda: now[0]), Progress(disable=True)
    assert account.line(board) == "0 of 3 done, 3 left · 0 s so far · now: nothing"
    for key in ("a", "b"):
        account.start(planned[key])
    now[0] += 40
    account.finish("a")
    assert account.line(board) == "1 of 3 done, 2 left · 40 s so far, about 2 min to go · now: b"
    board.add_task("b", total=10, completed=5, note="epoch 1/2")
    assert account.line(board) == "1 of 3 done, 2 left · 40 s so far, about 40 s to go · now: b (epoch 1/2)"


def test_lines_come_every_half_minute() -> None:
    now, said = [0.0], []
    lines = progress.Lines(said.append, clock=lambda: now[0])
    for passed in (0, 29.9, 30, 31, 59, 60, 61):
        now[0] = passed
        lines.show(f"{passed:g}")
    assert said == ["30", "60"]


def test_pool_tells_of_each_task_before_it_is_carried_out() -> None:
    told: list[str] = []
    pool = SimpleNamespace(size=3, submit=lambda task, work: told.append(f"{task} carried out"))
    noted = progress.Noted(pool, told.append)  # type: ignore[arg-type]
    noted.submit("a", 1)  # type: ignore[arg-type]
    assert told == ["a", "a carried out"]
    assert noted.size == 3
