import pytest

from reluquant.widgets import lifetime


class Shown:
    def __init__(self):
        self.closed = False

    def close(self):
        self.closed = True


class Shell:
    def __init__(self, cell_id, run):
        self.parent = {"metadata": {"cellId": cell_id} if cell_id else {}, "header": {"msg_id": run}}

    def get_parent(self):
        return self.parent


@pytest.fixture
def run_in(monkeypatch):
    monkeypatch.setattr(lifetime, "_OPENED", {})

    def run(cell_id, message, count=1):
        monkeypatch.setattr(lifetime, "get_ipython", lambda: Shell(cell_id, message))
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


def test_outside_a_notebook_nothing_happens(monkeypatch):
    monkeypatch.setattr(lifetime, "get_ipython", lambda: None)
    shown = Shown()
    lifetime.close_earlier_runs(shown)
    assert not shown.closed
