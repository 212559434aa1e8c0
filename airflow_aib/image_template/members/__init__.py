"""What may stand in an image template: the tables of members and kinds, for every api-version."""
