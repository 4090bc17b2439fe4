"""The parameters of the simulated market, read from `data/simulation.toml`."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

PARAMETERS_PATH = Path(__file__).parent / "simulation.toml"

Parameters = dict[str, Any]
FloatArray = NDArray[np.float64]


@cache
def load_parameters(path: Path = PARAMETERS_PATH) -> Parameters:
    """The file's tables; callers read them and never write."""
    with path.open("rb") as file:
        return tomllib.load(file)
