"""Keeps streamkit's resumable streams in Redis: any server process can go on reading what another produces.

runs = ResumableRuns(RedisStore(url="redis://localhost"))
"""

from streamkit_redis._plugin import plugin
from streamkit_redis.store import RedisStore

__all__ = ["RedisStore", "plugin"]
