import pytest
import traitlets as T
from ipywidgets.widgets.widget import _instances as instances

import reluquant as rq
from reluquant.widgets.dashboard import INSTRUMENTS


@pytest.fixture
def dashboard():
    made = rq.Dashboard()
    yield made
    made.close()


def test_every_instrument_opens_on_every_click(dashboard):
    for name in INSTRUMENTS:
        before = dashboard.shown
        dashboard._which.value = name
        assert dashboard.instrument == name
        assert dashboard.error == ""
        assert dashboard._place.children == (dashboard.shown,)
        if dashboard.shown is not before:
            assert "closed" in repr(before)


def test_another_data_set_opens_the_instrument_anew(dashboard):
    first = dashboard.shown
    dashboard._data.value = "absolute"
    assert repr(first).endswith("(closed)")
    assert dashboard.shown.data.name == rq.datasets.absolute().name


def test_what_cannot_be_opened_is_one_sentence(dashboard, monkeypatch):
    def failing(data):
        raise ValueError("These <b>data</b> do not fit.")

    monkeypatch.setitem(INSTRUMENTS, "flow", ("tip", failing))
    dashboard.preset = "tent"
    assert dashboard.error == "These <b>data</b> do not fit."
    assert "&lt;b&gt;" in dashboard._alert.value
    assert dashboard.shown is None
    with pytest.raises(T.TraitError):
        dashboard.instrument = "nonsense"


def test_nothing_is_left_of_a_closed_dashboard():
    before = set(instances)
    made = rq.Dashboard(preset="two points")
    made.close()
    made.close()
    assert set(instances) <= before
    assert repr(made) == "Dashboard(closed)"
