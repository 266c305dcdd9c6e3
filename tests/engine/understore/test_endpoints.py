"""Who was asked is told when nobody answers."""

from __future__ import annotations

import pytest

from datafluid.engine.understore.obstore_errors import mapped
from datafluid.errors import Unavailable


def test_an_endpoint_that_does_not_answer_is_named() -> None:
    """And nothing of what obstore says: there may be a signature in it."""
    from obstore.exceptions import GenericError

    with (
        pytest.raises(Unavailable, match=r"s3://b/p cannot be reached at http://h:1\. Check") as caught,
        mapped("s3://b/p", endpoint="http://h:1"),
    ):
        raise GenericError("no answer from http://h:1/p?X-Amz-Signature=hunter2")
    assert "hunter2" not in str(caught.value)
