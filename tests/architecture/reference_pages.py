"""Write docs/reference from docstrings and tables: run `make fix` after changing one; a test compares."""

from __future__ import annotations

import ast
import re
import sys
from dataclasses import dataclass, field
from pathlib import Path

from airflow_aib.get_provider_info import get_provider_info
from tests.architecture.call_tables import served_pages
from tests.architecture.cli_page import cli_page
from tests.architecture.failure_page import failure_page
from tests.architecture.rule_pages import rule_pages

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "docs" / "reference"
RULES_FOLDER = FOLDER / "rules"
NOTE = "<!-- Written by `make fix` from the docstrings. Change those, not this page. -->"
PUBLIC_CLASS = re.compile(r"Azure\w+(Operator|Sensor|Trigger|Hook|Link)$")
ROLES = {
    "operators": "What a DAG does with image templates.",
    "sensors": "What a DAG waits for that somebody else has started.",
    "triggers": "What the triggerer awaits while a task is deferred; operators and sensors make them.",
    "hooks": "The way to Azure, for code of your own.",
    "links": "Where the buttons of a task instance lead.",
    "task_groups": "The whole road in one call.",
    "assets": "How images are named for Airflow's scheduler.",
}


@dataclass(frozen=True)
class Parameter:
    """Describe one argument of a constructor or function."""

    name: str
    default: str
    text: str


@dataclass(frozen=True)
class Method:
    """Describe one method that code of users' own may call."""

    call: str
    text: str


@dataclass(frozen=True)
class Documented:
    """Describe one public class or function."""

    name: str
    module: str
    text: str
    parameters: tuple[Parameter, ...] = ()
    methods: tuple[Method, ...] = ()


@dataclass(frozen=True)
class Sources:
    """Hold the syntax trees of a package's modules, and find classes by name."""

    modules: dict[str, ast.Module]
    classes: dict[str, ast.ClassDef] = field(default_factory=dict)
    constants: dict[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, package: str) -> Sources:
        """Read all modules of a package."""
        files = sorted((ROOT / package).rglob("*.py"))
        modules = {module_name(file): ast.parse(file.read_text()) for file in files}
        nodes = [node for tree in modules.values() for node in tree.body]
        constants = {
            ast.unparse(node.targets[0]): ast.unparse(node.value)
            for node in nodes
            if isinstance(node, ast.Assign) and not isinstance(node.value, ast.Name)
        }
        return cls(modules, {node.name: node for node in nodes if isinstance(node, ast.ClassDef)}, constants)

    def lineage(self, node: ast.ClassDef) -> list[ast.ClassDef]:
        """Return the class and those of our own that it derives from."""
        bases = [self.classes[base.id] for base in node.bases if isinstance(base, ast.Name) and base.id in self.classes]
        return [node, *(ancestor for base in bases for ancestor in self.lineage(base))]


def module_name(file: Path) -> str:
    """Return the dotted name of a file's module."""
    return ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def pages() -> dict[Path, str]:
    """Return each generated page with its text."""
    sources = Sources.read("airflow_aib")
    written = {FOLDER / f"{role}.md": role_page(sources, role, purpose) for role, purpose in ROLES.items()}
    about_rules = {RULES_FOLDER / name: text for name, text in rule_pages().items()}
    others = {
        FOLDER / "configuration.md": configuration_page(),
        FOLDER / "cli.md": cli_page(),
        FOLDER / "failures.md": failure_page(),
    }
    return {**written, **about_rules, **others}


def role_page(sources: Sources, role: str, purpose: str) -> str:
    """Return the page on one folder of the provider."""
    entries = [
        entry
        for module, tree in sources.modules.items()
        if module.startswith(f"airflow_aib.{role}")
        for entry in documented(sources, module, tree)
    ]
    heading = role.replace("_", " ").capitalize()
    return (
        "\n".join([NOTE, "", f"# {heading}", "", purpose, *(line for entry in entries for line in entry_lines(entry))])
        + "\n"
    )


def documented(sources: Sources, module: str, tree: ast.Module) -> list[Documented]:
    """Return what a module has for DAG authors: its `Azure...` classes, and what `__all__` names besides."""
    offered = exported(tree)
    found = []
    for node in tree.body:
        if isinstance(node, ast.ClassDef) and (PUBLIC_CLASS.match(node.name) or node.name in offered):
            found.append(describe_class(sources, module, node))
        elif isinstance(node, ast.FunctionDef) and node.name in offered:
            found.append(describe_function(sources, module, node))
    return found


def exported(tree: ast.Module) -> list[str]:
    """Return the names in a module's `__all__`."""
    for node in tree.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            return [str(name) for name in ast.literal_eval(node.value)]
    return []


def describe_class(sources: Sources, module: str, node: ast.ClassDef) -> Documented:
    """Return a class with its own parameters and those that it has inherited."""
    lineage = sources.lineage(node)
    texts = {
        name: text for ancestor in reversed(lineage) for name, text in parameter_texts(docstring(ancestor)).items()
    }
    constructors = [method for ancestor in lineage for method in ancestor.body if is_constructor(method)]
    # The nearest constructor comes first, and its default is the one that holds.
    arguments = {
        name: default for method in reversed(constructors) for name, default in arguments_of(sources, method).items()
    }
    settled = {name for method in constructors for name in settled_arguments(method)}
    parameters = [Parameter(name, default, texts.get(name, "")) for name, default in arguments.items()]
    offered = tuple(parameter for parameter in parameters if parameter.name not in settled)
    methods = methods_of(lineage) if module.startswith("airflow_aib.hooks.") else ()
    return Documented(node.name, module, prose(docstring(node)), offered, methods)


def methods_of(lineage: list[ast.ClassDef]) -> tuple[Method, ...]:
    """Return what code of users' own may call, with the first sentence about it; the nearest class's counts."""
    found: dict[str, Method] = {}
    for node in [statement for ancestor in lineage for statement in ancestor.body]:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and not node.name.startswith("_"):
            found.setdefault(node.name, Method(call_of(node), prose(docstring(node)).partition("\n\n")[0]))
    return tuple(found[name] for name in sorted(found))


def call_of(node: ast.FunctionDef | ast.AsyncFunctionDef) -> str:
    """Return how a method is called, with the arguments' names; a property is only named."""
    if node.decorator_list:
        return node.name
    plain = [argument.arg for argument in node.args.args if argument.arg != "self"]
    named = [f"{argument.arg}=..." for argument in node.args.kwonlyargs]
    return f"{'await ' * isinstance(node, ast.AsyncFunctionDef)}{node.name}({', '.join([*plain, *named])})"


def settled_arguments(constructor: ast.stmt) -> set[str]:
    """Return the arguments for which a constructor hands on a fixed value: nobody can choose another one."""
    calls = [node for node in ast.walk(constructor) if isinstance(node, ast.Call)]
    handed_on = [call for call in calls if ast.unparse(call.func) == "super().__init__"]
    return {
        keyword.arg
        for call in handed_on
        for keyword in call.keywords
        if keyword.arg and isinstance(keyword.value, ast.Constant)
    }


def describe_function(sources: Sources, module: str, node: ast.FunctionDef) -> Documented:
    """Return a function with its parameters."""
    texts = parameter_texts(docstring(node))
    parameters = [
        Parameter(name, default, texts.get(name, "")) for name, default in arguments_of(sources, node).items()
    ]
    return Documented(node.name, module, prose(docstring(node)), tuple(parameters))


def is_constructor(node: ast.stmt) -> bool:
    """Return whether a statement of a class is its constructor."""
    return isinstance(node, ast.FunctionDef) and node.name == "__init__"


def arguments_of(sources: Sources, node: ast.stmt) -> dict[str, str]:
    """Return a function's arguments with their defaults; `required` where there is none; and `**`, if told."""
    if not isinstance(node, ast.FunctionDef):
        return {}
    plain, named = node.args.args, node.args.kwonlyargs
    defaults = [*([None] * (len(plain) - len(node.args.defaults))), *node.args.defaults, *node.args.kw_defaults]
    pairs = zip([*plain, *named], defaults, strict=True)
    arguments = {
        argument.arg: "required" if default is None else f"`{written(sources, default)}`"
        for argument, default in pairs
        if argument.arg != "self"
    }
    if node.args.kwarg and node.args.kwarg.arg in parameter_texts(docstring(node)):
        arguments[node.args.kwarg.arg] = "any"
    return arguments


def written(sources: Sources, default: ast.expr) -> str:
    """Return a default as written, a constant's name as the value that it stands for."""
    text = ast.unparse(default)
    return sources.constants.get(text, text)


def docstring(node: ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) -> str:
    """Return the docstring without its indentation."""
    return ast.get_docstring(node) or ""


def prose(text: str) -> str:
    """Return a docstring without its `:param x:` fields."""
    return text.partition("\n:param ")[0].strip()


def parameter_texts(text: str) -> dict[str, str]:
    """Return the text of each `:param x:` field on one line."""
    fields = re.findall(r":param (\w+):((?:.|\n)*?)(?=\n:param |\n\n|\Z)", text)
    return {name: " ".join(body.split()) for name, body in fields}


def entry_lines(entry: Documented) -> list[str]:
    """Return one class or function as Markdown."""
    lines = ["", f"## `{entry.name}`", "", f"`from {entry.module} import {entry.name}`", "", entry.text]
    if entry.parameters:
        lines += ["", "| parameter | default | meaning |", "| --- | --- | --- |"]
        lines += [f"| `{item.name}` | {item.default} | {cell(item.text)} |" for item in entry.parameters]
    if entry.methods:
        lines += ["", "| method | what it does |", "| --- | --- |"]
        lines += [f"| `{method.call}` | {cell(' '.join(method.text.split()))} |" for method in entry.methods]
    return lines


def cell(text: str) -> str:
    """Return a text that may stand in a table."""
    return text.replace("|", "\\|")


def configuration_page() -> str:
    """Return the page on the options of Airflow's configuration."""
    lines = [NOTE, "", "# Configuration", ""]
    for section, body in get_provider_info()["config"].items():
        lines += [f"Section `[{section}]` of `airflow.cfg`. {body['description']}", ""]
        lines += ["| option | default | as a variable | meaning |", "| --- | --- | --- | --- |"]
        for name, option in body["options"].items():
            variable = f"AIRFLOW__{section}__{name}".upper()
            lines.append(f"| `{name}` | `{option['default']}` | `{variable}` | {cell(option['description'])} |")
    return "\n".join(lines) + "\n"


def main() -> int:
    """Write every page, and remove those about rules that are no more."""
    RULES_FOLDER.mkdir(parents=True, exist_ok=True)
    written = pages()
    for page in set(RULES_FOLDER.glob("*.md")) - set(written):
        page.unlink()
    for page, text in (*written.items(), *served_pages()):
        page.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
