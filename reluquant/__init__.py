"""Gradient flow of shallow ReLU networks, computed switch by switch and seen live.

Examples
--------
>>> import reluquant as rq
>>> data = rq.Dataset([-1.0, 0.0, 1.0], [1.0, -1.0, 1.0])
>>> net = rq.ShallowReLU.balanced(n_neurons=50, scale=1e-6, rng=0)
>>> trajectory = rq.gradient_flow(net, data, stop_loss=1e-8)
>>> trajectory.success
True

References
----------
Maennel, Bousquet & Gelly (2018), "Gradient Descent Quantizes ReLU Network Features", arXiv:1803.08367.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reluquant import course, datasets
    from reluquant.analysis.active_neurons import active_neurons
    from reluquant.analysis.closest_triangulation import closest_triangulation
    from reluquant.analysis.compare import compare
    from reluquant.analysis.count_triangulations import count_triangulations
    from reluquant.analysis.dead_share import dead_share
    from reluquant.analysis.extremal_directions import extremal_directions
    from reluquant.analysis.interpolate import interpolate
    from reluquant.analysis.interpolation_bounds import interpolation_bounds
    from reluquant.analysis.kink_census import kink_census
    from reluquant.analysis.neuron_clusters import neuron_clusters
    from reluquant.analysis.piecewise_linear import piecewise_linear
    from reluquant.analysis.predict_alignment import predict_alignment
    from reluquant.analysis.quantisation import quantisation
    from reluquant.analysis.sectors import sectors
    from reluquant.analysis.simplify import simplify
    from reluquant.analysis.triangulate import triangulate
    from reluquant.analysis.triangulation_distances import triangulation_distances
    from reluquant.analysis.triangulations import triangulations
    from reluquant.analysis.uniform_triangulation import uniform_triangulation
    from reluquant.dynamics.adapters import from_sklearn, from_torch, to_torch
    from reluquant.dynamics.function_family import function_family
    from reluquant.dynamics.gradient_descent import gradient_descent
    from reluquant.dynamics.gradient_flow import gradient_flow
    from reluquant.dynamics.greedy_limit import greedy_limit
    from reluquant.dynamics.greedy_training import greedy_training
    from reluquant.dynamics.sweep import sweep
    from reluquant.dynamics.train import train
    from reluquant.environment.doctor import doctor
    from reluquant.structures.dataset import Dataset
    from reluquant.structures.deep_relu import DeepReLU
    from reluquant.structures.greedy_run import GreedyRun
    from reluquant.structures.lazy_interpolant import LazyInterpolant
    from reluquant.structures.piecewise_linear import PiecewiseLinear
    from reluquant.structures.shallow_relu import ShallowReLU
    from reluquant.structures.simplicial_interpolant import SimplicialInterpolant
    from reluquant.structures.training_run import TrainingRun
    from reluquant.structures.trajectory import Trajectory
    from reluquant.structures.triangulation import Triangulation
    from reluquant.studies.active_neurons import active_neuron_study
    from reluquant.studies.approximation import approximation_study, random_label_study
    from reluquant.studies.regimes import phase_diagram, scale_sweep
    from reluquant.widgets.active_neurons import ActiveNeurons
    from reluquant.widgets.dashboard import Dashboard
    from reluquant.widgets.direction_histogram import DirectionHistogram
    from reluquant.widgets.explorer import explore
    from reluquant.widgets.family_explorer import FamilyExplorer
    from reluquant.widgets.greedy_explorer import GreedyExplorer
    from reluquant.widgets.interpolation_explorer import InterpolationExplorer
    from reluquant.widgets.predict_first import PredictFirst
    from reluquant.widgets.scale_explorer import ScaleExplorer
    from reluquant.widgets.sector_explorer import SectorExplorer
    from reluquant.widgets.slice_explorer import SliceExplorer

__version__ = "0.1.0"

# Every public name and the module it lives in. Modules load when a name is first used, because
# numba, bqplot and matplotlib take seconds, which `reluquant --help` should not.
_HOMES = {
    "ActiveNeurons": "reluquant.widgets.active_neurons",
    "Dashboard": "reluquant.widgets.dashboard",
    "Dataset": "reluquant.structures.dataset",
    "DeepReLU": "reluquant.structures.deep_relu",
    "DirectionHistogram": "reluquant.widgets.direction_histogram",
    "FamilyExplorer": "reluquant.widgets.family_explorer",
    "GreedyExplorer": "reluquant.widgets.greedy_explorer",
    "GreedyRun": "reluquant.structures.greedy_run",
    "InterpolationExplorer": "reluquant.widgets.interpolation_explorer",
    "LazyInterpolant": "reluquant.structures.lazy_interpolant",
    "PiecewiseLinear": "reluquant.structures.piecewise_linear",
    "PredictFirst": "reluquant.widgets.predict_first",
    "ScaleExplorer": "reluquant.widgets.scale_explorer",
    "SectorExplorer": "reluquant.widgets.sector_explorer",
    "ShallowReLU": "reluquant.structures.shallow_relu",
    "SimplicialInterpolant": "reluquant.structures.simplicial_interpolant",
    "SliceExplorer": "reluquant.widgets.slice_explorer",
    "TrainingRun": "reluquant.structures.training_run",
    "Trajectory": "reluquant.structures.trajectory",
    "Triangulation": "reluquant.structures.triangulation",
    "active_neuron_study": "reluquant.studies.active_neurons",
    "active_neurons": "reluquant.analysis.active_neurons",
    "approximation_study": "reluquant.studies.approximation",
    "closest_triangulation": "reluquant.analysis.closest_triangulation",
    "compare": "reluquant.analysis.compare",
    "count_triangulations": "reluquant.analysis.count_triangulations",
    "course": "reluquant.course",
    "datasets": "reluquant.datasets",
    "dead_share": "reluquant.analysis.dead_share",
    "doctor": "reluquant.environment.doctor",
    "explore": "reluquant.widgets.explorer",
    "extremal_directions": "reluquant.analysis.extremal_directions",
    "from_sklearn": "reluquant.dynamics.adapters",
    "from_torch": "reluquant.dynamics.adapters",
    "function_family": "reluquant.dynamics.function_family",
    "gradient_descent": "reluquant.dynamics.gradient_descent",
    "gradient_flow": "reluquant.dynamics.gradient_flow",
    "greedy_limit": "reluquant.dynamics.greedy_limit",
    "greedy_training": "reluquant.dynamics.greedy_training",
    "interpolate": "reluquant.analysis.interpolate",
    "interpolation_bounds": "reluquant.analysis.interpolation_bounds",
    "kink_census": "reluquant.analysis.kink_census",
    "neuron_clusters": "reluquant.analysis.neuron_clusters",
    "phase_diagram": "reluquant.studies.regimes",
    "piecewise_linear": "reluquant.analysis.piecewise_linear",
    "predict_alignment": "reluquant.analysis.predict_alignment",
    "quantisation": "reluquant.analysis.quantisation",
    "random_label_study": "reluquant.studies.approximation",
    "scale_sweep": "reluquant.studies.regimes",
    "sectors": "reluquant.analysis.sectors",
    "simplify": "reluquant.analysis.simplify",
    "sweep": "reluquant.dynamics.sweep",
    "to_torch": "reluquant.dynamics.adapters",
    "train": "reluquant.dynamics.train",
    "triangulate": "reluquant.analysis.triangulate",
    "triangulation_distances": "reluquant.analysis.triangulation_distances",
    "triangulations": "reluquant.analysis.triangulations",
    "uniform_triangulation": "reluquant.analysis.uniform_triangulation",
}

__all__ = ["__version__", *_HOMES]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'reluquant' has no attribute {name!r}")
    home = import_module(_HOMES[name])
    value = home if home.__name__ == f"reluquant.{name}" else getattr(home, name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
