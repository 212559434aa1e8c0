"""Rules about image templates beside each other."""

from __future__ import annotations

from airflow_aib.image_template.rules.rule import REFERENCE, advice

TOGETHER = (
    advice(
        "name-repeated",
        "No two image templates of a file share a name.",
        "The second is refused, or replaces the first.",
        is_about_several=True,
    ),
    advice(
        "staging-shared",
        "No two image templates share a staging resource group.",
        "The service refuses the second, or fails while it builds.",
        REFERENCE,
        is_about_several=True,
    ),
    advice(
        "version-shared",
        "No two image templates make the same version of a gallery image.",
        "The second build fails at its end, since the version exists.",
        is_about_several=True,
    ),
    advice(
        "managed-image-shared",
        "No two image templates make the same managed image.",
        "Each build overwrites the other's image.",
        is_about_several=True,
    ),
)
