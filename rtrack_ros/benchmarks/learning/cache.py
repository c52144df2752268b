"""Results of long runs, kept in files with the settings that made them."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from rtrack_ros.data.pairs import DataError


def kept(path: Path, settings: Mapping[str, Any], make: Callable[[], Any]) -> Any:
    """Return a result from its file; where there is none, make it and write the file.

    Args:
        path: JSON file; its folder is made if it is not there.
        settings: What the result depends on, plain values.
        make: Makes the result, plain values.

    Raises:
        DataError: the file was made with other settings.
    """
    wanted = json.loads(json.dumps(settings))
    if path.is_file():
        content = json.loads(path.read_text(encoding='utf-8'))
        if content['settings'] != wanted:
            other = sorted(name for name in {*wanted, *content['settings']}
                           if wanted.get(name) != content['settings'].get(name))
            raise DataError(f'{path} was made with another {", ".join(other)}; give another '
                            '--out, or the settings of that run')
        return content['result']
    result = json.loads(json.dumps(make()))
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix('.part')
    partial.write_text(json.dumps({'settings': wanted, 'result': result}) + '\n',
                       encoding='utf-8')
    partial.replace(path)
    return result
