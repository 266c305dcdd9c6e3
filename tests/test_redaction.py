"""What is shown of a URL: all of it but what could be a secret."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datafluid.redaction import redact_url

_WORD = st.text("abcxyz019-.", min_size=1, max_size=8)


@pytest.mark.parametrize(
    "url", ["local:///data", "pvc://claim/sub", "s3://bucket/a/b", "file:///x", "mailto:x", "/a/b", "http://h:80", "a:"]
)
def test_what_has_no_secret_is_shown_as_it_is(url: str) -> None:
    """Not with a slash fewer."""
    assert redact_url(url) == url


@given(st.sampled_from(["local", "s3", "https", "hdfs", "x-y"]), _WORD | st.just(""), st.lists(_WORD, max_size=3))
def test_only_user_query_and_fragment_go(scheme: str, host: str, path: list[str]) -> None:
    """For each scheme, with a host and without."""
    plain = "/".join([f"{scheme}://{host}", *path])
    assert redact_url(plain) == plain
    assert redact_url(f"{plain}?sig=1#x") == plain
    assert redact_url(plain.replace("://", "://me:pw@", 1)) == plain
