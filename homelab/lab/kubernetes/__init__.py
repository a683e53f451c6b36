"""A Kubernetes API server with its controllers and one kubelet, small enough to start in a test.

Real clients talk to it: the official Python client, kubectl, curl. Nothing runs in containers: the kubelet asks a
registry what an image is and plays the life the image's labels describe (see :mod:`homelab.lab.kubernetes.node.life`).

As a process::

    python -m homelab.lab.kubernetes --state DIR --ready FILE --port 0 --registry http://127.0.0.1:PORT

writes ``{"port": N, "pid": N}`` to FILE when it serves, and ``DIR/kubeconfig`` (context ``lab``) for every client.
The bearer token is read from ``--token-file``, or made and kept in ``DIR/token``.

In a test::

    from homelab.lab.kubernetes.thread import running_cluster

    with running_cluster(registry=url_of_a_registry) as cluster:
        cluster.url, cluster.token, cluster.kubeconfig(path)

What tests break on purpose (answers, watches, versions, nodes, rights) stands under ``/_lab/…``, see
:mod:`homelab.lab.kubernetes.admin`; ``cluster.lab("watches/cut")`` does it from a test.

Layer: the lab; the product never imports it and does not know that it talks to it.
"""
