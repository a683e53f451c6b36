"""The verb `config show`: what is in force and why."""
