"""Models of a user's own that fail, lie, hang, leave, or change what is around them."""

from collections.abc import Iterator

from tests.faults.case import ACCEPT, REFUSE, SANE, Case, End
from tests.faults.prices import RUN, STUDY, sound_files

OF_MEMORY = frozenset({End.REFUSED, End.BLOW_UP})  # the line says MemoryError
SOUND = """
import numpy as np
class M:
    def margin(self, market, book, coverage):
        gross = abs(book.exposure).sum(axis=1)
        return np.tile(0.1 * gross, (len(market.dates), 1))
"""
# What a module does before its class is there.
MODULES: dict[str, tuple[str, frozenset[End]]] = {
    "as it should be": ("", ACCEPT),
    "raises": ("raise ValueError('x' * 100_000)", REFUSE),
    "raises what cannot be written": (
        "class E(Exception):\n    def __str__(self): 1 / 0\nraise E()",
        REFUSE,
    ),
    "raises lines and colours": (r"raise ValueError('a\nb\x1b[31m\u202e\udcff')", REFUSE),
    "raises no Exception": ("raise GeneratorExit", REFUSE),
    "raises its own BaseException": ("class B(BaseException): pass\nraise B('b')", REFUSE),
    "leaves": ("import sys; sys.exit()", REFUSE),
    "leaves with a word": ("import sys; sys.exit('done')", REFUSE),
    "leaves at once": ("import os; os._exit(0)", REFUSE),
    "leaves by quit": ("quit()", REFUSE),
    "loops": ("while True: pass", REFUSE),
    "sleeps": ("import time; time.sleep(1e6)", REFUSE),
    "loops and holds on": (
        "import time\nwhile True:\n    try: time.sleep(9)\n    except BaseException: pass",
        REFUSE,
    ),
    "waits for a lock": ("import threading; threading.Event().wait()", REFUSE),
    "recurses": ("def f(): return f()\nf()", REFUSE),
    "asks for terabytes": ("import numpy; numpy.ones(10**13)", OF_MEMORY),
    "fails an assertion": ("assert False", REFUSE),
    "ends an iteration": ("next(iter(()))", REFUSE),
    "is not Python": ("class (:", REFUSE),
    "is indented too deep": (
        "\n".join(" " * n + "if 1:" for n in range(200)) + "\n" + " " * 200 + "1",
        REFUSE,
    ),
    "has a NUL": ("\0", REFUSE),
    "names an unknown encoding": ("# coding: klingon\n", SANE),
    "imports what is not there": ("import no_such_module_anywhere", REFUSE),
    "imports itself": ("import own", ACCEPT),
    "prints": ("print('x' * 9999); import sys; print('y', file=sys.stderr)", SANE),
    "goes elsewhere": ("import os; os.chdir('/')", ACCEPT),
    "goes to what is gone": (
        "import os, tempfile\nwith tempfile.TemporaryDirectory() as f: os.chdir(f)",
        ACCEPT,
    ),
    "closes its input": ("import sys; sys.stdin = None", ACCEPT),
    "reads its input": ("input()", REFUSE),
    "hides from search": ("__getattr__ = 3", ACCEPT),
    "defines nothing": ("import sys; sys.modules[__name__] = None", SANE),
    "is something else": ("import sys; sys.modules[__name__] = 7", REFUSE),
    "warns": ("import warnings; warnings.simplefilter('error')", ACCEPT),
    "starts a thread": (
        "import threading, time\n"
        "threading.Thread(target=time.sleep, args=(1e6,), daemon=True).start()",
        ACCEPT,
    ),
}
# What a class is, in place of a sound one.
CLASSES: dict[str, tuple[str, frozenset[End]]] = {
    "a number": ("M = 3", REFUSE),
    "no method": ("class M: margin = 3", REFUSE),
    "a method of nothing": ("class M:\n    def margin(self): return 1", REFUSE),
    "a property that fails": (
        "class M:\n    @property\n    def margin(self): raise OSError('x')",
        REFUSE,
    ),
    "made by leaving": (f"{SOUND}\n    def __init__(self): raise SystemExit(0)", REFUSE),
    "made by looping": (f"{SOUND}\n    def __init__(self):\n        while True: pass", REFUSE),
    "made by failing": (f"{SOUND}\n    def __init__(self): 1 / 0", REFUSE),
    "made with arguments": (f"{SOUND}\n    def __init__(self, a, b): pass", REFUSE),
    "of another metaclass": (
        "class T(type):\n    def __getattr__(c, n): raise KeyError(n)\nclass M(metaclass=T): pass",
        REFUSE,
    ),
    "an abstract one": (
        "import abc\nclass M(abc.ABC):\n    @abc.abstractmethod\n"
        "    def margin(self, market, book, coverage): ...",
        REFUSE,
    ),
}
# What `margin` does; `days` and `books` are the shape that is asked for.
MARGINS: dict[str, tuple[str, frozenset[End]]] = {
    "nothing": ("return None", REFUSE),
    "a word": ("return 'x'", REFUSE),
    "a number": ("return 1.0", REFUSE),
    "a list": ("return [[1.0] * books] * days", frozenset({End.ACCEPTED, End.FAILED})),
    "lists of several lengths": ("return [[1.0], [1.0, 2.0]]", REFUSE),
    "an iterator": ("return iter([1.0])", REFUSE),
    "a day too few": ("return np.ones((days - 1, books))", REFUSE),
    "turned round": ("return np.ones((books, days))", REFUSE),
    "whole numbers": ("return np.ones((days, books), dtype=int)", REFUSE),
    "complex": ("return np.ones((days, books), dtype=complex)", REFUSE),
    "text": ("return np.full((days, books), 'x')", REFUSE),
    "objects": ("return np.full((days, books), None)", REFUSE),
    "days": ("return np.zeros((days, books), dtype='M8[D]')", REFUSE),
    "NaN": ("return np.full((days, books), np.nan)", REFUSE),
    "infinite": ("return np.full((days, books), np.inf)", REFUSE),
    "negative": ("return np.full((days, books), -1.0)", REFUSE),
    "too large to square": ("return np.full((days, books), 1e300)", SANE),
    "terabytes": ("return np.ones((10**7, 10**6))", OF_MEMORY),
    "a gap": ("out = np.ones((days, books)); out[50] = np.nan; return out", REFUSE),
    "raises": ("raise KeyError(3)", REFUSE),
    "raises what cannot travel": ("raise type('E', (Exception,), {})(lambda: 1)", REFUSE),
    "raises no Exception": ("raise GeneratorExit", REFUSE),
    "raises a warning": ("raise UserWarning('w' * 9999)", REFUSE),
    "leaves": ("import sys; sys.exit(0)", REFUSE),
    "leaves at once": ("import os; os._exit(0)", REFUSE),
    "recurses": ("return self.margin(market, book, coverage)", REFUSE),
    "spoils the prices": ("market.levels[:] = 0.0", REFUSE),
    "spoils the book": ("book.exposure.flags.writeable = True; book.exposure[:] = 0", REFUSE),
    "sees the future": (
        "out = np.ones((days, books)); out[:] = market.levels[::-1, :1] * 1e4; return out",
        REFUSE,
    ),
    "is never the same": ("return np.random.rand(days, books) + 1.0", REFUSE),
}
KINDS = (
    [
        "own:",
        ":M",
        ":",
        "::",
        "own:M:M",
        "own:m",
        "own.M",
        "own.x:M",
        "own:__name__",
        "own:M.margin",
    ]
    + ["sys:exit", "os:system", "json:JSONDecoder", "builtins:type", "numpy:M", "backtest.cli:main"]
    + ["../own:M", "/own:M", "..own:M", "own..x:M", "own/:M", "own.py:M", "é:M", "🚀:M", "a b:M"]
    + ["backtest.model.protocol:MarginModel", "x" * 3000 + ":M", "own:" + "M" * 3000, "own\\n:M"]
    + ["__main__:M", "this:M", "antigravity:M", "own :M", "own: M"]
)


def _files(seed: int, code: str | bytes, kind: str = "own:M") -> dict[str, bytes | None]:
    text = STUDY.replace(
        b'kind = "historical_var"\nlookback = 60\n[books', f'kind = "{kind}"\n[books'.encode()
    )
    content = code if isinstance(code, bytes) else code.encode(errors="surrogateescape")
    return sound_files(seed) | {"study.toml": text, "own.py": content}


def module_cases(seed: int) -> Iterator[Case]:
    """Modules that are more, less or other than a class that can be imported."""
    for name, (code, right) in MODULES.items():
        yield Case("own module", name, RUN, _files(seed, f"{code}\n{SOUND}"), right)
    yield Case("own module", "is latin-1", RUN, _files(seed, b"# \xe9\n"), REFUSE)
    yield Case("own module", "is empty", RUN, _files(seed, ""), REFUSE)
    yield Case("own module", "is a folder", RUN, _files(seed, "") | {"own.py": None}, REFUSE)
    for name in ("numpy", "json", "backtest", "strategies", "typing", "sys"):
        code = f"raise RuntimeError('the wrong {name}')"
        files = _files(seed, SOUND) | {f"{name}.py": code.encode()}
        yield Case("own module", f"beside a {name}.py", RUN, files, ACCEPT)
    for kind in KINDS:
        files = _files(seed, SOUND, kind)
        yield Case("own module", f"kind {kind[:30]!r}", RUN, files, REFUSE)


def class_cases(seed: int) -> Iterator[Case]:
    """Classes that cannot be made, or are no models."""
    for name, (code, right) in CLASSES.items():
        yield Case("own class", name, RUN, _files(seed, code), right)


def margin_cases(seed: int) -> Iterator[Case]:
    """Margins that are none, or are not those of a model that keeps the rules."""
    head = (
        SOUND.split("        gross")[0]
        + "        days, books = len(market.dates), len(book.portfolios)\n"
    )
    for name, (code, right) in MARGINS.items():
        body = "".join(f"        {line}\n" for line in code.split("\n"))
        yield Case("own margin", name, RUN, _files(seed, head + body), right, stop_at_inputs=False)


def own_model_cases(seed: int) -> Iterator[Case]:
    """All cases about models of a user's own."""
    yield from module_cases(seed)
    yield from class_cases(seed)
    yield from margin_cases(seed)
