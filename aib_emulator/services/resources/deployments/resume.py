"""How a deployment is kept from one start to the next."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from aib_emulator.arm.call import Call
from aib_emulator.keeping.codec import Shape
from aib_emulator.services.resources.deployments.deployment import Deployment


@dataclass(frozen=True)
class KeptDeployment:
    """Hold what an earlier emulator kept of a deployment, until its document is read anew.

    :param record: as `Deployment.record` gave it
    """

    record: dict[str, Any]

    def call(self) -> Call:
        """Return the call that began it."""
        return Call(**self.record["call"], body=self.record["body"].encode())


DEPLOYMENT = Shape(Deployment, Deployment.record, KeptDeployment)
"""What is written of deployments."""
