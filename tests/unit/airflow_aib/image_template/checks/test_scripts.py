from __future__ import annotations

from typing import Any

import pytest

from tests.unit.airflow_aib.image_template.checks.findings import customizer_rules, findings, rules
from tests.unit.airflow_aib.image_template.sample_documents import platform_image

WINDOWS = platform_image("MicrosoftWindowsServer")


def shell(*lines: str) -> dict[str, Any]:
    """Build a Shell customizer."""
    return {"type": "Shell", "inline": [*lines]}


def powershell(*lines: str) -> dict[str, Any]:
    """Build a PowerShell customizer."""
    return {"type": "PowerShell", "inline": [*lines]}


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("sudo apt-get install nginx", ["command-asks"]),
        ("sudo apt-get update && sudo apt-get upgrade", ["command-asks"]),
        ("sudo dnf update", ["command-asks"]),
        ('sudo apt-get install "$p"', ["command-asks"]),
        ("sudo apt-get install linux-headers-$(uname -r)", ["command-asks"]),
        ("sudo yum install \\\n  nginx", ["command-asks"]),
        ("apt-get -y install nginx", ["command-sudo"]),
        ("DEBIAN_FRONTEND=noninteractive apt-get -y upgrade", ["command-sudo"]),
        ("systemctl enable nginx", ["command-sudo"]),
        ("cd /tmp; useradd -m web", ["command-sudo"]),
        ("sudo poweroff", ["script-power-off"]),
        ("sudo shutdown -h now", ["script-power-off"]),
        ("sudo shutdown now", ["script-power-off"]),
        ("sudo systemctl stop sshd", ["connection-closed"]),
        ("sudo systemctl disable --now ssh", ["connection-closed"]),
        ("sudo ufw deny 22", ["connection-closed"]),
    ],
)
def test_commands_of_linux(line: str, expected: list[str]) -> None:
    """A command that ends, hangs or loses the build is found, also behind another one and over several lines."""
    (finding,) = findings(customize=[shell("true", line)])

    assert ([finding.rule], finding.severity) == (expected, "warning")
    assert finding.path == "/properties/customize/0/inline/1"


@pytest.mark.parametrize(
    "line",
    [
        "sudo apt-get update",
        "sudo apt-get -y install nginx",
        "sudo apt-get install -qy nginx",
        "sudo apt-get install nginx --yes",
        "sudo apt-get install \\\n  -y nginx",
        "yes | sudo apt-get install nginx",
        "sudo apt-get $OPTIONS install nginx",
        "sudo apt-get install $PACKAGES",
        'sudo apt-get "${OPTIONS[@]}" install nginx',
        'sudo apt-get install "$@"',
        "sudo zypper --non-interactive install nginx",
        "apt-get --version",
        "apt list --installed",
        "true\n# apt-get install nginx",
        "echo 'run apt-get -y install nginx'",
        "sudo bash -c 'true'; apt-get -y install nginx",
        "sudo tee /tmp/x <<EOF\napt-get -y update\nEOF",
        "systemctl status nginx",
        "sudo shutdown -r now",
        "sudo shutdown -r +1",
        "sudo shutdown -c",
        "sudo reboot",
        "sudo systemctl disable ssh",
        "sudo systemctl restart sshd",
        "sudo ufw deny 2222",
        "sudo sed -i 's/^#Port 22/Port 22/' /etc/ssh/sshd_config",
        "echo halted > /tmp/x",
    ],
)
def test_good_commands_of_linux(line: str) -> None:
    """What answers itself, has its rights and keeps the connection is good."""
    assert customizer_rules(shell(line)) == []


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("Restart-Computer -Force", ["warning script-restart"]),
        ("shutdown /r /t 0", ["warning script-restart"]),
        ("C:\\Windows\\System32\\shutdown.exe /r /t 0", ["warning script-restart"]),
        ("Stop-Computer", ["warning script-power-off"]),
        ("shutdown.exe /s", ["warning script-power-off"]),
        ("Stop-Service -Name WinRM", ["warning connection-closed"]),
        ("Disable-PSRemoting -Force", ["warning connection-closed"]),
        ("Stop-Service -Name Spooler", []),
        ("Get-Date\n# Restart-Computer", []),
        ("Write-Output 'no Restart-Computer here'", []),
        ("shutdown /a", []),
    ],
)
def test_commands_of_windows(line: str, expected: list[str]) -> None:
    """PowerShell's commands are looked at as well, comments and texts are not."""
    assert customizer_rules(powershell(line), source=WINDOWS) == expected


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["cat <<EOF > /tmp/x\napt-get install foo\npoweroff\nEOF"], []),
        (["cat > /tmp/x.sh <<'EOF'", "sudo poweroff", "EOF"], []),
        (["sudo tee /tmp/x <<-EOF\n\tapt-get install foo\n\tEOF"], []),
        (["cat <<EOF > /tmp/x\npoweroff\nEOF\nsudo poweroff"], ["warning script-power-off"]),
        (["sudo bash <<EOF\npoweroff\nEOF"], ["warning script-power-off"]),
        (["cat <<EOF | sudo bash\npoweroff\nEOF"], ["warning script-power-off"]),
        (["cat <<EOF > /tmp/x\npoweroff"], ["warning script-power-off"]),
        (["cat <<< EOF\npoweroff\nEOF"], ["warning script-power-off"]),
    ],
)
def test_heredocs(lines: list[str], expected: list[str]) -> None:
    """What a script writes to a file is no command, unless a shell is fed with it or the end is missing."""
    assert customizer_rules(shell(*lines)) == expected


def test_commands_of_the_other_shell() -> None:
    """A command of one shell is none in the other."""
    assert customizer_rules(shell("echo Restart-Computer"), powershell("sudo apt-get install nginx")) == []


def test_commands_of_validators() -> None:
    """Validators are scripts too."""
    assert rules(validate={"inVMValidations": [shell("sudo apt-get install nginx")]}) == ["warning command-asks"]


def test_restarts_come_last() -> None:
    """What follows a restart in the same step is doubtful; another step is good."""
    (finding,) = findings(customize=[shell("sudo reboot", "uname -r")])

    assert (finding.rule, finding.path) == ("restart-last", "/properties/customize/0/inline/1")
    assert customizer_rules(shell("uname -r", "sudo reboot"), shell("uname -r")) == []


@pytest.mark.parametrize("lines", [[""], ["  ", "# nothing"]])
def test_blank_scripts(lines: list[str]) -> None:
    """Blanks and comments do nothing."""
    assert customizer_rules(shell(*lines)) == ["warning script-blank"]


@pytest.mark.parametrize(
    "line",
    [
        "echo true > /tmp/DeprovisioningScript.sh",
        "cd /tmp && echo true > DeprovisioningScript.sh",
        'echo true > "$FOLDER/DeprovisioningScript.sh"',
        "cp /etc/own/deprovisioningScript.sh /tmp/DeprovisioningScript.sh",
        "cat > /tmp/DeprovisioningScript.sh <<EOF\n/usr/sbin/waagent -force -deprovision+user\nEOF",
        "rm -f /tmp/DeprovisioningScript.sh",
        "echo deprovisioning",
    ],
)
def test_deprovisioning_on_linux(line: str) -> None:
    """The script may be written where the service looks for it, and what cannot be told is left alone."""
    assert customizer_rules(shell(line)) == []


@pytest.mark.parametrize(
    "line",
    [
        "echo true > /tmp/deprovisioningscript.sh",
        "echo true > /tmp/DeprovisioningScript",
        "echo true > /tmp/DeprovisioningScript.bash",
        "echo true > /var/tmp/DeprovisioningScript.sh",
        "echo true > /tmp/DeprovisioningScript.sh.txt",
    ],
)
def test_deprovisioning_elsewhere_on_linux(line: str) -> None:
    """Letter case, folder and ending count."""
    (finding,) = findings(customize=[shell(line)])

    assert finding.rule == "deprovision-path"
    assert "/tmp/DeprovisioningScript.sh" in finding.hint


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("Copy-Item own.ps1 c:\\DeprovisioningScript.ps1", []),
        ("Copy-Item own.ps1 C:\\\\deprovisioningscript.PS1", []),
        ("Copy-Item own.ps1 $env:SystemDrive\\DeprovisioningScript.ps1", []),
        ("Copy-Item own.ps1 c:\\tools\\DeprovisioningScript.ps1", ["warning deprovision-path"]),
        ("Copy-Item own.ps1 c:\\DeprovisioningScript.cmd", ["warning deprovision-path"]),
        ("& $Env:SystemRoot\\System32\\Sysprep\\Sysprep.exe /oobe /generalize /quit", ["warning deprovision-twice"]),
    ],
)
def test_deprovisioning_on_windows(line: str, expected: list[str]) -> None:
    """On Windows letter case does not count, folder and ending do."""
    assert customizer_rules(powershell(line), source=WINDOWS) == expected


@pytest.mark.parametrize(
    ("destination", "expected"),
    [("/tmp/DeprovisioningScript.sh", []), ("/tmp/Deprovisioningscript.sh", ["warning deprovision-path"])],
)
def test_deprovisioning_by_a_file_step(destination: str, expected: list[str]) -> None:
    """A File step can bring the script as well."""
    step = {"type": "File", "sourceUri": "https://a/b", "destination": destination}

    assert customizer_rules(step) == expected


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("rm /tmp/DeprovisioningScript.sh", ["warning deprovision-removed"]),
        ("sudo rm -rf /tmp/*", ["warning deprovision-removed"]),
        ("sudo rm -rf /tmp/build", []),
        ("chmod +x /tmp/DeprovisioningScript.sh", []),
        ("rm -rf /tmp/*; echo true > /tmp/DeprovisioningScript.sh", []),
    ],
)
def test_deprovisioning_removed_again(line: str, expected: list[str]) -> None:
    """A script that was written stays until the end, or is written again."""
    assert customizer_rules(shell("echo true > /tmp/DeprovisioningScript.sh"), shell(line)) == expected
