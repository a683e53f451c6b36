"""A forge's Actions as far as a client sees them: the Forgejo and the Gitea face, at API levels A to D.

It really runs the pushed ``.forgejo/workflows`` (``.gitea``, ``.github``) as local processes. In a process of
its own: ``python -m homelab.lab.actions --state DIR --ready FILE --config FILE.json [--port 0] [--lab-controls]``;
the file is described at :func:`homelab.lab.actions.config.load`. In a thread, for tests: ``with
LabActions(config, folder) as server: server.url`` (:mod:`homelab.lab.actions.server`). A bare repository
calls it after ``homelab.lab.woodpecker.hook.install(repository, state)``; the hook takes several state folders,
so that one push may set off both CI servers. Layer: lab.
"""
