from __future__ import annotations

import pytest

from airflow_aib.secret_patterns import LIKELY, MASK, SURE, blanked, likely_secrets_in, secrets_in, without_secrets

SIGNATURE = "Zm9vYmFyYmF6cXV4cXV1eGNvcmdlZ3JhdWx0Z2FycGx5%3D"
KEY = "a1B2" * 21 + "+/=="
ENTRA = "abc8Q~" + "aB1" * 11
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N"

# A text of each kind, and the secret in it.
EXAMPLES = [
    ("a shared access signature", f"curl 'https://a.blob.core.windows.net/c/b?sv=1&sig={SIGNATURE}&se=2'", SIGNATURE),
    ("a storage account's or service bus's key", f"AccountName=a;AccountKey={KEY};EndpointSuffix=e", KEY),
    ("a storage account's key", f"az storage blob list --account-key {KEY}", KEY),
    ("a password in an address", "git clone https://robot:hunter2@git.example/a.git", "hunter2"),
    ("a bearer token", "curl -H 'Authorization: Bearer abcdefgh12345678'", "abcdefgh12345678"),
    ("a JSON web token", f"export JWT={JWT}", JWT.removeprefix("eyJ")),
    ("an Entra client secret", f"export X={ENTRA}", ENTRA),
    ("a GitHub token", f"echo ghp_{'a1B2' * 9}", "a1B2" * 9),
    ("a GitLab token", "echo glpat-abcdefghij1234567890", "abcdefghij1234567890"),
    ("a PyPI token", f"echo pypi-AgE{'a1B2' * 13}", "a1B2" * 13),
    ("an npm token", f"echo npm_{'a1B2' * 9}", "a1B2" * 9),
    ("a Slack token", f"echo xoxb-{'1' * 12}-{'a1' * 12}", f"{'1' * 12}-{'a1' * 12}"),
    ("an AWS access key", "echo AKIAABCDEFGH12345678", "ABCDEFGH12345678"),
    ("an AWS secret access key", f"aws_secret_access_key = {'a1B2' * 10}", "a1B2" * 10),
    (
        "a private key",
        "-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEAabcdefgh\nabc=\n-----END RSA PRIVATE KEY-----",
        "MIIEpAIBAAKCAQEAabcdefgh\nabc=",
    ),
    ("a password in plain text", "ConvertTo-SecureString -String 'P4ss w0rd' -AsPlainText -Force", "P4ss w0rd"),
    ("a password in plain text", 'ConvertTo-SecureString -AsPlainText -Force "hunter2"', "hunter2"),
    ("the password of a sign-in", "az login --service-principal -u me -p hunter2 --tenant t", "hunter2"),
    ("the password of a sign-in", "docker login -u me --password=hunter2 registry.example", "hunter2"),
]
LIKELY_EXAMPLES = [
    ("a password or token in an assignment", r"bash -c \"DB_PASSWORD=\\\"Sup3rS3cret\\\" make\"", "Sup3rS3cret"),
    ("the password of a user that curl or wget signs in", "curl -u admin:Xk29fjQ2 https://a.example/x", "Xk29fjQ2"),
    ("the password of a user that curl or wget signs in", "curl -fsS --user 'admin:Xk29fjQ2' https://a", "Xk29fjQ2"),
    ("a password in a variable", "DB_PASSWORD=hunter2", "hunter2"),
    ("the password of a database", "mysql -u root -pXk29fjQ2 -e 'select 1'", "Xk29fjQ2"),
    ("a password or token as an option", "mysql --password=Sup3rSecret", "Sup3rSecret"),
    ("a password or token as an option", "tool --api-key 'abcd12345'", "abcd12345"),
    ("a password or token in an assignment", "export DB_PASSWORD=hunter2hunter2", "hunter2hunter2"),
    ("a password or token in an assignment", "$password = 'Pa55word9'", "Pa55word9"),
    ("a password or token in an assignment", "Server=tcp:a;Password=abc12345xyz;", "abc12345xyz"),
    ("a password or token as an argument", "New-User -Password 'Pa55word9'", "Pa55word9"),
    ("the password of a user", "echo 'root:Pa55word' | sudo chpasswd", "Pa55word"),
    ("the password of a user", "net user bob Pa55word /add", "Pa55word"),
]
HARMLESS = [
    "curl -u admin:$PASSWORD https://a.example/x",
    "mysql -u root -p$PASSWORD",
    "mysql -u root -p database1234",
    "mysql -P3306 -h db",
    "curl https://a/b?sig=abc",
    'curl "https://a/b?sv=1&sig=$SIGNATURE_OF_THE_ADDRESS"',
    "sig=$(cat /tmp/a-file-with-a-long-name-in-it)",
    "AccountKey=<the key of your storage account>",
    "https://$USER:$PASSWORD@git.example/a.git",
    "https://user:***@git.example/a.git",
    "https://user:xxxx@git.example/a.git",
    "http://proxy:8080/a?b=c:d@e",
    "Authorization: Bearer $(az account get-access-token --query accessToken)",
    "grep -q -- '-----BEGIN RSA PRIVATE KEY-----' /etc/key.pem",
    'ConvertTo-SecureString "$password" -AsPlainText -Force',
    "ConvertTo-SecureString $password -AsPlainText -Force",
    "az login --identity",
    "az login -u me -p $PASSWORD; docker login -p %PASSWORD% registry.example",
    "az login -u me -p '<password>'",
    "mysql --password=$DB_PASSWORD --token <token> --secret ***",
    "tool --token-file /etc/token1234",
    "export PWD=/srv/data1234 OLDPWD=~/data1234",
    "max_token=4096 password=true token=secrets",
    "$password = Get-Random10Characters; $token=(Invoke-Step1)",
    "sed -i 's/^PasswordAuthentication yes/PasswordAuthentication no/' /etc/ssh/sshd_config",
    "PASSWORD_MIN_LENGTH=12ab34cd56",
    "echo 2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824 f | sha256sum -c",
    "az account set -s 6f1de7f1-2b0c-4b7f-9f0c-1d2b3c4d5e6f",
    "integrity: sha512-" + "a1B2" * 21 + "ab==",
    "net user bob /active:no",
    "az vm create -l southeastasia",
    "",
]


@pytest.mark.parametrize(("kind", "text", "secret"), EXAMPLES)
def test_secrets(kind: str, text: str, secret: str) -> None:
    """A secret is found by its form, with its kind and its place, and masked."""
    (found,) = secrets_in(text)

    assert (found.kind, text[found.start : found.end]) == (kind, secret)
    assert without_secrets(text) == text.replace(secret, MASK)


@pytest.mark.parametrize(("kind", "text", "secret"), LIKELY_EXAMPLES)
def test_likely_secrets(kind: str, text: str, secret: str) -> None:
    """What is most likely a password is found, and not masked: it may be something else."""
    (found,) = likely_secrets_in(text)

    assert (found.kind, text[found.start : found.end]) == (kind, secret)
    assert list(secrets_in(text)) == []
    assert without_secrets(text) == text


@pytest.mark.parametrize("text", HARMLESS)
def test_harmless_texts(text: str) -> None:
    """Variables, placeholders, masks, paths, numbers, checksums and words are no secrets."""
    assert [*secrets_in(text), *likely_secrets_in(text)] == []


def test_every_pattern_has_an_example() -> None:
    """No kind of secret is without a text that shows it."""
    assert {pattern.kind for pattern in SURE} == {kind for kind, _, _ in EXAMPLES}
    assert {pattern.kind for pattern in LIKELY} == {kind for kind, _, _ in LIKELY_EXAMPLES}


@pytest.mark.parametrize(("begin", "end"), [('"', '",'), ("- ", ""), ('- "', '"'), ("", "\\n"), ("", "")])
def test_every_line_of_a_private_key(begin: str, end: str) -> None:
    """The lines of a key are found as items of JSON and YAML too, and masked in lines of their own."""
    lines = [
        "echo",
        "-----BEGIN PRIVATE KEY-----",
        "MIIEvQIBADANBgkqhkiG9w0",
        "QUJDREVGRw",
        "-----END PRIVATE KEY-----",
    ]
    text = "\n".join(f"  {begin}{line}{end}" for line in lines)
    shown = blanked(text).split("\n")

    assert shown[:2] + shown[4:] == text.split("\n")[:2] + text.split("\n")[4:]
    assert shown[2].startswith(f"  {begin}{MASK}")
    assert shown[3] == f"  {MASK}" or shown[3] == f"  {MASK}{end}"
    assert "QUJDREVGRw" not in without_secrets(text)
