"""The units of time that Hefery counts in, each in nanoseconds."""

from typing import Final

NS_PER_S: Final = 10**9
NS_PER_MS: Final = 10**6
