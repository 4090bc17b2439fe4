import pytest


@pytest.mark.gen_test
async def test_chain_is_served(sandbox, fetch):
    answer = await fetch(sandbox, "/api/option_chain?symbol=NIFTY&strikes=2")
    assert len(answer.data["option_chain"]) == 5
    assert answer.data["total_ce_oi"] > 0
