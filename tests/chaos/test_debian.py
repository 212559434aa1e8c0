from __future__ import annotations

from tests.chaos.debian import needed_packages

LISTED = """\
'http://mirror.example/pool/main/g/glibc/libc6_2.36_amd64.deb' libc6_2.36_amd64.deb 2759320 MD5Sum:0
'http://mirror.example/pool/main/p/perl_5.36_amd64.deb' perl_5.36_amd64.deb 239392 MD5Sum:0
'http://mirror.example/pool/main/i/libicu72_72.1_amd64.deb' libicu72_72.1_amd64.deb 9376124 MD5Sum:0
'http://mirror.example/pool/main/l/libllvm14_14_amd64.deb' libllvm14_1%3a14_amd64.deb 21840232 MD5Sum:0
'http://mirror.example/pool/main/p/postgresql-17_17.1_amd64.deb' postgresql-17_17.1_amd64.deb 17091392 MD5Sum:0
'http://mirror.example/pool/main/p/postgresql-client-17_amd64.deb' postgresql-client-17_17.1_amd64.deb 1 MD5Sum:0
'http://mirror.example/pool/main/p/postgresql-common_248_all.deb' postgresql-common_248_all.deb 179624 MD5Sum:0
'http://mirror.example/pool/main/r/redis-tools_7_amd64.deb' redis-tools_5%3a7.0.15_amd64.deb 991988 MD5Sum:0
"""


def test_programs_and_their_libraries_are_needed() -> None:
    """Of whatever release: the programs, and the libraries but the machine's own C library and what is never loaded."""
    assert needed_packages(LISTED) == ["libicu72", "postgresql-17", "postgresql-client-17", "redis-tools"]
