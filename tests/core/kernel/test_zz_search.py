import pytest, os
from tests.core.kernel.making import *
from tests.core.kernel.runs import work
from bo.core.kernel.replay import replay
@pytest.mark.parametrize("seed", range(100,130))
def test_s(new_office, seed):
    source=new_office(DIALECTS[seed%2]); work(source, seed, 70)
    e=everything_in(source)
    for d in DIALECTS:
        t=new_office(d); replay(source,t,at_once=1+seed%5); assert everything_in(t)==e
