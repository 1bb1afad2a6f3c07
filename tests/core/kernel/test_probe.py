from tests.core.kernel.making import *
def test_x(office):
    office.do("shops.add", code="west", name="西湖店 West")
    office.do("tickets.open", number="T-1", name="Ann", phone="13800138000", amount="12.50", due="2026-11-05", tags="a,b", note="hello")
    office.do("gauges.add", label="g1", rate="5%", read_at="2026-11-02 10:00", email="A@b.cn")
    o=office.do("tickets.give","T-1", shop="west")
    print(o)
    print(everything_in(office))
    office.undo(o.operation)
    assert office.verify()==5
