"""The functions of ARM's expression language that need nothing but their arguments, by what they work on."""
