"""The command line: `aib-emulator` serves, `aib-emulator install-azurite` prepares."""

from __future__ import annotations

import argparse
import sys

from aib_emulator.azurite_install import AzuriteInstallError, azurite_folder, install


def main(arguments: list[str] | None = None) -> int:
    """Run the command that `arguments` name."""
    options = _parser().parse_args(arguments)
    if options.command == "install-azurite":
        return _install_azurite()
    raise SystemExit(2)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="aib-emulator", description=__doc__)
    commands = parser.add_subparsers(dest="command", metavar="command")
    commands.add_parser("install-azurite", help="install the pinned Azurite into this Python environment")
    return parser


def _install_azurite() -> int:
    folder = azurite_folder()
    try:
        is_new = install(folder)
    except AzuriteInstallError as error:
        print(error, file=sys.stderr)  # noqa: T201 - the command's own answer
        return 1
    print(f"Azurite {'is installed' if is_new else 'was installed already'}: {folder}")  # noqa: T201 - as above
    return 0


if __name__ == "__main__":
    sys.exit(main())
