"""Pages of all public names, written from the lists that make them public, so that none can be forgotten."""

import re
from collections.abc import Callable, Iterable, Iterator
from inspect import getdoc, isclass, isfunction
from pathlib import Path
from types import ModuleType

from sphinx.application import Sphinx

import reluquant
from reluquant import course, datasets

# Rooms from the first to the last that a user meets, and what they hold.
ROOMS = {
    "structures": "Values",
    "dynamics": "How networks move",
    "analysis": "What is true of data and network",
    "studies": "Whole experiments",
    "widgets": "Instruments",
    "environment": "Surroundings",
}
MODULES = {"datasets", "course"}


def room(name: str) -> str:
    """The room in which a public name lives."""
    return reluquant._HOMES[name].split(".")[1]


def summary(value: object) -> str:
    """The first sentence of a docstring, on one line."""
    return " ".join((getdoc(value) or "").split("\n\n")[0].split())


def heading(text: str, mark: str) -> str:
    """A heading of reStructuredText."""
    return f"{text}\n{mark * len(text)}\n\n"


def directive(path: str, value: object) -> str:
    """What autodoc shall write of a value."""
    if isclass(value):
        # Up to the instruments' base class, and not the hundreds of names of ipywidgets.
        return f".. autoclass:: {path}\n   :members:\n   :inherited-members: VBox, object, dict, tuple, list\n\n"
    return f".. autofunction:: {path}\n\n"


def functions_of(value: object) -> Iterator[Callable]:
    """A function itself, or the public methods and properties that a class defines."""
    if isfunction(value):
        yield value
    elif isclass(value):
        for name, member in vars(value).items():
            member = getattr(member, "fget", None) or getattr(member, "func", None) or member
            if isfunction(member) and not name.startswith("_"):
                yield member


def results(values: list[object]) -> list[type]:
    """Classes that are not public, but that come back from what is, by the annotations; in order of their names."""
    todo, found = list(values), {}
    while todo:
        for function in functions_of(todo.pop()):
            for word in re.findall(r"\w+", str(function.__annotations__.get("return"))):
                value = function.__globals__.get(word)
                ours = isclass(value) and value.__module__.startswith("reluquant.") and not word.startswith("_")
                if ours and value not in values and word not in found:
                    found[word] = value
                    todo.append(value)
    return [found[word] for word in sorted(found)]


def pages() -> dict[str, str]:
    """Texts of all pages, by their names without suffix."""
    names = [name for name in reluquant.__all__ if name not in MODULES and name != "__version__"]
    values = {name: getattr(reluquant, name) for name in names}
    index = heading("API", "=") + "Every public name, with a runnable example.\n\n"
    written = {}
    for key, title in ROOMS.items():
        members = [name for name in names if room(name) == key]
        index += heading(title, "-")
        for name in members:
            index += f"* :{'class' if isclass(values[name]) else 'func'}:`reluquant.{name}`: {summary(values[name])}\n"
            written[f"reluquant.{name}"] = heading(name, "=") + directive(f"reluquant.{name}", values[name])
        index += contents(f"reluquant.{name}" for name in members)
    index += heading("Modules and results", "-") + (
        f"* :mod:`reluquant.datasets`: {summary(datasets)}\n* :mod:`reluquant.course`: {summary(course)}\n"
        "* :doc:`results`: classes that functions return, and that nobody makes by hand.\n"
    )
    index += contents(["reluquant.datasets", "reluquant.course", "results"])
    written["reluquant.datasets"] = module(datasets)
    written["reluquant.course"] = module(course)
    written["results"] = heading("What comes back", "=") + "".join(
        heading(value.__name__, "-") + directive(f"{value.__module__}.{value.__name__}", value)
        for value in results(list(values.values()))
    )
    return {"index": index, **written}


def module(module: ModuleType) -> str:
    """A page of all public names of a module."""
    text = heading(module.__name__, "=") + f".. automodule:: {module.__name__}\n   :no-members:\n\n"
    for name in module.__all__:
        text += heading(name, "-") + directive(f"{module.__name__}.{name}", getattr(module, name))
    return text


def contents(documents: Iterable[str]) -> str:
    """A hidden list of pages below this one."""
    return "\n.. toctree::\n   :hidden:\n\n" + "".join(f"   {document}\n" for document in documents) + "\n"


def write_pages(app: Sphinx) -> None:
    """Make docs/api hold these pages and no others."""
    folder = Path(app.srcdir) / "api"
    folder.mkdir(exist_ok=True)
    texts = {folder / f"{name}.rst": text for name, text in pages().items()}
    for stale in set(folder.glob("*.rst")) - set(texts):
        stale.unlink()
    for path, text in texts.items():
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")


def setup(app: Sphinx) -> dict[str, bool]:
    """Called by Sphinx."""
    app.connect("builder-inited", write_pages)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
