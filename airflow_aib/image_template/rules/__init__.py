"""The table of all rules: what each demands, and why.

`service`: Azure refuses the document or the build fails; `advice`: it works, and is likely not what was meant. Each has
a page in docs/reference/rules, and an example of what it finds in tests/image_templates/rules.
"""

from __future__ import annotations

from airflow_aib.image_template.rules.build import BUILD
from airflow_aib.image_template.rules.images import IMAGES
from airflow_aib.image_template.rules.reading import READING
from airflow_aib.image_template.rules.resource import RESOURCE
from airflow_aib.image_template.rules.rule import Basis, Rule
from airflow_aib.image_template.rules.scripts import SCRIPTS
from airflow_aib.image_template.rules.steps import STEPS
from airflow_aib.image_template.rules.together import TOGETHER

__all__ = ["PARTS", "RULES", "Basis", "Rule"]

PARTS: dict[str, tuple[Rule, ...]] = {
    "Reading and filling in": READING,
    "The resource and its members": RESOURCE,
    "Source and distributors": IMAGES,
    "Customizers and validators": STEPS,
    "Scripts and secrets": SCRIPTS,
    "The build": BUILD,
    "Several image templates": TOGETHER,
}

RULES: dict[str, Rule] = {rule.rule_id: rule for part in PARTS.values() for rule in part}
