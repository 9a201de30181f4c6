import subprocess
import sys

import ipywidgets as W
import pytest

from reluquant.widgets import lifetime


class Shown:
    def __init__(self):
        self.closed = False

    def close(self):
        self.closed = True


class Shell:
    def run(self, cell_id, message):
        self.parent = {"metadata": {"cellId": cell_id} if cell_id else {}, "header": {"msg_id": message}}

    def get_parent(self):
        return self.parent


@pytest.fixture
def run_in(monkeypatch):
    only = Shell()

    def run(cell_id, message, count=1, shell=only):
        shell.run(cell_id, message)
        monkeypatch.setattr(lifetime, "get_ipython", lambda: shell)
        shown = [Shown() for _ in range(count)]
        for widget in shown:
            lifetime.close_earlier_runs(widget)
        return shown

    return run


def test_running_a_cell_again_closes_what_it_had_opened(run_in):
    first, second = run_in("a", "1", count=2)
    other = run_in("b", "2")[0]
    again = run_in("a", "3")[0]
    assert (first.closed, second.closed, other.closed, again.closed) == (True, True, False, False)


def test_without_cell_ids_nothing_is_closed(run_in):
    first = run_in(None, "1")[0]
    run_in(None, "2")
    assert not first.closed


def test_another_shell_has_a_memory_of_its_own(run_in):
    first = run_in("a", "1")[0]
    run_in("a", "2", shell=Shell())
    assert not first.closed


def test_outside_a_notebook_nothing_happens(monkeypatch):
    monkeypatch.setattr(lifetime, "get_ipython", lambda: None)
    shown = Shown()
    lifetime.close_earlier_runs(shown)
    assert not shown.closed


def test_parts_that_are_closed_before_their_owner_are_no_obstacle():
    part, other = W.IntSlider(), W.IntSlider()
    box = W.HBox([part, other])
    layout = part.layout
    part.close()
    lifetime.close_parts(box)
    assert other.comm is None
    assert layout.comm is None
    box.close()


@pytest.mark.parametrize(
    "use",
    [
        # Without a name, ipywidgets alone holds it, and takes its parts away in any order.
        "rq.explore(data, n_neurons=20).wait(120)",
        "explorer = rq.explore(data, n_neurons=20); explorer.wait(120)",
        "explorer = rq.explore(data, n_neurons=20); explorer.play()",
    ],
)
def test_an_explorer_that_nobody_closed_ends_silently_with_python(use):
    program = f"import reluquant as rq; data = rq.Dataset([-1.0, 0.0, 1.0], [1.0, -1.0, 1.0]); {use}"
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=300)
    assert ended.stderr == ""
    assert ended.returncode == 0
