"""Running a cell again and again leaves nothing of the earlier runs, in a kernel as notebooks use it."""

import json
import sys

import pytest
from jupyter_client.manager import start_new_kernel

SETUP = """
import gc, json, os, threading, time
import comm, reluquant as rq
from ipywidgets.widgets.widget import _instances as instances
data = rq.datasets.three_points()
run = rq.gradient_flow(rq.ShallowReLU.balanced(n_neurons=20, scale=1e-3, rng=0), data, progress=False)

def workers():
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("reluquant")]

def wait(widget):
    getattr(widget, "shown", widget).wait(250)

def census():
    wait(widget)
    gc.collect()
    deadline = time.monotonic() + 60
    while workers() and time.monotonic() < deadline:
        time.sleep(0.05)
    with open("/proc/self/statm") as file:
        pages = int(file.read().split()[1])
    print(json.dumps({
        "widgets": len(instances), "comms": len(comm.get_comm_manager().comms), "threads": len(workers()),
        "megabytes": pages * os.sysconf("SC_PAGE_SIZE") / 2**20,
    }))
"""
MAKERS = {
    "explore": "rq.explore(data, n_neurons=20)",
    "DirectionHistogram": "rq.DirectionHistogram(run, max_seconds=0.1)",
    "FamilyExplorer": "rq.FamilyExplorer(data, n_draws=0)",
    "GreedyExplorer": "rq.GreedyExplorer(data, n_neurons=20, scale=1e-3)",
    "InterpolationExplorer": "rq.InterpolationExplorer(data, n_neurons=20)",
    "PredictFirst": "rq.PredictFirst(data)",
    "ScaleExplorer": "rq.ScaleExplorer(data, n_neurons=10)",
    "SectorExplorer": "rq.SectorExplorer(data)",
    "Dashboard": "rq.Dashboard()",
}
RUNS = 50
# Python's heap grows and is reused; an instrument that stayed would take several megabytes each time.
MOST_GROWTH = 60.0

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="memory is read from /proc"),
]


@pytest.fixture(scope="module")
def kernel():
    manager, client = start_new_kernel(kernel_name="python3")

    def run(code, cell="setup"):
        message = client.session.msg("execute_request", {
            "code": code, "silent": False, "store_history": False, "user_expressions": {}, "allow_stdin": False,
        })  # fmt: skip
        message["metadata"]["cellId"] = cell
        client.shell_channel.send(message)
        text = ""
        while True:
            heard = client.get_iopub_msg(timeout=300)
            if heard["parent_header"].get("msg_id") != message["header"]["msg_id"]:
                continue
            if heard["msg_type"] == "error":
                raise AssertionError("\n".join(heard["content"]["traceback"]))
            if heard["msg_type"] == "stream":
                text += heard["content"]["text"]
            if heard["msg_type"] == "status" and heard["content"]["execution_state"] == "idle":
                return text

    run(SETUP)
    yield run
    client.stop_channels()
    manager.shutdown_kernel(now=True)


@pytest.mark.parametrize("name", MAKERS)
def test_a_cell_that_runs_fifty_times_leaves_one_widget(kernel, name):
    cell = f"widget = {MAKERS[name]}\nwidget"
    # Alternately with a run that is still at work, and with one that is done.
    code = [cell, f"{cell.splitlines()[0]}; wait(widget)\nwidget"]
    for k in range(5):
        kernel(code[k % 2], cell="widget")
    before = json.loads(kernel("census()"))
    for k in range(RUNS):
        kernel(code[k % 2] if name != "ScaleExplorer" else code[0], cell="widget")
    after = json.loads(kernel("census()"))
    assert after["threads"] == before["threads"] == 0
    assert after["widgets"] == before["widgets"]
    assert after["comms"] == before["comms"]
    assert after["megabytes"] - before["megabytes"] < MOST_GROWTH
    kernel("widget.close()", cell="close")
