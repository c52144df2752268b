"""A dictionary of names and whole numbers in a pickled .npy file, read without unpickling it.

Unpickling runs what the file says, and a list of allowed names does not help: NumPy's own
functions write anywhere in memory when their arguments lie. Here the file's opcodes are only
listed, and put together into values that nobody calls.

Source: PEP 3154 and ``pickletools`` of Python, ``numpy.lib.format``.
"""

import io
import pickletools
from collections.abc import Callable
from typing import Any, Final

import numpy as np

MOST_BYTES: Final = 4 << 20
_MARK: Final = object()


class InertPickleError(ValueError):
    """The file is not a pickled dictionary of names and whole numbers."""


def read_numbers_by_name(content: bytes) -> dict[str, int]:
    """Return the dictionary of a file that ``numpy.save(file, {'name': 1})`` wrote.

    Raises:
        InertPickleError: it holds something else, is damaged, or is larger than 4 MiB.
    """
    if len(content) > MOST_BYTES:
        raise InertPickleError(f'it has {len(content)} bytes')
    stream = io.BytesIO(content)
    try:
        _skip_header(stream)
        found = _put_together(stream)
        if isinstance(found, _Call):  # the array around the dictionary
            (found,) = found.state[-1]
    except (ArithmeticError, AttributeError, IndexError, KeyError, StopIteration, TypeError,
            ValueError) as error:
        raise InertPickleError(str(error) or 'damaged') from error
    if not isinstance(found, dict) or not all(
            isinstance(name, str) and isinstance(number, int) for name, number in found.items()):
        raise InertPickleError('it holds other things than names and whole numbers')
    return found


def _skip_header(stream: io.BytesIO) -> None:
    """Read past the header, which must be that of one object, without evaluating it."""
    magic = stream.read(8)
    if magic[:6] != b'\x93NUMPY' or magic[6] not in (1, 2, 3):
        raise ValueError('no .npy file')
    size = int.from_bytes(stream.read(2 if magic[6] == 1 else 4), 'little')
    header = stream.read(size)
    if b"'descr': '|O'" not in header or b"'shape': ()" not in header:
        raise ValueError('an array, not one object')


class _Call:
    """What unpickling would call, and with which state; never called."""

    def __init__(self, name: str, arguments: tuple[Any, ...]) -> None:
        self.name, self.arguments = name, arguments
        self.state: Any = None

    def number(self) -> Any:
        """Return the value of a NumPy scalar that is a whole number, else itself."""
        if self.name != 'scalar':
            return self
        kind, data = self.arguments
        if kind.name != 'dtype' or kind.arguments[0] not in ('i4', 'i8', 'u4', 'u8'):
            return self
        if len(data) != int(kind.arguments[0][1]):
            raise ValueError(f'a number of {len(data)} bytes')
        value: int = np.frombuffer(data, kind.state[1] + kind.arguments[0])[0].item()
        return value


def _put_together(stream: io.BytesIO) -> Any:
    stack: list[Any] = []
    memo: dict[int, Any] = {}
    argument: Any
    for opcode, argument, _ in pickletools.genops(stream):
        name = opcode.name
        if name in _VALUES:
            stack.append(argument)
        elif name in _CONSTANTS:
            stack.append(_CONSTANTS[name]())
        elif name in ('MEMOIZE', 'PUT', 'BINPUT', 'LONG_BINPUT'):
            memo[len(memo) if name == 'MEMOIZE' else argument] = stack[-1]
        elif name in ('GET', 'BINGET', 'LONG_BINGET'):
            stack.append(memo[argument])
        elif name == 'STOP':
            return stack.pop()
        elif name == 'GLOBAL':
            stack.append(argument.rpartition(' ')[2])
        elif name in _CHANGES:
            _CHANGES[name](stack)
        elif name not in ('PROTO', 'FRAME'):
            raise ValueError(f'{name} has no place in it')
    raise ValueError('it has no end')


def _since_mark(stack: list[Any]) -> list[Any]:
    at = len(stack) - 1 - next(place for place, item in enumerate(reversed(stack))
                               if item is _MARK)
    items = stack[at + 1:]
    del stack[at:]
    return items


def _pack(count: int) -> Callable[[list[Any]], None]:
    def pack(stack: list[Any]) -> None:
        items = tuple(stack[len(stack) - count:]) if count else ()
        if len(items) != count:
            raise ValueError('it is cut short')
        del stack[len(stack) - count:]
        stack.append(items)
    return pack


def _pack_all(stack: list[Any]) -> None:
    stack.append(tuple(_since_mark(stack)))


def _append(stack: list[Any]) -> None:
    item = stack.pop()
    stack[-1].append(item)


def _append_all(stack: list[Any]) -> None:
    items = _since_mark(stack)
    stack[-1].extend(items)


def _set_item(stack: list[Any]) -> None:
    value, name = stack.pop(), stack.pop()
    stack[-1][name] = value.number() if isinstance(value, _Call) else value


def _set_items(stack: list[Any]) -> None:
    items = _since_mark(stack)
    for name, value in zip(items[::2], items[1::2], strict=True):
        stack[-1][name] = value.number() if isinstance(value, _Call) else value


def _call(stack: list[Any]) -> None:
    arguments, name = stack.pop(), stack.pop()
    stack.append(_Call(str(name), tuple(arguments)))


def _build(stack: list[Any]) -> None:
    state = stack.pop()
    stack[-1].state = state


def _dict(stack: list[Any]) -> None:
    items = _since_mark(stack)
    stack.append(dict(zip(items[::2], items[1::2], strict=True)))


def _global(stack: list[Any]) -> None:
    name, _ = stack.pop(), stack.pop()
    stack.append(name)


_VALUES: Final = frozenset((
    'BININT', 'BININT1', 'BININT2', 'INT', 'LONG', 'LONG1', 'LONG4', 'BINUNICODE',
    'SHORT_BINUNICODE', 'UNICODE', 'BINSTRING', 'SHORT_BINSTRING', 'STRING', 'BINBYTES',
    'SHORT_BINBYTES', 'BINFLOAT'))
_CONSTANTS: Final[dict[str, Callable[[], Any]]] = {
    'NONE': lambda: None, 'NEWTRUE': lambda: True, 'NEWFALSE': lambda: False,
    'EMPTY_DICT': dict, 'EMPTY_LIST': list, 'EMPTY_TUPLE': tuple, 'MARK': lambda: _MARK}
_CHANGES: Final[dict[str, Callable[[list[Any]], None]]] = {
    'TUPLE': _pack_all, 'TUPLE1': _pack(1), 'TUPLE2': _pack(2), 'TUPLE3': _pack(3),
    'APPEND': _append, 'APPENDS': _append_all, 'SETITEM': _set_item, 'SETITEMS': _set_items,
    'REDUCE': _call, 'BUILD': _build, 'STACK_GLOBAL': _global,
    'DICT': _dict}
