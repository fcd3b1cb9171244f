"""Pickles, read without running anything of them.

A pickle is a program for a small machine with a stack. Python's own machine imports what a pickle
names and calls it; `find_class` can stop that, and a hostile pickle still has ways to take all
memory or all time there. So this is a machine of our own: of a class it knows the name, of an
object the name of its class and its state. Nothing is imported or called, everything is counted,
and what is not needed for a cookie jar is refused. Protocols 0 to 5, PEP 307, 3154 and 574;
`pickletools` of the standard library explains each opcode.
"""

from __future__ import annotations

from struct import unpack_from

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable

# A jar of 200 cookies takes 60 KB and 15,000 opcodes.
LONGEST = 256 * 1024
MOST_OPCODES = 100_000
# Longer numbers are no time and no port, and take long to read.
LONGEST_NUMBER = 20

_JARS = ("CookieJar", "FileCookieJar", "LWPCookieJar", "MozillaCookieJar", "DefaultCookiePolicy")
_CLASSES = {
    *((module, name) for module in ("http.cookiejar", "cookielib") for name in ("Cookie", *_JARS)),
    ("requests.cookies", "RequestsCookieJar"),
    ("collections", "OrderedDict"),
    *((module, name) for module in ("builtins", "__builtin__") for name in ("object", "dict")),
    *((module, "_reconstructor") for module in ("copyreg", "copy_reg")),
    *(
        (module, name)
        for module in ("threading", "_thread", "thread")
        for name in ("RLock", "_RLock")
    ),
}


class Unreadable(ValueError):
    """This is no pickle of cookies. Says nothing of what is in it."""


class Named:
    """Where a pickle names a class."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name


class Inert:
    """Where a pickle has an object: the name of its class, and its attributes."""

    __slots__ = ("name", "state")

    def __init__(self, name: str) -> None:
        self.name = name
        self.state: dict[Any, Any] = {}


_MARK = object()


def loads(data: bytes) -> Any:
    """What was pickled, of plain data and `Inert`. Raises `Unreadable`."""
    if len(data) > LONGEST:
        raise Unreadable("too long")
    try:
        return _Machine(data).run()
    except Unreadable as error:
        why = str(error)
    except Exception:  # noqa: BLE001 - its words could hold what was read
        why = "broken"
    raise Unreadable(why)


class _Machine:
    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0
        self.stack: list[Any] = []
        self.memo: dict[int, Any] = {}

    def run(self) -> Any:
        for _ in range(MOST_OPCODES):
            opcode = self.take(1)
            if opcode == b".":
                return self.stack.pop()
            step = _STEPS.get(opcode)
            if step is None:
                raise Unreadable("an opcode that no cookie needs")
            step(self)
        raise Unreadable("too many opcodes")

    # What follows an opcode

    def take(self, size: int) -> bytes:
        end = self.at + size
        if size < 0 or end > len(self.data):
            raise Unreadable("cut off")
        taken = self.data[self.at : end]
        self.at = end
        return taken

    def number(self, form: str, size: int) -> Any:
        return unpack_from(form, self.take(size))[0]

    def line(self) -> bytes:
        end = self.data.index(b"\n", self.at)
        taken = self.data[self.at : end]
        self.at = end + 1
        return taken

    def text(self, size: int) -> str:
        return self.take(size).decode("utf-8")

    # What is on the stack

    def push(self, value: Any) -> None:
        self.stack.append(value)

    def since_mark(self) -> list[Any]:
        place = len(self.stack) - 1
        while self.stack[place] is not _MARK:
            place -= 1
            if place < 0:
                raise Unreadable("no mark")
        items = self.stack[place + 1 :]
        del self.stack[place:]
        return items

    def last(self, count: int) -> list[Any]:
        if len(self.stack) < count:
            raise Unreadable("nothing there")
        items = self.stack[len(self.stack) - count :]
        del self.stack[len(self.stack) - count :]
        return items

    # What is made of it

    def short_int(self, text: bytes) -> int:
        if len(text) > LONGEST_NUMBER:
            raise Unreadable("a number that is too long")
        return int(text)

    def int_line(self) -> Any:
        text = self.line()
        # How the oldest protocol writes False and True.
        return text == b"01" if text in {b"00", b"01"} else self.short_int(text)

    def long_line(self) -> int:
        return self.short_int(self.line().rstrip(b"L"))

    def binary_long(self, size: int) -> int:
        if size > LONGEST_NUMBER:
            raise Unreadable("a number that is too long")
        return int.from_bytes(self.take(size), "little", signed=True)

    def float_line(self) -> float:
        text = self.line()
        if len(text) > 2 * LONGEST_NUMBER:
            raise Unreadable("a number that is too long")
        return float(text)

    def quoted_line(self) -> str:
        from codecs import escape_decode

        text = self.line()
        if len(text) < 2 or text[:1] not in (b"'", b'"') or text[-1:] != text[:1]:
            raise Unreadable("no text")
        value: bytes = escape_decode(text[1:-1])[0]
        return value.decode("utf-8")

    def set_items(self, items: list[Any]) -> None:
        target = self.stack[-1]
        target = target.state if isinstance(target, Inert) else target
        if type(target) is not dict or len(items) % 2:
            raise Unreadable("no dictionary")
        for key, value in zip(items[::2], items[1::2]):
            # A nested key could take forever to hash, and many great numbers have the same hash.
            is_small = type(key) is int and -(2**31) < key < 2**31
            if key is not None and type(key) is not str and not is_small:
                raise Unreadable("a key that is no text")
            target[key] = value

    def append(self, items: list[Any]) -> None:
        if type(self.stack[-1]) is not list:
            raise Unreadable("no list")
        self.stack[-1] += items

    def name(self, module: Any, name: Any) -> None:
        if type(module) is not str or type(name) is not str or (module, name) not in _CLASSES:
            raise Unreadable("a class that no cookie needs")
        self.push(Named(name))

    def make(self, of: Any, arguments: Any) -> None:
        """What `of(*arguments)` would be, if it were called. Where `of` is the function by which
        old pickles make objects, the class is its first argument."""
        if type(of) is not Named or type(arguments) is not tuple:
            raise Unreadable("nothing that makes an object")
        if of.name == "_reconstructor":
            of = arguments[0] if arguments else None
            if type(of) is not Named:
                raise Unreadable("nothing that makes an object")
        self.push({} if of.name in ("OrderedDict", "dict") else Inert(of.name))

    def build(self) -> None:
        state = self.stack.pop()
        target = self.stack[-1]
        if type(state) is tuple and len(state) == 2:
            # With slots: Cookie and the jars have none.
            state = state[0]
        if type(target) is not Inert or type(state) is not dict:
            raise Unreadable("no object")
        # Not copied: that, done often, would take more memory than the pickle has bytes.
        target.state = state

    def remember(self, place: int) -> None:
        self.memo[place] = self.stack[-1]

    def recall(self, place: int) -> None:
        self.push(self.memo[place])


def _since_mark(make: Callable[[list[Any]], Any]) -> Callable[[_Machine], None]:
    return lambda m: m.push(make(m.since_mark()))


def _dict(m: _Machine) -> None:
    items = m.since_mark()
    m.push({})
    m.set_items(items)


def _old_object(m: _Machine) -> None:
    arguments = m.since_mark()
    if not arguments:
        raise Unreadable("no class")
    m.make(arguments[0], tuple(arguments[1:]))


def _named_object(m: _Machine) -> None:
    names = m.line().decode(), m.line().decode()
    arguments = tuple(m.since_mark())
    m.name(*names)
    m.make(m.stack.pop(), arguments)


# Each opcode as `pickle` calls it.
_STEPS: dict[bytes, Callable[[_Machine], Any]] = {
    # PROTO, FRAME
    b"\x80": lambda m: m.take(1),
    b"\x95": lambda m: m.take(8),
    # MARK, POP, POP_MARK, DUP
    b"(": lambda m: m.push(_MARK),
    b"0": lambda m: m.stack.pop(),
    b"1": lambda m: m.since_mark(),
    b"2": lambda m: m.push(m.stack[-1]),
    # NONE, NEWTRUE, NEWFALSE
    b"N": lambda m: m.push(None),
    b"\x88": lambda m: m.push(True),
    b"\x89": lambda m: m.push(False),
    # INT, LONG, BININT, BININT1, BININT2, LONG1, LONG4, FLOAT, BINFLOAT
    b"I": lambda m: m.push(m.int_line()),
    b"L": lambda m: m.push(m.long_line()),
    b"J": lambda m: m.push(m.number("<i", 4)),
    b"K": lambda m: m.push(m.number("<B", 1)),
    b"M": lambda m: m.push(m.number("<H", 2)),
    b"\x8a": lambda m: m.push(m.binary_long(m.number("<B", 1))),
    b"\x8b": lambda m: m.push(m.binary_long(m.number("<I", 4))),
    b"F": lambda m: m.push(m.float_line()),
    b"G": lambda m: m.push(m.number(">d", 8)),
    # STRING, BINSTRING, SHORT_BINSTRING: text, in the pickles of Python 2
    b"S": lambda m: m.push(m.quoted_line()),
    b"T": lambda m: m.push(m.text(m.number("<I", 4))),
    b"U": lambda m: m.push(m.text(m.number("<B", 1))),
    # BINBYTES, SHORT_BINBYTES, BINBYTES8
    b"B": lambda m: m.push(m.take(m.number("<I", 4))),
    b"C": lambda m: m.push(m.take(m.number("<B", 1))),
    b"\x8e": lambda m: m.push(m.take(m.number("<Q", 8))),
    # UNICODE, BINUNICODE, SHORT_BINUNICODE, BINUNICODE8
    b"V": lambda m: m.push(m.line().decode("raw_unicode_escape")),
    b"X": lambda m: m.push(m.text(m.number("<I", 4))),
    b"\x8c": lambda m: m.push(m.text(m.number("<B", 1))),
    b"\x8d": lambda m: m.push(m.text(m.number("<Q", 8))),
    # EMPTY_LIST, LIST, APPEND, APPENDS; a set is a list here: EMPTY_SET, ADDITEMS, FROZENSET
    b"]": lambda m: m.push([]),
    b"l": _since_mark(list),
    b"a": lambda m: m.append(m.last(1)),
    b"e": lambda m: m.append(m.since_mark()),
    b"\x8f": lambda m: m.push([]),
    b"\x90": lambda m: m.append(m.since_mark()),
    b"\x91": _since_mark(list),
    # EMPTY_TUPLE, TUPLE, TUPLE1, TUPLE2, TUPLE3
    b")": lambda m: m.push(()),
    b"t": _since_mark(tuple),
    b"\x85": lambda m: m.push(tuple(m.last(1))),
    b"\x86": lambda m: m.push(tuple(m.last(2))),
    b"\x87": lambda m: m.push(tuple(m.last(3))),
    # EMPTY_DICT, DICT, SETITEM, SETITEMS
    b"}": lambda m: m.push({}),
    b"d": _dict,
    b"s": lambda m: m.set_items(m.last(2)),
    b"u": lambda m: m.set_items(m.since_mark()),
    # GLOBAL, STACK_GLOBAL, REDUCE, NEWOBJ, OBJ, INST, BUILD
    b"c": lambda m: m.name(m.line().decode(), m.line().decode()),
    b"\x93": lambda m: m.name(*m.last(2)),
    b"R": lambda m: m.make(*m.last(2)),
    b"\x81": lambda m: m.make(*m.last(2)),
    b"o": _old_object,
    b"i": _named_object,
    b"b": lambda m: m.build(),
    # PUT, BINPUT, LONG_BINPUT, MEMOIZE, GET, BINGET, LONG_BINGET
    b"p": lambda m: m.remember(m.short_int(m.line())),
    b"q": lambda m: m.remember(m.number("<B", 1)),
    b"r": lambda m: m.remember(m.number("<I", 4)),
    b"\x94": lambda m: m.remember(len(m.memo)),
    b"g": lambda m: m.recall(m.short_int(m.line())),
    b"h": lambda m: m.recall(m.number("<B", 1)),
    b"j": lambda m: m.recall(m.number("<I", 4)),
}
