"""Azure VM Image Builder: image templates, their runs and what these leave."""
