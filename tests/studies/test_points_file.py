"""Text files with two columns."""

import numpy as np
import pytest

from reluquant.studies.points_file import read_points


def write(folder, content: str | bytes):
    path = folder / "points.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize(
    "content",
    [
        "-1,1\n0.5,-2e-1\n",
        "x,y\n-1,1\n0.5,-2e-1\n",
        '"x","y"\n"-1","1"\n"0.5","-0.2"\n',
        "x;y\n-1;1\n0.5;-0.2\n",
        "x\ty\n-1\t1\n0.5\t-0.2\n",
        "-1 1\n0.5    -0.2\n",
        "# made by hand\n\nx, y\n -1 , 1 \n\n0.5, -0.2\n# end",
        b"\xef\xbb\xbfx,y\r\n-1,1\r\n0.5,-0.2\r\n",
    ],
    ids=["plain", "header", "quoted", "semicolons", "tabs", "blanks", "comments", "spreadsheet"],
)
def test_usual_forms_are_read(tmp_path, content):
    data = read_points(write(tmp_path, content))
    np.testing.assert_array_equal(data.X, [[-1.0], [0.5]])
    np.testing.assert_array_equal(data.y, [1.0, -0.2])
    assert data.name == "points"


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("", "holds no points; it needs two columns"),
        ("# nothing\n\n", "holds no points"),
        ("x,y\n", "column names but no points"),
        ("1\n2\n", "line 1: expected two columns, x and y, but found 1"),
        ("x,y,z\n1,2,3\n", "line 2: expected two columns, x and y, but found 3"),
        ("1,2\n3,4,5\n", "line 2: expected two columns"),
        ("1,2\n3,\n", "line 2: expected a number, but found ''"),
        ("1,b\n2,3\n", "line 1: expected a number, but found 'b'; a line of column names must name both columns"),
        ("x,1\n2,3\n", "line 1: expected a number, but found 'x'; a line of column names must name both columns"),
        ("1,2\nnan,3\n", "line 2: expected a finite number, but found 'nan'"),
        ("1,2\n3,-inf\n", "line 2: expected a finite number, but found '-inf'"),
        (b"\x89PNG\r\n\x1a\n\xff\xfe", "is not a text file in UTF-8; save it as UTF-8 text with two columns"),
        ("größe,y\n1,2\n".encode("latin-1"), "is not a text file in UTF-8; save it as UTF-8"),
        ("x,y\n1,2\n".encode("utf-16"), "is in UTF-16; save it as UTF-8"),
        ("x,y\n1,2\n".encode("utf-16-be"), "is in UTF-16; save it as UTF-8"),
    ],
)
def test_each_mistake_has_its_sentence(tmp_path, content, sentence):
    with pytest.raises(ValueError, match=sentence) as caught:
        read_points(write(tmp_path, content))
    assert "points.csv" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_what_is_no_file_has_its_sentence(tmp_path):
    with pytest.raises(ValueError, match="cannot be read .no such file"):
        read_points(tmp_path / "none.csv")
    with pytest.raises(ValueError, match="cannot be read .is a directory"):
        read_points(tmp_path)
