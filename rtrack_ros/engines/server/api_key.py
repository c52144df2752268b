"""The API key of a server: read from the environment, sent, and shown to nobody."""

import os
import re
from typing import Final

from rtrack_ros.engines.base import EngineError

API_KEY_VARIABLE: Final = 'RTRACK_API_KEY'
"""Name of the environment variable that is read where no other is named."""

_NAME: Final = re.compile('[A-Za-z_][A-Za-z0-9_]*')
_HIDDEN = '***'


class ApiKey:
    """A key that lies in an environment variable, or none.

    Args:
        variable: Name of the environment variable; parameters are logged, so that only the name
            may be one.

    Attributes:
        variable: That name.

    Raises:
        EngineError: the name is none, or the variable holds what no key can be.
    """

    def __init__(self, variable: str) -> None:
        if not _NAME.fullmatch(variable):
            # Not shown: whoever takes the name for the key itself does not want it in a log.
            raise EngineError('api_key_env is no name of an environment variable; put the API key '
                              f'into one and give its name, for example {API_KEY_VARIABLE}')
        self.variable = variable
        self._secret = os.environ.get(variable, '').strip()
        if not (self._secret.isascii() and self._secret.isprintable()):
            raise EngineError(f'the environment variable {variable} holds characters that no API '
                              'key has; set it anew')

    @property
    def given(self) -> bool:
        """Whether there is a key."""
        return bool(self._secret)

    def headers(self) -> dict[str, str]:
        """Return the HTTP headers that carry the key."""
        return {'Authorization': f'Bearer {self._secret}'} if self._secret else {}

    def hidden(self, text: str) -> str:
        """Return a text without the key: some servers repeat it in their complaint."""
        return text.replace(self._secret, _HIDDEN) if self._secret else text

    def __repr__(self) -> str:
        """Return where the key is, not what it is."""
        return f'ApiKey({self.variable!r})'
