"""Faults of one module: each is one function with one small change, as a person in a hurry would make it."""

import ast
import builtins
import copy
import gc
import importlib
import inspect
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from types import CodeType, FunctionType
from typing import Any

COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt,
    ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In,
}  # fmt: skip
OPERATORS: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.FloorDiv, ast.FloorDiv: ast.Mult, ast.Div: ast.Mult,
    ast.Mod: ast.Mult, ast.BitOr: ast.BitAnd, ast.BitAnd: ast.BitOr, ast.LShift: ast.RShift, ast.RShift: ast.LShift,
}  # fmt: skip
_ENTERED = "__entered_functions__"
_Named = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
Change = tuple[str, Callable[[], None]]


@dataclass(frozen=True)
class Mutant:
    """One function with one fault."""

    module: str
    function: str
    line: int
    source: str
    """The line as it stands."""
    what: str
    number: int
    """Of several of one line that read alike."""
    code: CodeType = field(repr=False, compare=False)

    @property
    def place(self) -> str:
        """Its module and function."""
        return f"{self.module}:{self.function}"

    @property
    def name(self) -> str:
        """What tells it apart, also after lines have moved."""
        again = f" ({self.number})" if self.number > 1 else ""
        return f"{self.place}: {self.source}: {self.what}{again}"


def mutants_of(module: str) -> list[Mutant]:
    """Return every fault of every function of a module, in the order of its source."""
    loaded = importlib.import_module(module)
    text = inspect.getsource(loaded)
    tree, lines = ast.parse(text), text.splitlines()
    found: list[Mutant] = []
    alike: Counter[tuple[str, str, str]] = Counter()
    outermost = {node.name: node for node in tree.body if isinstance(node, _Named)}
    for name, function in _functions(tree):
        for number in range(_count(function)):
            # The rest of the module need not be compiled for it.
            changed = ast.Module([copy.deepcopy(outermost[name.partition(".")[0]])], [])
            twin = dict(_functions(changed))[name]
            node, what, apply = _changes(twin)[number]
            apply()
            ast.fix_missing_locations(changed)
            try:
                code = _code_of(compile(changed, inspect.getfile(loaded), "exec"), name)
            except (SyntaxError, ValueError, TypeError):
                continue
            source = lines[node.lineno - 1].strip()
            alike[name, source, what] += 1
            found.append(Mutant(module, name, node.lineno, source, what, alike[name, source, what], code))
    return found


def tell_who_enters(module: str, entered: set[str]) -> None:
    """Let every function of a module put its place into a set when it is entered, inner functions that of the outer."""
    loaded = importlib.import_module(module)
    vars(builtins)[_ENTERED] = entered
    tree = ast.parse(inspect.getsource(loaded))
    for name, function in _functions(tree):
        told = ast.parse(f"{_ENTERED}.add({f'{module}:{name}'!r})").body
        for inner in [each for each in ast.walk(function) if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef)]:
            inner.body[:0] = told
    changed = compile(ast.fix_missing_locations(tree), inspect.getfile(loaded), "exec")
    for name, _ in _functions(tree):
        _replace(live_function(module, name), _code_of(changed, name))


def apply(mutant: Mutant) -> None:
    """Put the fault into the running process, also into the inner functions that were made before it."""
    _replace(live_function(mutant.module, mutant.function), mutant.code)


def _replace(function: FunctionType, code: CodeType) -> None:
    twins = dict(_twins(function.__code__, code))
    if len(twins) > 1:
        for other in gc.get_objects():
            if isinstance(other, FunctionType) and other.__code__ in twins:
                other.__code__ = twins[other.__code__]
    function.__code__ = code


def live_function(module: str, name: str) -> FunctionType:
    """Return the function of a loaded module, whatever its decorators made of it."""
    found: Any = importlib.import_module(module)
    for part in name.split("."):
        found = vars(found)[part]
    for inner in ("__func__", "fget", "func", "__wrapped__"):
        while hasattr(found, inner):
            found = getattr(found, inner)
    assert isinstance(found, FunctionType), f"{module}.{name} is {found!r}"
    return found


def _functions(tree: ast.Module) -> list[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
    """Functions and methods by qualified name; functions inside functions belong to the outer one."""

    def of(body: list[ast.stmt], prefix: str) -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
        for node in body:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield prefix + node.name, node
            elif isinstance(node, ast.ClassDef):
                yield from of(node.body, f"{prefix}{node.name}.")

    return list(of(tree.body, ""))


def _twins(old: CodeType, new: CodeType) -> Iterator[tuple[CodeType, CodeType]]:
    """A function's code and that of its inner functions, each with what becomes of it."""
    yield old, new
    inner = [[const for const in code.co_consts if isinstance(const, CodeType)] for code in (old, new)]
    if [code.co_name for code in inner[0]] == [code.co_name for code in inner[1]]:
        for one, other in zip(*inner, strict=True):
            yield from _twins(one, other)


def _code_of(code: CodeType, name: str) -> CodeType:
    for part in name.split("."):
        code = next(const for const in code.co_consts if isinstance(const, CodeType) and const.co_name == part)
    return code


def _count(function: ast.AST) -> int:
    return len(_changes(function))


def _changes(function: Any) -> list[tuple[Any, str, Callable[[], None]]]:
    """Every change of a function: the node, what it does, and the doing. Remarks and annotations are no code."""
    annotated = [each.annotation for each in ast.walk(function) if isinstance(each, ast.AnnAssign)]
    left_out = {id(node) for annotation in annotated for node in ast.walk(annotation)}
    remarks = [each.value for each in ast.walk(function) if isinstance(each, ast.Expr)]
    left_out |= {id(text) for text in remarks if isinstance(text, ast.Constant)}
    found: list[tuple[Any, str, Callable[[], None]]] = []
    for statement in function.body:
        for node in ast.walk(statement):
            if id(node) not in left_out and hasattr(node, "lineno"):
                found += [(node, what, act) for what, act in _changes_of(node)]
    return found


def _set(node: Any, name: str, value: Any) -> Callable[[], None]:
    return lambda: setattr(node, name, value)


def _put(items: list[Any], at: int, value: Any) -> Callable[[], None]:
    return lambda: items.__setitem__(at, value)


def _none() -> ast.Constant:
    return ast.Constant(None)


def _changes_of(node: ast.AST) -> Iterator[Change]:
    match node:
        case ast.Compare(ops=ops):
            for at, op in enumerate(ops):
                if (other := COMPARISONS.get(type(op))) is not None:
                    yield f"{type(op).__name__} becomes {other.__name__}", _put(ops, at, other())
        case ast.BoolOp(op=ast.And()):
            yield "and becomes or", _set(node, "op", ast.Or())
        case ast.BoolOp(op=ast.Or()):
            yield "or becomes and", _set(node, "op", ast.And())
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            yield "not goes", lambda: _become(node, ast.Call(ast.Name("bool", ast.Load()), [operand], []))
        case ast.If(test=test) | ast.IfExp(test=test) | ast.While(test=test):
            yield "the condition is turned round", _set(node, "test", ast.UnaryOp(ast.Not(), test))
        case ast.BinOp(op=op) | ast.AugAssign(op=op) if type(op) in OPERATORS:
            other = OPERATORS[type(op)]
            yield f"{type(op).__name__} becomes {other.__name__}", _set(node, "op", other())
        case ast.Constant(value=bool(value)):
            yield f"{value} becomes {not value}", _set(node, "value", not value)
        case ast.Constant(value=int(value)):
            yield f"{value} becomes {value + 1}", _set(node, "value", value + 1)
        case ast.Constant(value=str(value)) if value:
            yield f"{value!r} becomes another text", _set(node, "value", f"XX{value}XX")
        case ast.Return(value=value) if value is not None and not _is_none(value):
            yield "None is returned", _set(node, "value", _none())
        case ast.Assign(value=value) | ast.AnnAssign(value=value) if value is not None and not _is_none(value):
            yield "None is assigned", _set(node, "value", _none())
        case ast.Raise() | ast.Continue() | ast.Break():
            yield f"{type(node).__name__.lower()} goes", lambda: _become(node, ast.Pass())
        case ast.Expr(value=ast.Call() | ast.Await()):
            yield "the call goes", lambda: _become(node, ast.Pass())
        case ast.Call(args=args, keywords=keywords):
            for at, argument in enumerate(args):
                if not _is_none(argument) and not isinstance(argument, ast.Starred):
                    yield f"argument {at + 1} becomes None", _put(args, at, _none())
            for keyword in keywords:
                if keyword.arg is not None and not _is_none(keyword.value):
                    yield f"{keyword.arg} becomes None", _set(keyword, "value", _none())


def _is_none(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _become(node: Any, other: ast.AST) -> None:
    """Turn a node into another one in place."""
    where = {name: getattr(node, name) for name in ("lineno", "col_offset", "end_lineno", "end_col_offset")}
    node.__class__ = other.__class__
    node.__dict__.clear()
    node.__dict__.update({**vars(other), **where})
