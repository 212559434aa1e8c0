from __future__ import annotations

import json
import re
import shlex
import shutil
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.architecture.airflow_options import known_options, options_of

ROOT = Path(__file__).resolve().parents[2]
DOCKER = ROOT / "docker"
DOCKERFILES = sorted(DOCKER.glob("*/Dockerfile"))
COMPOSE: dict[str, Any] = yaml.safe_load((DOCKER / "compose.yaml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
AIRFLOW_SERVICES = sorted(name for name, service in SERVICES.items() if service.get("image") == "airflow-aib")
# Options of a provider that only the images install; everything else is asked of Airflow itself.
CELERY_OPTIONS = {("celery", "broker_url"), ("celery", "result_backend")}


def instructions(dockerfile: Path) -> list[tuple[str, str]]:
    """Return a Dockerfile's instructions as (NAME, rest), comments left out and continued lines joined."""
    text = re.sub(r"\\\n", " ", re.sub(r"(?m)^\s*#.*\n", "", dockerfile.read_text()))
    pairs = (line.split(None, 1) for line in text.splitlines() if line.strip())
    return [(name, rest) for name, rest in pairs]


def words(dockerfile: Path, name: str) -> list[list[str]]:
    """Return the words of each instruction of that name, in JSON form or plain."""
    found = [rest for instruction, rest in instructions(dockerfile) if instruction == name]
    return [json.loads(rest) if rest.startswith("[") else shlex.split(rest) for rest in found]


def emulator_option(name: str) -> str:
    """Return the value that the emulator's image gives to an option."""
    (command,) = words(DOCKER / "emulator" / "Dockerfile", "CMD")
    return str(command[command.index(name) + 1])


def by_name(dockerfile: Path) -> str:
    """Return a test's name for a Dockerfile."""
    return dockerfile.parent.name


@pytest.mark.parametrize("dockerfile", DOCKERFILES, ids=by_name)
def test_every_copied_path_exists(dockerfile: Path) -> None:
    """What a Dockerfile copies from the project is there."""
    copied = [word for copy in words(dockerfile, "COPY") for word in copy[:-1]]

    assert copied
    assert [path for path in copied if not (ROOT / path).exists()] == []


@pytest.mark.parametrize("dockerfile", DOCKERFILES, ids=by_name)
def test_make_targets_and_variables_exist(dockerfile: Path) -> None:
    """A Dockerfile calls make with targets, variables and lock files that the Makefile has."""
    makefile = (ROOT / "Makefile").read_text()
    calls = [call for run in words(dockerfile, "RUN") for call in " ".join(run).split("&&") if "make " in call]

    assert calls
    for call in calls:
        _, target, *assignments = shlex.split(call)
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
        for variable, value in (assignment.split("=") for assignment in assignments):
            assert re.search(rf"^{variable} (:|\?)?= ?", makefile, re.MULTILINE), variable
            assert variable != "LOCK" or (ROOT / "requirements" / f"{value}.txt").exists(), value


@pytest.mark.parametrize("dockerfile", DOCKERFILES, ids=by_name)
def test_everything_the_wheel_needs_is_copied(dockerfile: Path) -> None:
    """`make install` finds the packages, the readme and the licence that pyproject.toml names."""
    copied = {word for copy in words(dockerfile, "COPY") for word in copy[:-1]}

    assert {"Makefile", "pyproject.toml", "README.md", "LICENSE", "requirements"} <= copied
    assert {"airflow_aib", "aib_emulator"} <= copied


@pytest.mark.parametrize("dockerfile", DOCKERFILES, ids=by_name)
def test_no_container_runs_as_root(dockerfile: Path) -> None:
    """The last word on the user is a user that the recipe has made."""
    users = words(dockerfile, "USER")

    assert f"useradd --create-home --uid 50000 {users[-1][0]}" in dockerfile.read_text()


def test_the_entry_point_is_copied_and_executable() -> None:
    """Airflow's image starts with a script of this project that it has copied onto the PATH."""
    dockerfile = DOCKER / "airflow" / "Dockerfile"
    (entry,) = words(dockerfile, "ENTRYPOINT")

    assert [f"docker/{entry[0]}", f"/usr/local/bin/{entry[0]}"] in words(dockerfile, "COPY")
    assert stat.S_IMODE((DOCKER / entry[0]).stat().st_mode) & stat.S_IXUSR


def test_every_service_has_a_recipe_or_a_pinned_image() -> None:
    """A service is built from a Dockerfile of this folder, or names an image with its version."""
    for name, service in SERVICES.items():
        if "build" in service:
            context = (DOCKER / service["build"]["context"]).resolve()
            assert context == ROOT, name
            assert (context / service["build"]["dockerfile"]) in DOCKERFILES, name
        else:
            assert ":" in service["image"], name


def test_services_wait_for_services_that_can_tell() -> None:
    """Who waits for another's health waits for one that has a health check."""
    waits = [
        (name, needed, how["condition"])
        for name, service in SERVICES.items()
        for needed, how in service.get("depends_on", {}).items()
    ]
    for_health = [(name, needed) for name, needed, condition in waits if condition == "service_healthy"]

    assert [(name, needed) for name, needed, _ in waits if needed not in SERVICES] == []
    assert for_health
    assert [(name, needed) for name, needed in for_health if "healthcheck" not in SERVICES[needed]] == []


def test_every_volume_is_declared_and_used() -> None:
    """No service mounts a volume that is not declared, and none is declared in vain."""
    mounted = {volume.split(":")[0] for service in SERVICES.values() for volume in service.get("volumes", [])}

    assert mounted == set(COMPOSE["volumes"])


def test_every_secret_is_written_by_the_script(tmp_path: Path) -> None:
    """`write-secrets` makes up each variable that compose.yaml asks for, in a private file, and never overwrites it."""
    script = Path(shutil.copy2(DOCKER / "write-secrets", tmp_path))
    subprocess.run([script], check=True, capture_output=True)
    file = tmp_path / ".env"
    written = {line.split("=", 1)[0] for line in file.read_text().splitlines()}
    asked_for = set(re.findall(r"\$\{([A-Z_]+)", (DOCKER / "compose.yaml").read_text()))

    assert written == asked_for
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert subprocess.run([script], check=False, capture_output=True).returncode == 1


def test_the_emulator_is_reached_on_the_loopback_it_shares() -> None:
    """Airflow's services share the emulator's network namespace, and publish nothing themselves."""
    for name in AIRFLOW_SERVICES:
        assert SERVICES[name]["network_mode"] == "service:emulator", name
        assert "ports" not in SERVICES[name], name
    variables = SERVICES["worker"]["environment"]
    ports = [emulator_option("--port"), emulator_option("--blob-port"), api_port()]
    ports += [value for name, value in variables.items() if name.endswith("_LOG_SERVER_PORT")]
    assert len(ports) == len(set(ports)) == 5


def api_port() -> str:
    """Return the port that the api-server is told to listen on."""
    command = SERVICES["api-server"]["command"]
    return str(command[command.index("--port") + 1])


def test_the_api_is_published_by_the_owner_of_the_namespace() -> None:
    """The port for the outside is the api-server's, on loopback only; Airflow is told the same address."""
    assert SERVICES["emulator"]["ports"] == [f"127.0.0.1:{api_port()}:{api_port()}"]
    variables = SERVICES["worker"]["environment"]
    assert variables["AIRFLOW__API__BASE_URL"] == f"http://127.0.0.1:{api_port()}"
    assert variables["AIRFLOW__CORE__EXECUTION_API_SERVER_URL"] == f"http://127.0.0.1:{api_port()}/execution/"


def test_databases_are_addressed_at_their_services() -> None:
    """Airflow reaches PostgreSQL and Redis by the names of their services."""
    variables = SERVICES["worker"]["environment"]

    assert "@postgres:5432/airflow" in variables["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"]
    assert variables["AIRFLOW__CELERY__RESULT_BACKEND"].startswith("db+postgresql://airflow:")
    assert variables["AIRFLOW__CELERY__BROKER_URL"] == "redis://redis:6379/0"
    assert SERVICES["postgres"]["environment"]["POSTGRES_DB"] == "airflow"


def test_the_environment_file_is_where_the_emulator_writes_it() -> None:
    """The emulator writes the file into a volume that Airflow's services mount at the same place."""
    file = emulator_option("--env-file")
    folder = str(Path(file).parent)

    assert f"emulator-environment:{folder}" in SERVICES["emulator"]["volumes"]
    assert file in SERVICES["emulator"]["healthcheck"]["test"]
    for name in AIRFLOW_SERVICES:
        assert SERVICES[name]["environment"]["ENVIRONMENT_FILE"] == file, name
        assert f"emulator-environment:{folder}:ro" in SERVICES[name]["volumes"], name


def test_the_certificate_authority_is_where_the_environment_says() -> None:
    """The emulator's data folder is mounted at the same path everywhere, since the environment names a file in it."""
    data = emulator_option("--data")

    assert f"emulator-data:{data}" in SERVICES["emulator"]["volumes"]
    assert all(f"emulator-data:{data}:ro" in SERVICES[name]["volumes"] for name in AIRFLOW_SERVICES)


def test_the_dags_folder_is_copied_there() -> None:
    """Airflow looks for DAG files where the image has them."""
    dockerfile = DOCKER / "airflow" / "Dockerfile"
    ((workdir,),) = words(dockerfile, "WORKDIR")

    assert ["dags", "dags"] in words(dockerfile, "COPY")
    assert SERVICES["worker"]["environment"]["AIRFLOW__CORE__DAGS_FOLDER"] == f"{workdir}/dags"


def test_every_airflow_option_exists() -> None:
    """Each `AIRFLOW__SECTION__OPTION` is one that this Airflow, Celery's provider or ours knows."""
    named = options_of(SERVICES["worker"]["environment"])

    assert named
    assert named - known_options() - CELERY_OPTIONS == set()


def test_every_airflow_command_exists(tmp_path: Path) -> None:
    """Each command line is one that Airflow's own parser takes; Celery's comes with a provider that the image locks."""
    commands = [SERVICES[name]["command"][1:] for name in AIRFLOW_SERVICES]
    of_airflow = [command for command in commands if command[0] != "celery"]
    script = (
        "import json, sys; from airflow.cli.cli_parser import get_parser; "
        "[get_parser().parse_args(command) for command in json.loads(sys.argv[1])]"
    )
    environment = {"AIRFLOW_HOME": str(tmp_path), "PATH": "/usr/bin:/bin"}
    subprocess.run([sys.executable, "-c", script, json.dumps(of_airflow)], check=True, env=environment)

    assert ["celery", "worker"] in commands
    assert "apache-airflow-providers-celery==" in (ROOT / "requirements" / "deploy.txt").read_text()


def test_the_emulator_takes_the_options_of_its_image() -> None:
    """Each option in the image's command is one that `aib-emulator --help` lists."""
    (command,) = words(DOCKER / "emulator" / "Dockerfile", "CMD")
    program = Path(sys.executable).parent / command[0]
    listed = subprocess.run([program, "--help"], check=True, capture_output=True, text=True).stdout

    assert [word for word in command if word.startswith("--") and word not in listed] == []


@pytest.mark.parametrize("script", ["with-environment", "write-secrets"])
def test_scripts_are_executable_and_parse(script: str) -> None:
    """The two scripts are executable bash without syntax errors."""
    file = DOCKER / script

    assert file.stat().st_mode & stat.S_IXUSR
    subprocess.run(["bash", "-n", file], check=True)


def test_the_command_gets_the_variables_of_the_file(tmp_path: Path) -> None:
    """`with-environment` runs its command with what the file exports; without a file it runs it as it is."""
    file = tmp_path / "environment"
    file.write_text("export AIB_EMULATOR_ARM='https://127.0.0.1:8443'\n")
    command = [str(DOCKER / "with-environment"), "bash", "-c", "echo ${AIB_EMULATOR_ARM:-none}"]

    def run(environment: dict[str, str]) -> str:
        environment = {"PATH": "/usr/bin:/bin", **environment}
        return subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout.strip()

    assert run({"ENVIRONMENT_FILE": str(file)}) == "https://127.0.0.1:8443"
    assert run({}) == "none"
