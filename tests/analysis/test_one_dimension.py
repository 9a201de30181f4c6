import numpy as np
import pytest

from reluquant import Dataset, ShallowReLU
from reluquant.analysis.one_dimension import kinks, line_inputs, line_labels, line_neurons


def test_neurons_come_as_columns():
    w, b, a = line_neurons(ShallowReLU([[1, 2], [3, 4]], [[5], [6]]), "here")
    assert (w.tolist(), b.tolist(), a.tolist()) == ([1, 3], [2, 4], [5, 6])


@pytest.mark.parametrize(
    ("net", "sentence"),
    [
        (ShallowReLU(np.ones((2, 3)), np.ones(2)), "has 2 features"),
        (ShallowReLU(np.ones((2, 1)), np.ones(2), bias=False), "bias=False"),
        (ShallowReLU(np.ones((2, 2)), np.ones((2, 3))), "one output so far, but the network has 3"),
    ],
)
def test_other_networks_are_refused(net, sentence):
    with pytest.raises(ValueError, match=sentence):
        line_neurons(net, "here")


def test_other_objects_are_refused():
    with pytest.raises(TypeError, match="here needs a ShallowReLU, but got list"):
        line_neurons([1.0], "here")
    with pytest.raises(TypeError, match="here needs a Dataset, but got ndarray"):
        line_inputs(np.ones(3), "here")


def test_other_data_are_refused():
    with pytest.raises(ValueError, match="one input dimension with bias so far, but the data have 2 features"):
        line_inputs(Dataset(np.ones((3, 2)), np.ones(3)), "here")
    with pytest.raises(ValueError, match="bias=False"):
        line_inputs(Dataset(np.ones(3), np.ones(3), bias=False), "here")
    with pytest.raises(ValueError, match="one output so far, but the labels have 2"):
        line_labels(Dataset(np.ones(3), np.ones((3, 2))), "here")


def test_data_without_bias_pass_where_bias_does_not_matter():
    assert line_inputs(Dataset([1.0], [1.0], bias=False), "here", bias=False).tolist() == [1.0]


def test_negative_zero_becomes_zero():
    assert not np.signbit(line_inputs(Dataset([-0.0], [1.0]), "here")[0])
    assert not np.signbit(kinks(np.array([1.0]), np.array([0.0]))[0])


def test_kinks_out_of_reach_are_infinite_and_flat_neurons_have_none():
    found = kinks(np.array([1e-300, -1e-300, 0.0, 0.0, 2.0]), np.array([1e300, 1e300, 1.0, 0.0, -1.0]))
    np.testing.assert_array_equal(found, [-np.inf, np.inf, np.nan, np.nan, 0.5])
