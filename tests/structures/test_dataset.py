import dataclasses

import numpy as np
import pandas as pd
import pytest

from reluquant import Dataset


def test_one_dimension_is_one_feature():
    data = Dataset([1, 2, 3], [4, 5, 6])
    assert data.X.shape == (3, 1)
    assert data.y.shape == (3,)
    assert (data.n_samples, data.n_features, data.bias, data.name) == (3, 1, True, "")


def test_inputs_get_a_one():
    assert Dataset([[1.0, 2.0]], [0.0]).inputs.tolist() == [[1.0, 2.0, 1.0]]
    assert Dataset([[1.0, 2.0]], [0.0], bias=False).inputs.tolist() == [[1.0, 2.0]]


def test_pandas_series_and_frames():
    frame = pd.DataFrame({"distance": [1.0, 2.0], "height": [3.0, 4.0]}, index=[10, 20])
    data = Dataset(frame["distance"], frame["height"])
    assert (data.X[:, 0].tolist(), data.y.tolist()) == ([1.0, 2.0], [3.0, 4.0])
    assert Dataset(frame[["distance"]], frame[["height"]]).y.shape == (2, 1)


def test_order_and_repeated_inputs_are_kept():
    data = Dataset([2.0, 1.0, 2.0], [0.0, 1.0, 5.0])
    assert data.X[:, 0].tolist() == [2.0, 1.0, 2.0]


def test_extreme_numbers_and_booleans_are_numbers():
    assert Dataset([1e300, -1.7e308, 5e-324], [True, False, True]).y.tolist() == [1.0, 0.0, 1.0]


@pytest.mark.parametrize(
    ("X", "y", "error", "sentence"),
    [
        ([], [], ValueError, r"at least one sample with one feature, but X has shape \(0,\)"),
        (np.zeros((0, 2)), [], ValueError, "at least one sample"),
        (np.zeros((2, 0)), [1, 2], ValueError, "at least one sample with one feature"),
        ([1, 2], np.zeros((2, 0)), ValueError, r"at least one label for every sample, but y has shape \(2, 0\)"),
        ([1, 2, 3], [1, 2], ValueError, "same number of samples, but X has 3 and y has 2"),
        ([1, np.nan], [1, 2], ValueError, "X must be finite"),
        ([1, 2], [1, np.inf], ValueError, "y must be finite"),
        (["a", "b"], [1, 2], TypeError, "X must hold real numbers, but it holds text"),
        ([1, 2], [1j, 2], TypeError, "y must hold real numbers, but it holds complex numbers"),
        (np.ones((2, 2, 2)), [1, 2], ValueError, r"X must be 1-dimensional or 2-dimensional, but it has shape \(2, 2"),
        ([1, 2], np.ones((2, 1, 1)), ValueError, "y must be 1-dimensional or 2-dimensional"),
        (1.0, 2.0, ValueError, r"X must be 1-dimensional or 2-dimensional, but it has shape \(\)"),
        (None, [1], ValueError, "X must be 1-dimensional"),
        ([1], None, ValueError, "y must be 1-dimensional"),
        ([1, None], [1, 2], ValueError, "X must be finite"),
        ([[1, 2], [3]], [1, 2], ValueError, "X must be a rectangular array"),
    ],
)
def test_bad_input_is_refused_in_one_sentence(X, y, error, sentence):
    with pytest.raises(error, match=sentence) as caught:
        Dataset(X, y)
    assert "\n" not in str(caught.value)


def test_it_is_immutable_and_holds_copies():
    X = np.array([1.0, 2.0])
    data = Dataset(X, X)
    X[0] = 9.0
    assert data.X[0, 0] == data.y[0] == 1.0
    with pytest.raises(ValueError, match="read-only"):
        data.X[0, 0] = 2.0
    with pytest.raises(ValueError, match="read-only"):
        data.inputs[0, 0] = 2.0
    with pytest.raises(dataclasses.FrozenInstanceError):
        data.y = X


def test_repr_is_short():
    assert repr(Dataset([1], [2], name="one")) == "Dataset('one', n_samples=1, n_features=1)"
    assert repr(Dataset([1], [2], bias=False)) == "Dataset(n_samples=1, n_features=1, bias=False)"
