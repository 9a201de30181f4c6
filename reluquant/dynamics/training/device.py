"""Where training computes, and in which precision."""

from __future__ import annotations

import torch

DTYPES = {"float32": torch.float32, "float64": torch.float64}


def chosen_device(device: str) -> torch.device:
    """Return the device of that name; "auto" is a GPU where PyTorch sees one.

    Raises
    ------
    ValueError
        If PyTorch does not know it or cannot reach it.
    """
    if device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        chosen = torch.device(device)
        torch.zeros(1, device=chosen)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        reason = str(error).strip().splitlines()[0]
        raise ValueError(
            f'device must be "auto", "cpu" or one that PyTorch reaches, but it is {device!r}: {reason}.'
        ) from error
    return chosen
