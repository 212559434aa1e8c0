"""What services are handed of each other and of the blob store: the shapes of it, whoever stands behind them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import datetime

    from aib_emulator.arm.resource_id import ResourceId
    from aib_emulator.store import Resource


class RecordedRun(Protocol):
    """A run of an image template, which is remembered when the image template is gone."""

    @property
    def image_template_path(self) -> str:
        """Resource id of the image template."""
        ...

    def last_run_status(self, now: datetime) -> dict[str, Any]:
        """Return what the image template said, or says, about it."""
        ...


class BlobStore(Protocol):
    """Storage accounts' blobs, behind the emulator's own TLS address.

    `app` builds it as `aib_emulator.blobs.AzuriteBlobStore(settings, folder=, tls=, tokens=, clock=, faults=,
    requests=, granted=)`: it keeps its files in `folder`, listens with `tls`, checks bearers with `tokens` and what
    they are `granted`, lets planned `faults` strike and adds every call to `requests`. Names of deleted accounts may
    be used again.
    """

    @property
    def public_url(self) -> str:
        """`https://127.0.0.1:<port>`: accounts are the first segment of the path."""
        ...

    async def start(self) -> None:
        """Begin to serve."""
        ...

    async def close(self) -> None:
        """Answer nobody any more."""
        ...

    async def stop(self, deadline: float) -> None:
        """End everything that was started; by that time of the event loop what has not ended is killed."""
        ...

    async def reset(self) -> None:
        """Delete every account with its blobs."""
        ...

    async def create_account(self, name: str) -> None:
        """Make an account; once more for an existing one changes nothing."""
        ...

    async def delete_account(self, name: str) -> None:
        """Delete an account with all that is in it; an absent one is fine."""
        ...

    async def restore(self, accounts: Iterable[Any], copies: Iterable[Any]) -> None:
        """Let accounts exist again whose blobs are there, and copies go on."""
        ...

    def account_keys(self, name: str) -> tuple[str, str]:
        """Return the two keys of an account, base64."""
        ...

    def blob_url(self, account: str, container: str = "", blob: str = "") -> str:
        """Return the public address of an account, a container or a blob."""
        ...

    async def create_container(self, account: str, container: str) -> None:
        """Make a container; once more for an existing one changes nothing."""
        ...

    async def list_containers(self, account: str) -> list[str]:
        """Return the names of an account's containers."""
        ...

    async def delete_container(self, account: str, container: str) -> None:
        """Delete a container with all that is in it; an absent one is fine."""
        ...

    def set_policy(self, name: str, *, allows_shared_key: bool, allows_public_access: bool) -> None:
        """Say whether account keys are good for an account, and whether its containers may be opened to everybody."""
        ...

    def set_data_role(self, role: str, *, account: str, object_id: str) -> None:
        """Let a principal be `none`, `reader` or `contributor` of an account's blobs; `*` is every one of them."""
        ...

    def clear_data_roles(self) -> None:
        """Let role assignments alone decide again."""
        ...

    def set_copy_pace(self, bytes_per_second: float | None, fail_at_bytes: int | None = None) -> None:
        """Say how fast Copy Blob goes in emulated time, and where reading its source fails; None is done at once."""
        ...

    def set_blob_limits(
        self, requests_per_second: float | None, bytes_per_second: float | None, *, retry_after: int = 1
    ) -> None:
        """Say how much one blob bears in a second of emulated time; None is without limit."""
        ...

    async def regenerate_key(self, name: str, index: int) -> None:
        """Replace one of an account's two keys."""
        ...

    async def append_text(
        self, account: str, container: str, blob: str, text: str, *, at: datetime | None = None
    ) -> None:
        """Write at the end of an append blob, made with its container at the first time; at an instant, or now."""
        ...

    async def put_blob(self, account: str, container: str, blob: str, content: bytes) -> None:
        """Write a block blob, making its container at the first time."""
        ...

    async def put_sparse_vhd(
        self,
        account: str,
        container: str,
        blob: str,
        *,
        size_bytes: int,
        allocated_bytes: int,
        seed: str,
        at: datetime | None = None,
    ) -> None:
        """Write a fixed VHD as a page blob: `size_bytes` of disk, some of it data made from `seed`, and the footer."""
        ...

    async def get_blob(self, account: str, container: str, blob: str) -> bytes | None:
        """Return the content of a blob, or None when there is none."""
        ...


class AccessShapes(Protocol):
    """What others ask about rights: `services.authorization.resources.Authorization`.

    A place is a path, such as a resource id.
    """

    def may(self, principal_id: str, action: str, place: str, *, is_data: bool = False) -> bool:
        """Whether a principal may do something at a place, or to the data there."""
        ...

    def may_somewhere(self, principal_id: str, action: str) -> bool:
        """Whether a principal may do something anywhere at all."""
        ...

    def blob_role(self, account_name: str, principal_id: str) -> str:
        """Return what a principal may be to an account's blobs: `none`, `reader` or `contributor`."""
        ...

    def grant(self, role_name: str, principal_id: str, scope: str, *, name: str) -> object:
        """Assign a built-in role, known by what people call it; `name` is the assignment's own."""
        ...

    def forget(self, resource_id: ResourceId) -> None:
        """Forget the assignments at a resource or group that is deleted."""
        ...

    def restore(self, roles: Iterable[Any], assignments: Iterable[Any]) -> None:
        """Take over custom roles and role assignments that were kept."""
        ...

    def clear(self) -> None:
        """Forget every assignment and every custom role."""
        ...


class StorageShapes(Protocol):
    """What other services ask of storage: `services.storage.resources.StorageAccounts(store, blobs, clock)`."""

    async def delete_blobs(self, account: Resource) -> None:
        """Delete what a storage account holds, before the account itself is forgotten."""
        ...

    def find_by_name(self, name: str) -> Resource | None:
        """Return the account of that name."""
        ...

    async def create_account(self, account_id: ResourceId, *, location: str, tags: Mapping[str, str]) -> Resource:
        """Put a storage account into the store and the blob store."""
        ...


class ComputeShapes(Protocol):
    """What other services ask of compute: `services.compute.resources.ComputeResources(store, clock)`.

    `when_published` is told from which instant on a new version can be had; there is one listener.
    """

    when_published: Callable[[datetime], None]

    def put_gallery(self, gallery_id: ResourceId, *, location: str) -> Resource:
        """Put a gallery into the store."""
        ...

    def put_image_definition(
        self, definition_id: ResourceId, *, location: str, os_type: str, hyper_v_generation: str
    ) -> Resource:
        """Put an image definition into its gallery, with an identifier made from its name."""
        ...

    def put_managed_image(
        self,
        image_id: ResourceId,
        *,
        location: str,
        tags: Mapping[str, str],
        os_type: str,
        hyper_v_generation: str,
        source_image_template_id: str,
    ) -> Resource:
        """Put a finished managed image into the store."""
        ...

    def put_image_version(
        self,
        version_id: ResourceId,
        *,
        location: str,
        tags: Mapping[str, str],
        target_regions: Sequence[Mapping[str, Any]],
        exclude_from_latest: bool,
        started: datetime,
        completed: datetime,
        source_image_template_id: str,
    ) -> Resource:
        """Put a gallery image version into the store that a build leaves.

        :param target_regions: `{"name", "replicaCount", "storageAccountType"}` each; the two latter may be absent
        """
        ...

    def version_completion(self, version: Resource) -> datetime:
        """Return from when on a gallery image version is there in all its regions."""
        ...

    def version_completions(self) -> Sequence[datetime]:
        """Return from when on each gallery image version is there."""
        ...

    def changed_platform_images(self) -> list[dict[str, Any]] | None:
        """Return what is known of marketplace images that are not as at the start; None if there are none."""
        ...

    def restore_platform_images(self, changed: Iterable[Mapping[str, Any]]) -> None:
        """Take over marketplace images with their versions."""
        ...

    def latest_platform_version(self, publisher: str, offer: str, sku: str) -> str | None:
        """Return the newest marketplace version, or None when the catalogue has no such image."""
        ...

    def publish_platform_version(self, publisher: str, offer: str, sku: str, version: str, **about: str) -> None:
        """Add a version to a marketplace image, made if need be; ValueError when that makes no sense."""
        ...

    def withdraw_platform_version(self, publisher: str, offer: str, sku: str, version: str) -> None:
        """Take a version of a marketplace image away; LookupError when there is none."""
        ...

    def reset(self) -> None:
        """Forget which marketplace versions were published and withdrawn since the start."""
        ...

    def platform_version_exists(self, publisher: str, offer: str, sku: str, version: str) -> bool:
        """Whether the catalogue has this very version."""
        ...
