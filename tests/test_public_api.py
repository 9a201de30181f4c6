"""The public names, and what importing them costs."""

import ast
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import reluquant

PUBLIC_NAMES = [
    "ActiveNeurons",
    "Dashboard",
    "Dataset",
    "DeepReLU",
    "DirectionHistogram",
    "FamilyExplorer",
    "GreedyExplorer",
    "GreedyRun",
    "InterpolationExplorer",
    "LazyInterpolant",
    "PiecewiseLinear",
    "PredictFirst",
    "ScaleExplorer",
    "SectorExplorer",
    "ShallowReLU",
    "SimplicialInterpolant",
    "SliceExplorer",
    "TrainingRun",
    "Trajectory",
    "Triangulation",
    "__version__",
    "active_neuron_study",
    "active_neurons",
    "approximation_study",
    "closest_triangulation",
    "compare",
    "count_triangulations",
    "course",
    "datasets",
    "dead_share",
    "doctor",
    "explore",
    "extremal_directions",
    "from_sklearn",
    "from_torch",
    "function_family",
    "gradient_descent",
    "gradient_flow",
    "greedy_limit",
    "greedy_training",
    "interpolate",
    "interpolation_bounds",
    "kink_census",
    "neuron_clusters",
    "phase_diagram",
    "piecewise_linear",
    "predict_alignment",
    "quantisation",
    "random_label_study",
    "scale_sweep",
    "sectors",
    "simplify",
    "sweep",
    "to_torch",
    "train",
    "triangulate",
    "triangulation_distances",
    "triangulations",
    "uniform_triangulation",
]
HEAVY = {"numba", "numpy", "scipy", "matplotlib", "bqplot", "ipywidgets", "anywidget", "IPython", "pandas", "torch"}


def run(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.strip()


def test_public_names_are_these_and_no_others():
    assert dir(reluquant) == PUBLIC_NAMES
    assert sorted(reluquant.__all__) == PUBLIC_NAMES


@pytest.mark.parametrize("name", [name for name in PUBLIC_NAMES if name != "__version__"])
def test_every_name_resolves_to_its_home_and_is_documented(name):
    value = getattr(reluquant, name)
    home = reluquant._HOMES[name]
    assert value is (import_module(home) if home == f"reluquant.{name}" else getattr(import_module(home), name))
    assert value.__doc__
    if not home.endswith(f"reluquant.{name}"):
        assert value.__module__ == home, "one name, one home"


def test_type_checkers_see_the_same_names():
    tree = ast.parse(Path(reluquant.__file__).read_text(encoding="utf-8"))
    blocks = [node for node in tree.body if isinstance(node, ast.If)]
    imports = [node for block in blocks for node in block.body if isinstance(node, ast.ImportFrom)]
    seen = {alias.name: node.module for node in imports for alias in node.names}
    homes = {name: home.removesuffix(f".{name}") if home == f"reluquant.{name}" else home
             for name, home in reluquant._HOMES.items()}
    assert seen == homes


def test_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'train_me'"):
        _ = reluquant.train_me


def test_functions_survive_the_import_of_every_module():
    # A module that bore a public function's name would replace that function once it is imported.
    code = (
        "import reluquant as rq, pkgutil, importlib\n"
        "for m in pkgutil.walk_packages(rq.__path__, 'reluquant.'):\n"
        "    importlib.import_module(m.name)\n"
        "import types\n"
        "print([n for n in rq.__all__ if isinstance(getattr(rq, n), types.ModuleType)])"
    )
    assert run(code) == "['course', 'datasets']"


def test_import_loads_nothing_heavy():
    loaded = run("import sys, reluquant; print(*{m.split('.')[0] for m in sys.modules})").split()
    assert "reluquant" in loaded
    assert not HEAVY & set(loaded)


def test_command_line_help_loads_nothing_heavy():
    loaded = run("import sys, reluquant.cli; print(*{m.split('.')[0] for m in sys.modules})").split()
    assert not HEAVY & set(loaded)


def test_data_and_networks_load_no_compiler_and_no_front_end():
    code = "import sys, reluquant as rq; rq.Dataset; rq.ShallowReLU; print(*{m.split('.')[0] for m in sys.modules})"
    assert not (HEAVY - {"numpy"}) & set(run(code).split())
