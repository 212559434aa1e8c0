"""The expression language of Azure Resource Manager, evaluated locally."""
