import io

import numpy as np
import pytest

from reluquant.views.film import save_film, save_scene
from reluquant.views.packed_scene import packed_panel, packed_scene
from reluquant.views.scene import Area, Dots, Label, Line, Panel, Raster, Scene
from reluquant.views.scene_figure import scene_figure

SQUARE = np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]])


def panel(*marks, **options):
    return Panel("p", (0.0, 1.0), (0.0, 2.0), marks, **{"width": 120, "height": 120, "axes": False} | options)


def marks(*given):
    return packed_panel(panel(*given))["marks"]


def test_places_are_pixels_with_y_downwards():
    (dots,) = marks(Dots([0.0, 0.5, 1.0], [0.0, 1.0, 2.0], area=np.pi * np.array([1.0, 4.0, 9.0])))
    assert dots["at"] == [[10.0, 110.0, 1.0], [60.0, 60.0, 2.0], [110.0, 10.0, 3.0]]


def test_a_line_breaks_at_nan_and_stays_in_reach_of_a_browser():
    (line,) = marks(Line([0.0, 1.0, np.nan, 0.0, 1e300], [0.0, 0.0, 0.0, 2.0, 2.0]))
    assert line["path"] == "M10 110L110 110M10 10L100000 10"


def test_polygons_that_nobody_can_touch_are_one_path():
    (one, two) = marks(Area((SQUARE, SQUARE)), Area((SQUARE, SQUARE), name="region"))
    assert len(one["paths"]) == 1
    assert len(two["paths"]) == 2
    assert two["paths"][0] == "M10 110L110 110L110 60L10 60Z"


def test_a_dot_without_a_place_keeps_its_index():
    (dots,) = marks(Dots([np.nan, 1.0], [0.0, 0.0]))
    assert dots["at"][1][:2] == [110.0, 110.0]
    assert dots["at"][0][0] < -1e4


def test_a_raster_is_the_same_picture():
    rgba = np.zeros((2, 3, 4), dtype=np.uint8)
    rgba[0, 2] = [255, 0, 0, 255]
    (raster,) = marks(Raster(rgba, (0.0, 1.0), (0.0, 2.0)))
    assert raster["box"] == [10.0, 10.0, 100.0, 100.0]
    import base64

    import matplotlib.image

    file = io.BytesIO(base64.b64decode(raster["source"].split(",")[1]))
    np.testing.assert_array_equal(np.round(matplotlib.image.imread(file) * 255), rgba)


def test_ticks_are_round_numbers_at_their_places():
    packed = packed_panel(panel(axes=True))
    left, top, width, _ = packed["plot"]
    assert packed["ticks"][0][0] == [left, "0"]
    assert packed["ticks"][1][-1] == [top, "2"]
    assert packed["ticks"][0][-1] == [left + width, "1"]
    assert packed_panel(panel())["ticks"] == [[], []]


@pytest.mark.parametrize("kind", [Line, Dots])
def test_a_colour_is_one_of_the_theme(kind):
    with pytest.raises(ValueError, match="colour must be one of ink, muted"):
        kind([0.0], [0.0], colour="red")


def test_a_shape_is_known():
    with pytest.raises(ValueError, match="shape must be one of disc"):
        Dots([0.0], [0.0], shape="star")


def test_the_table_holds_what_is_labelled():
    scene = Scene(((panel(Line([0.0, 1.0], [2.0, 3.0], label="f"), Line([9.0], [9.0]), Area((SQUARE,), label="a")),),))
    table = scene.table()
    assert set(table) == {"p/f/x", "p/f/y", "p/a/x", "p/a/y"}
    np.testing.assert_array_equal(table["p/f/y"], [2.0, 3.0])
    np.testing.assert_array_equal(table["p/a/x"], [*SQUARE[:, 0], np.nan])


def test_the_legend_names_each_label_once():
    scene = Scene(((panel(Line([], [], label="f")), panel(Dots([], [], label="f"), Dots([], [], label="g"))),))
    assert [swatch["label"] for swatch in packed_scene(scene)["legend"]] == ["f", "g"]
    assert scene.panel("p") is scene.rows[0][0]
    with pytest.raises(KeyError, match="no panel 'q'; it has p, p"):
        scene.panel("q")


def test_the_legend_tells_large_dots_from_small_ones():
    at = np.zeros(3)
    dots = [Dots(at, at, area=area, label=f"{area}") for area in (20.0, 60.0, np.array([1.0, 100.0, 1e4]))]
    none = Dots(np.zeros(0), np.zeros(0), area=np.zeros(0), label="none")
    panel = Panel("p", (0.0, 1.0), (0.0, 1.0), (*dots, none))
    radius = [swatch["radius"] for swatch in packed_scene(Scene(((panel,),)))["legend"]]
    assert radius[0] < radius[1] < radius[2] <= 6.0
    assert radius[0] ** 2 * np.pi == pytest.approx(20.0, rel=0.01)
    assert radius[3] > 2.0


EVERYTHING = Scene(
    (
        (
            panel(
                Raster(np.full((2, 2, 4), 200, np.uint8), (0.0, 1.0), (0.0, 2.0)), Area((SQUARE,), edge=1.0, label="a"),
                Line([0.0, 1.0], [0.0, 2.0], dashed=True, label="l"), Label(0.5, 0.5, "text"),
                *(
                    Dots([0.5], [0.5], shape=shape, label=shape)
                    for shape in ("disc", "diamond", "cross", "square", "up", "down")
                ),
                Dots([0.2], [0.2], hollow=True),
            ),
        ),
    ),
    "A sentence.",
)  # fmt: skip


@pytest.mark.parametrize("suffix", [".png", ".svg", ".pdf", ".npz", ".csv"])
def test_every_kind_of_mark_is_saved(tmp_path, suffix):
    path = save_scene(EVERYTHING, tmp_path / f"scene{suffix}")
    assert path.stat().st_size > 100
    if suffix == ".svg":
        assert "text" in path.read_text()
    if suffix == ".npz":
        np.testing.assert_array_equal(np.load(path)["p/l/y"], [0.0, 2.0])


def test_a_figure_fits_the_panels():
    figure = scene_figure(EVERYTHING)
    width, height = figure.get_size_inches() * figure.dpi
    assert width == 120
    assert height > 120
    box = figure.axes[0].get_position()
    assert box.width * width == pytest.approx(100)
    assert box.height * height == pytest.approx(100)


def test_a_film_has_a_frame_for_each_scene(tmp_path):
    from PIL import Image

    scenes = [Scene(((panel(Line([0.0, x], [0.0, 1.0])),),)) for x in (0.2, 0.5, 0.9)]
    done = []
    with Image.open(save_film(scenes, tmp_path / "film.gif", progress=done.append)) as film:
        assert film.n_frames == 3
    assert done == [1, 2, 3]


def test_files_of_another_kind_are_refused(tmp_path):
    with pytest.raises(ValueError, match="saved as one of .png, .svg, .pdf, .csv, .npz, but got 'a.txt'"):
        save_scene(EVERYTHING, tmp_path / "a.txt")
    with pytest.raises(ValueError, match="saved as one of .gif, .mp4, but got 'a.avi'"):
        save_film([EVERYTHING], tmp_path / "a.avi")
    with pytest.raises(ValueError, match="at least one scene"):
        save_film([], tmp_path / "a.gif")


def test_a_label_on_a_filled_mark_has_no_halo():
    marks = (Label(0.5, 0.5, "1"), Label(0.5, 0.5, "2", halo=False))
    packed = packed_scene(Scene(((Panel("numbers", (0.0, 1.0), (0.0, 1.0), marks),),)))
    assert [mark["halo"] for mark in packed["rows"][0][0]["marks"]] == [True, False]
