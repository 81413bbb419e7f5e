"""Copies of a program as somebody would disguise them: same behaviour, other text."""

import ast
import builtins
import random
from pathlib import Path


class _Renamed(ast.NodeTransformer):
    """Every local name, parameter of a helper, and attribute of one's own under another name."""

    def __init__(self, tree: ast.Module, keep: set[str]) -> None:
        bound = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
        bound |= {
            node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store)
        }
        self.names = {name: f"other_{number}" for number, name in enumerate(sorted(bound - keep - set(dir(builtins))))}

    def visit_Name(self, node: ast.Name) -> ast.Name:
        node.id = self.names.get(node.id, node.id)
        return node

    def visit_Attribute(self, node: ast.Attribute) -> ast.Attribute:
        self.generic_visit(node)
        if isinstance(node.value, ast.Name) and node.value.id == "self":
            node.attr = self.names.get(node.attr, node.attr)
        return node


class _WithoutWords(ast.NodeTransformer):
    """No docstrings, no type hints."""

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.FunctionDef:
        node.returns = None
        return self._without_docstring(node)

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.ClassDef:
        return self._without_docstring(node)

    def _without_docstring(self, node: ast.FunctionDef | ast.ClassDef) -> ast.FunctionDef | ast.ClassDef:
        self.generic_visit(node)
        if ast.get_docstring(node) is not None:
            node.body = node.body[1:] or [ast.Pass()]
        return node

    def visit_arg(self, node: ast.arg) -> ast.arg:
        node.annotation = None
        return node


class _Padded(ast.NodeTransformer):
    """A statement that does nothing after every `every`th one."""

    def __init__(self, every: int, text: str) -> None:
        self.every, self.text, self.seen = every, text, 0

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.FunctionDef:
        self.generic_visit(node)
        body = []
        for part in node.body:
            self.seen += 1
            if self.seen % self.every == 0 and not _is_docstring(part):
                body += ast.parse(self.text.format(self.seen)).body
            body.append(part)
        node.body = body
        return node


def _is_docstring(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def renamed(text: str) -> str:
    """All locals renamed; comments and layout are gone, too."""
    tree = ast.parse(text)
    return ast.unparse(_Renamed(tree, keep=set()).visit(tree))


def reordered(text: str) -> str:
    """Functions and classes in another order, after everything else."""
    tree = ast.parse(text)
    moved = [node for node in tree.body if isinstance(node, (ast.FunctionDef, ast.ClassDef))]
    random.Random(5).shuffle(moved)
    rest = [node for node in tree.body if node not in moved]
    tree.body = [*rest, *moved]
    return ast.unparse(tree)


def reformatted(text: str) -> str:
    """Layout and comments alone are others."""
    return ast.unparse(ast.parse(text))


def stripped(text: str) -> str:
    """No docstrings and no hints."""
    return ast.unparse(ast.fix_missing_locations(_WithoutWords().visit(ast.parse(text))))


def padded(text: str, every: int = 3, statement: str = "unused_{0} = {0}") -> str:
    """A dead statement after every third one."""
    return ast.unparse(ast.fix_missing_locations(_Padded(every, statement).visit(ast.parse(text))))


def all_at_once(text: str) -> str:
    """Everything above."""
    return padded(reordered(renamed(stripped(text))))


def busy(text: str) -> str:
    """Calls that do nothing of use, which nobody can tell from work, at every third statement."""
    return padded(text, 3, "len([{0}])")


DISGUISES = {
    "renamed": renamed,
    "reordered": reordered,
    "reformatted": reformatted,
    "stripped": stripped,
    "padded": padded,
    "busy": busy,
    "all at once": all_at_once,
}


def write(folder: Path, files: dict[str, str]) -> Path:
    """Write a submission's files; gives its folder."""
    folder.mkdir(parents=True)
    for name, text in files.items():
        (folder / name).write_text(text, "utf-8")
    return folder
