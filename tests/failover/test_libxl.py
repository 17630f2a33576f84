import pytest

from failover import libxl
from failover.libxl import LibxlError


def test_where_there_is_no_xen() -> None:
    with pytest.raises(LibxlError, match="domain 7 cannot be resumed"):
        libxl.resume(7)
