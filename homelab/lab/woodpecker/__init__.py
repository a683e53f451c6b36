"""A CI server that behaves like Woodpecker 3.17 and really runs pipelines, as local processes.

In a process of its own: ``python -m homelab.lab.woodpecker --state DIR --ready FILE --config FILE.json
[--port 0] [--lab-controls]``; the configuration file is described at :func:`homelab.lab.woodpecker.config.load`.
In a thread, for tests: ``with LabWoodpecker(config, folder) as server: server.url``
(:mod:`homelab.lab.woodpecker.server`). A bare repository calls it after
``homelab.lab.woodpecker.hook.install(repository, state)``. Layer: lab.
"""
