"""Model folders by name: one on this machine, or one of the hub where ``hub:`` asks for it."""

from pathlib import Path
from typing import Final

from rtrack_ros.engines.base import EngineError

PREFIX: Final = 'hub:'


def local_folder(named: Path | str) -> Path:
    """Return the folder of a model on this machine.

    Args:
        named: A folder; or ``hub:OWNER/NAME``, which is fetched from the hub, or taken from its
            cache. Nothing else is ever looked up there.

    Raises:
        EngineError: there is no such folder, or it cannot be fetched.
    """
    text = str(named)
    if not text.startswith(PREFIX):
        if not Path(named).is_dir():
            raise EngineError(f'there is no model folder {named}; name one that is there, or one '
                              f'of the hub as {PREFIX}OWNER/NAME')
        return Path(named)
    from huggingface_hub import snapshot_download
    try:
        return Path(snapshot_download(text.removeprefix(PREFIX)))
    except (OSError, ValueError) as error:
        raise EngineError(f'{text} cannot be fetched ({" ".join(str(error).split())[:300]}); '
                          'give a folder on this machine') from error
