"""Notebooks: stripped of outputs, with claims that are asserted and exercises whose solutions run."""

import json
import re
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parent.parent / "notebooks"
# The course is numbered; the dashboard is a page of widgets.
NOTEBOOKS = sorted(FOLDER.glob("[0-9]*.ipynb"))


@pytest.fixture(params=NOTEBOOKS, ids=lambda path: path.stem)
def cells(request) -> list[dict]:
    return json.loads(request.param.read_text(encoding="utf-8"))["cells"]


def source(cell: dict) -> str:
    return "".join(cell["source"])


def solutions(cells: list[dict]) -> list[str]:
    texts = [source(cell) for cell in cells if cell["cell_type"] == "markdown"]
    return [
        block
        for text in texts
        for hidden in re.findall(r"<details>.*?</details>", text, flags=re.DOTALL)
        for block in re.findall(r"```python\n(.*?)```", hidden, flags=re.DOTALL)
    ]


def test_there_are_notebooks():
    assert [path.name for path in NOTEBOOKS][:1] == ["00_quickstart.ipynb"]


def test_has_exercises_with_hidden_solutions(cells):
    assert solutions(cells)


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.ipynb")), ids=lambda path: path.stem)
def test_committed_without_outputs(path):
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    code = [cell for cell in cells if cell["cell_type"] == "code"]
    assert not any(cell["outputs"] or cell["execution_count"] for cell in code)


def test_claims_are_asserted(cells):
    assert sum(source(cell).count("assert ") for cell in cells if cell["cell_type"] == "code") >= 3


def test_defines_no_library_functions(cells):
    assert not any(re.search(r"^(def|class) ", source(cell), flags=re.MULTILINE) for cell in cells)


# nbval runs the cells of all notebooks with the quick tests; the solutions need them run once more.
@pytest.mark.slow
def test_the_solutions_of_the_exercises_run(cells, capsys):
    namespace: dict = {}
    for cell in cells:
        if cell["cell_type"] == "code" and "rq.course.check(" not in source(cell):
            exec(source(cell), namespace)
    for solution in solutions(cells):
        exec(solution, namespace)
    assert capsys.readouterr().out
