import pytest
from hypothesis import given
from hypothesis import strategies as st

from reluquant.widgets.controls import LogNumber, as_number, as_numbers, written


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=5))
def test_written_numbers_are_read_back_exactly(values):
    assert as_numbers(written(values), "number") == values


@pytest.mark.parametrize("text", ["", "one", "1,5", "nan", "inf", "1e999", "0x10"])
def test_what_is_no_number_is_refused(text):
    with pytest.raises(ValueError, match="scale must be a"):
        as_number(text, "scale")


def test_log_number_stops_its_slider_at_the_end_without_an_echo():
    heard = []
    control = LogNumber("scale", "tip", -12, 0, 0.25, "{:.4g}".format, heard.append)
    control.show(1e-100)
    assert control.text.value == "1e-100"
    assert control.slider.value == pytest.approx(1e-12)
    assert heard == []
    control.show(300.0)
    control.show(0.003)
    # The page reports what it made of that, a step of the slider; that is no wish of the user.
    control.slider.value = control.slider.value * (1 + 1e-12)
    assert control.text.value == "0.003"
    assert heard == []
    control.slider.value = 0.1
    control.text.value = "0.2"
    assert heard == [pytest.approx(0.1), "0.2"]
    for part in (control.slider, control.text, control.box):
        part.close()
