"""Runs inside the sandbox, sent there as text: judges functions by test code, each in its own process.

Standard input (task as JSON) is read after the fork, by the judge only: the program's process holds neither
tests nor expected values nor the nonce, and no way to the verdict. Between the two go plain values.
"""

from __future__ import annotations

import ast
import builtins
import collections
import contextlib
import importlib
import json
import os
import re
import signal
import symtable
import sys
import time
import types
from typing import Any, NoReturn

from distillery.sandbox.confine import confine, guard, write_all
from distillery.verify.program.in_sandbox.plain_values import TEST
from distillery.verify.program.in_sandbox.statements import FILE, NAME, marked
from distillery.verify.program.in_sandbox.suites import UnfitError, Unittest, run_tests, settle
from distillery.verify.program.in_sandbox.wire import AHEAD, Codec, Foul, Line, raised

_MODULES = (
    "math cmath re collections itertools functools heapq bisect string random datetime decimal fractions "
    "operator statistics json copy sys os time typing numpy"
)
MODULES = frozenset(_MODULES.split())
CLASSES = ("Counter", "deque", "defaultdict", "OrderedDict")
UNAWAITED = "the test does not await what the program gives it; "
KNOWN = {name: getattr(collections, name) for name in CLASSES} | {
    name: float(name) for name in ("inf", "nan")
}


def main() -> None:
    settings = json.loads(sys.argv[1]) if len(sys.argv) > 1 else {}
    uid = settings.get("uid", 0)
    sys.set_int_max_str_digits(0)  # on both sides of the fork
    to_program, to_judge = os.pipe(), os.pipe()
    pid = os.fork()
    if pid == 0:
        os.setsid()
        null = os.open(os.devnull, os.O_RDWR)
        for fd in (0, 1, 2):
            os.dup2(null, fd)
        for fd in (null, to_program[1], to_judge[0]):
            os.close(fd)
        confine(settings, uid)
        serve(to_program[0], to_judge[1])
    os.close(to_program[0])
    os.close(to_judge[1])
    confine(settings, uid and uid + 1)
    guard(uid)
    with open(0, "rb") as stdin:
        task = json.loads(stdin.read())
    replies, null = os.dup(1), os.open(os.devnull, os.O_RDWR)
    for fd in (1, 2):  # what a test prints is nobody's
        os.dup2(null, fd)
    line = Line(to_judge[0], to_program[1], pid)

    def report(verdict: dict[str, Any]) -> NoReturn:
        write_all(replies, f"\n{task['nonce']} {json.dumps(verdict)}\n".encode())
        if not settings.get("sealed"):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(pid, signal.SIGKILL)
        os._exit(0)

    def overdue(*_: object) -> None:
        if line.waited_s() < settings["wall_s"] / 2:  # else who started us sees what the program does
            report({"passed": False, "fault": True, "detail": "the test itself is not done in its time"})

    if settings:
        signal.signal(signal.SIGALRM, overdue)
        signal.setitimer(signal.ITIMER_REAL, settings["wall_s"])
    report(judge(line, task, pid))


def serve(read: int, write: int) -> NoReturn:
    """The program's process: its functions, at the judge's call."""
    line = Line(read, write)
    try:
        prompt, program, classes, wanted = line.hear()
        module = types.ModuleType("program")
        sys.modules["program"] = module
        space = vars(module)
        try:
            for code in compiled(prompt, program):
                exec(code, space)  # noqa: S102 -- this is the sandbox
        except BaseException as error:  # noqa: BLE001 -- also SystemExit is what became of it
            if isinstance(error, SystemExit):
                os._exit(1)
            line.say(["raise", type(error).__name__, str(error)[:300]])
            os._exit(0)
        known = {name: space[name] for name in classes if isinstance(space.get(name), type)}
        codec = Codec(line, known, wary=False)
        names = {name: space[name] for name in wanted if name in space}
        line.say(["value", codec.pack(names), None])
        while True:
            what, *said = line.hear()
            codec.answer(what, said)
    except Foul:
        os._exit(0)


def compiled(prompt: str, program: str) -> list[Any]:
    """What to run one after another: a body completes its prompt, a whole program may stand by itself."""
    whole = "\n".join(filter(None, [prompt, program]))
    try:
        return [code_of(whole, "program.py")]
    except SyntaxError:
        for texts in ((prompt, program), (program,)):
            with contextlib.suppress(SyntaxError):
                return [code_of(text, "program.py") for text in texts]
        raise


def code_of(text: Any, name: str) -> Any:
    return compile(text, name, "exec", dont_inherit=True)  # our own `annotations` are not theirs


def judge(line: Line, task: dict[str, Any], pid: int) -> dict[str, Any]:
    """{"passed", "detail", "fault"}: a fault is the test's own."""
    try:
        tests, free = ast.parse(task["test"]), free_names(task["test"])
        ours = prepared(task["prompt"])
        space = ours | trusted(tests, free - ours.keys() - {task["entry_point"]})
        cases = Unittest() if "unittest" in task["test"] else None
    except Exception as error:  # noqa: BLE001 -- whatever is raised, the program has not begun
        return {"passed": False, "fault": True, "detail": f"{type(error).__name__}: {error}"}
    classes = {name: it for name, it in ours.items() if isinstance(it, type) and it.__module__ == TEST}
    codec = Codec(line, classes, wary=True)
    space[NAME] = codec.statements.between
    asked = wanted(tests, free - space.keys(), task["entry_point"])
    codec.believes = any(name[:1].isupper() and name != "Solution" for name in asked)
    try:
        line.say([task["prompt"], task["program"], list(classes), asked])
        word, *said = codec.hear()
        if word == "raise":
            raise raised(*map(str, said))
        names = codec.unpack(said[0])
        if type(names) is not dict:
            raise Foul("names that are none")
        space |= {name: names[name] for name in asked if name in names}  # and no more, whatever it sent
        run_test(tests, space, task["entry_point"], cases)
    except Foul as foul:
        return {"passed": False, "fault": False, "detail": str(foul) or last_words(pid)}
    except BaseException as error:  # noqa: BLE001 -- whatever a test raises says that it failed
        fault = isinstance(error, ImportError | UnfitError) and AHEAD not in vars(error)
        said = UNAWAITED * bool(codec.unawaited) + f"{type(error).__name__}: {str(error)[:300]}"
        return {"passed": False, "fault": fault or bool(codec.unawaited), "detail": said}
    if codec.unawaited:
        return {"passed": False, "fault": True, "detail": UNAWAITED}
    if not codec.asked:
        return {"passed": False, "fault": True, "detail": "the test never calls the program"}
    return {"passed": True, "fault": False, "detail": ""}


def run_test(tests: ast.Module, space: dict[str, Any], entry_point: str, cases: Unittest | None) -> None:
    exec(code_of(marked(tests), FILE), space)  # noqa: S102
    if entry_point and callable(space.get("check")):
        settle(space["check"](eval(entry_point, space)))  # noqa: S307 -- a name, or Solution().name
        return
    run_tests(tests, space)
    if cases:
        cases.run(space)


def prepared(prompt: str) -> dict[str, Any]:
    """What the prompt gives, by our own copy; not what it leaves to be written."""
    space: dict[str, Any] = {"__name__": TEST}
    try:
        tree = ast.parse(prompt)
    except SyntaxError:  # it ends in the middle of a function
        return space
    exec(code_of(tree, "prompt.py"), space)  # noqa: S102
    for node in tree.body:
        if any(isinstance(inner, ast.FunctionDef) and is_stub(inner) for inner in ast.walk(node)):
            space.pop(getattr(node, "name", ""), None)
    return space


def is_stub(function: ast.FunctionDef) -> bool:
    return all(
        isinstance(line, ast.Pass | ast.Raise)
        or (isinstance(line, ast.Expr) and isinstance(line.value, ast.Constant))
        for line in function.body
    )


def free_names(text: str) -> set[str]:
    """Global names that the test reads and does not bind."""
    top = symtable.symtable(text, "test.py", "exec")
    bound = {
        symbol.get_name()
        for symbol in top.get_symbols()
        if symbol.is_assigned() or symbol.is_imported() or symbol.is_namespace()
    }
    tables, used = [top], set[str]()
    for table in tables:
        tables += table.get_children()
        used |= {
            symbol.get_name()
            for symbol in table.get_symbols()
            if symbol.is_referenced() and (table is top or symbol.is_global())
        }
    return used - bound


def called(tests: ast.Module) -> set[str]:
    functions = [node.func for node in ast.walk(tests) if isinstance(node, ast.Call)]
    return {function.id for function in functions if isinstance(function, ast.Name)}


def trusted(tests: ast.Module, free: set[str]) -> dict[str, Any]:
    """Modules and their classes that a test uses without an import, as programs often import them."""
    found: dict[str, Any] = {}
    for name in free:
        module = {"np": "numpy"}.get(name, name)
        if module in MODULES and name not in called(tests):
            found[name] = importlib.import_module(module)
        elif name in KNOWN:
            found[name] = KNOWN[name]
    return found


def wanted(tests: ast.Module, free: set[str], entry_point: str) -> list[str]:
    """Names that the program is to give: never those by which the test judges, `abs` or `all` or a helper.

    A test that calls nothing but built-in names is about one of them.
    """
    root = re.split(r"\W", entry_point, maxsplit=1)[0]
    unknown = {name for name in free if not hasattr(builtins, name)}
    if root:
        return sorted({root, *unknown})
    return sorted(unknown or called(tests) & vars(builtins).keys())


def last_words(pid: int) -> str:
    found, status = 0, 0
    for _ in range(20):
        found, status = os.waitpid(pid, os.WNOHANG)
        if found:
            break
        time.sleep(0.01)
    code = os.waitstatus_to_exitcode(status) if found else None
    if code in (-signal.SIGXCPU, -signal.SIGKILL):
        return "killed: CPU time or memory used up"
    return f"ended with status {code} before its tests had"


main()
