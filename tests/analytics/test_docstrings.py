"""The examples in the docstrings are true."""

from __future__ import annotations

import doctest

import pytest

from analytics import black76, implied_volatility


@pytest.mark.parametrize("module", [black76, implied_volatility])
def test_examples_give_what_they_show(module):
    result = doctest.testmod(module)
    assert result.attempted > 0
    assert result.failed == 0
