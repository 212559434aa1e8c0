from __future__ import annotations

import importlib
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]
FILES = sorted(file for package in ("airflow_aib", "aib_emulator", "demo") for file in (ROOT / package).rglob("*.py"))


def module_name(file: Path) -> str:
    """Return the dotted name of a file's module."""
    return ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


MODULES = [module_name(file) for file in FILES if file.name != "__main__.py"]
FRONT_DOORS = [module_name(file) for file in FILES if file.name == "__init__.py"]


def exported(module: ModuleType) -> list[str]:
    """Return the names that a module declares as its front door."""
    return list(getattr(module, "__all__", []))


def own_public_names(module: ModuleType) -> set[str]:
    """Return the public names that a module holds and that come from its own package."""
    top = module.__name__.split(".")[0]
    return {
        name
        for name, value in vars(module).items()
        if not name.startswith("_")
        and not isinstance(value, ModuleType)
        and str(getattr(value, "__module__", "")).split(".")[0] == top
    }


@pytest.mark.parametrize("name", MODULES)
def test_every_module_can_be_imported_and_says_what_it_is_for(name: str) -> None:
    """A module loads on its own and opens with a sentence."""
    module = importlib.import_module(name)

    assert module.__doc__, name
    assert module.__doc__.strip().splitlines()[0].endswith((".", ":")), name


@pytest.mark.parametrize("name", MODULES)
def test_all_is_true(name: str) -> None:
    """`__all__` holds nothing twice, and names only what is there; its order is the linter's affair."""
    module = importlib.import_module(name)
    names = exported(module)

    assert len(names) == len(set(names))
    assert [missing for missing in names if not hasattr(module, missing)] == []


@pytest.mark.parametrize("name", FRONT_DOORS)
def test_all_is_complete_where_a_package_re_exports(name: str) -> None:
    """What a package's front door holds of ours, `__all__` names."""
    module = importlib.import_module(name)

    assert own_public_names(module) - set(exported(module)) == set()
